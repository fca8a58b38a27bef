//! Which part of a body a request asks for (RFC 9110, 14).

/// What a `Range` header means for a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it: no range, several, or one that is none.
    Whole,
    /// From this byte to that one, both included.
    Part(u64, u64),
    /// Nothing that the body has.
    Outside,
}

impl Range {
    /// What `header` asks for of a body of `size` bytes.
    pub fn of(header: Option<&str>, size: u64) -> Self {
        let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Self::Whole };
        let Some((first, last)) = range.split_once('-') else { return Self::Whole };
        let number = |text: &str| -> Option<u64> {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        };
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => match first < size {
                true => Self::Part(first, last.min(size - 1)),
                false => Self::Outside,
            },
            (Some(first), None) if last.is_empty() => match first < size {
                true => Self::Part(first, size - 1),
                false => Self::Outside,
            },
            (None, Some(count)) if first.is_empty() => match count.min(size) {
                0 => Self::Outside,
                count => Self::Part(size - count, size - 1),
            },
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_the_body() {
        for (header, want) in [
            ("bytes=0-3", Range::Part(0, 3)),
            ("bytes=5-", Range::Part(5, 9)),
            ("bytes=-3", Range::Part(7, 9)),
            ("bytes=-30", Range::Part(0, 9)),
            ("bytes=8-99", Range::Part(8, 9)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=3-2", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("lines=1-2", Range::Whole),
            ("bytes=99999999999999999999-", Range::Whole),
        ] {
            assert_eq!(Range::of(Some(header), 10), want, "{header}");
        }
        assert_eq!(Range::of(None, 10), Range::Whole);
        assert_eq!(Range::of(Some("bytes=0-"), 0), Range::Outside);
    }
}
