//! Shapes of words: digests, versions, dates.

/// 40 or 64 hexadecimal digits: a whole commit id or digest.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// It holds 64 hexadecimal digits in a row.
pub(super) fn holds_digest(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|part| part.len() == 64)
}

/// Three numbers with points between: `1.2.3`, whatever follows that is no sign of a range.
pub(super) fn is_exact_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts = text.splitn(3, '.');
    let number =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let whole = number(parts.next()) && number(parts.next());
    whole
        && parts.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && !text.contains(['^', '~', '*', '>', '<', '|', ' ', 'x'])
}

/// A name with an exact version behind its last `@`.
pub(super) fn has_exact_version(spec: &str) -> bool {
    let at = spec.rfind('@').filter(|at| *at > 0);
    // What a variable holds is not known.
    at.is_some_and(|at| is_exact_version(&spec[at + 1..]) || spec[at + 1..].contains('$'))
}

/// It holds `YYYYMMDDTHHMMSSZ`.
pub(super) fn holds_stamp(text: &str) -> bool {
    text.as_bytes().windows(16).any(|window| {
        let digits = |range: std::ops::Range<usize>| window[range].iter().all(u8::is_ascii_digit);
        digits(0..8) && window[8] == b'T' && digits(9..15) && window[15] == b'Z'
    })
}

/// It holds a date as the path of an archive: `YYYY/MM/DD`, `YYYY-MM-DD` or `YYYYMMDD`.
pub(super) fn holds_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let plain = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_digit());
    (0..bytes.len()).any(|at| {
        let rest = &bytes[at..];
        if at > 0 && bytes[at - 1].is_ascii_digit() || !rest.starts_with(b"20") && !rest.starts_with(b"19") {
            return false;
        }
        let separated = rest.len() >= 10
            && digits(&rest[..4])
            && matches!(rest[4], b'/' | b'-')
            && rest[7] == rest[4]
            && digits(&rest[5..7])
            && digits(&rest[8..10])
            && plain(rest.get(10));
        let joined = rest.len() >= 8 && digits(&rest[..8]) && plain(rest.get(8));
        separated || joined
    })
}

/// It holds a date or a whole commit id.
pub(super) fn holds_date_or_commit(text: &str) -> bool {
    holds_date(text) || text.split(|c: char| !c.is_ascii_hexdigit()).any(is_commit)
}

/// A number, as a user or group id.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words of dates that mean another instant each day.
const RELATIVE: [&str; 22] = [
    "now",
    "today",
    "yesterday",
    "tomorrow",
    "ago",
    "next",
    "last",
    "this",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
];

/// A value of `date -d` that counts from the present.
pub(super) fn is_relative_date(text: &str) -> bool {
    let lower = text.to_lowercase();
    !lower.starts_with('@') && lower.split(|c: char| !c.is_ascii_alphabetic()).any(|word| RELATIVE.contains(&word))
}

/// A literal date says which zone it means.
pub(super) fn has_zone(text: &str) -> bool {
    let text = text.trim();
    let upper = text.to_uppercase();
    let offset = || {
        let at = text.rfind(['+', '-'])?;
        let digits: String = text[at + 1..].chars().filter(char::is_ascii_digit).collect();
        let after_time = text[..at].contains(':') || text[..at].contains('T');
        (after_time && matches!(digits.len(), 2 | 4)).then_some(())
    };
    text.starts_with('@')
        || upper.ends_with('Z') && text.len() > 1
        || ["UTC", "GMT", "EST", "EDT", "CET", "PST", "PDT", "CST", "MST"].iter().any(|zone| upper.ends_with(zone))
        || offset().is_some()
}

/// The part of a URL or path after its last `/`, without a query.
pub(super) fn last_part(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// A name of a repository, tag and digest of an image reference.
pub(super) struct ImageName<'a> {
    /// The tag, if there is one.
    pub(super) tag: Option<&'a str>,
    /// It has a digest.
    pub(super) is_pinned: bool,
    /// The repository, with its registry.
    pub(super) repository: &'a str,
}

/// Takes a reference apart; a port is no tag.
pub(super) fn image_name(reference: &str) -> ImageName<'_> {
    let (name, digest) = reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let tag = name[slash..].find(':').map(|at| slash + at);
    ImageName {
        tag: tag.map(|at| &name[at + 1..]),
        is_pinned: digest.is_some_and(|digest| digest.contains(':')),
        repository: tag.map_or(name, |at| &name[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_dates_are_told_apart() {
        for (text, exact) in [
            ("1.2.3", true),
            ("v1.2.3-rc.1", true),
            ("5", false),
            ("1.2", false),
            ("^1.2.3", false),
            ("1.2.x", false),
            ("latest", false),
        ] {
            assert_eq!(is_exact_version(text), exact, "{text}");
        }
        for (text, date) in [
            ("a/2024/01/02/b", true),
            ("20240102", true),
            ("1.20240102.3", true),
            ("202401023", false),
            ("2024-1-2", false),
        ] {
            assert_eq!(holds_date(text), date, "{text}");
        }
        for (text, zone) in [
            ("2024-01-01 00:00:00", false),
            ("2024-01-01T00:00:00Z", true),
            ("@0", true),
            ("2024-01-01 00:00 +0200", true),
            ("2024-01-01", false),
        ] {
            assert_eq!(has_zone(text), zone, "{text}");
        }
        assert!(
            is_relative_date("2 days ago")
                && is_relative_date("now")
                && !is_relative_date("@0")
                && !is_relative_date("2024-01-01")
        );
        assert!(holds_stamp("x/20240301T000000Z y") && !holds_stamp("20240301"));
    }

    #[test]
    fn a_port_is_no_tag() {
        let parts = |reference| {
            let name = image_name(reference);
            (name.repository.to_owned(), name.tag.map(str::to_owned), name.is_pinned)
        };
        assert_eq!(parts("r.example:5000/a"), ("r.example:5000/a".to_owned(), None, false));
        assert_eq!(parts("r.example:5000/a:1@sha256:0"), ("r.example:5000/a".to_owned(), Some("1".to_owned()), true));
    }
}
