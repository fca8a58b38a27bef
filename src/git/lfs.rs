//! Pointers of Git LFS: the small text that is tracked in place of a large file.

use crate::digest::Digest;

/// What a pointer says about its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The content's digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
}

impl Pointer {
    /// No pointer is as long as this (LFS specification).
    pub const LONGEST: u64 = 1024;

    /// Reads a pointer; none if the text is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| (text.len() as u64) < Self::LONGEST)?;
        let mut lines = text.lines();
        let versions = ["version https://git-lfs.github.com/spec/v1", "version https://hawser.github.com/spec/v1"];
        versions.contains(&lines.next()?).then_some(())?;
        let (mut digest, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => digest = Some(value.parse().ok()?),
                ("size", value) => size = Some(value.parse().ok()?),
                _ => {}
            }
        }
        Some(Self { digest: digest?, size: size? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_from_other_texts() {
        let digest = Digest::of(b"x");
        let text = format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 1\n");
        assert_eq!(Pointer::parse(text.as_bytes()), Some(Pointer { digest, size: 1 }));
        for other in ["", "version 1\n", &text[..60], &text.replace("size 1", "size -1"), &text.replace("oid", "id")] {
            assert_eq!(Pointer::parse(other.as_bytes()), None, "{other}");
        }
    }
}
