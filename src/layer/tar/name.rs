//! Names inside an archive: what they mean, and which are refused.

use crate::limits::{LimitExceeded, Limits};

use super::error::{Severity, TarError};

/// The longest component of a path that Linux takes.
const MAX_COMPONENT: usize = 255;

/// What a name may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Climbing {
    /// `..` is refused.
    Refused,
    /// `..` leads one up, and at the root nowhere.
    Clamped,
}

/// The path that a name stands for: without leading `/` and `./`, `//`, `/./` and trailing `/`. The root is empty.
///
/// # Errors
/// For names that are empty, contain NUL, or `..` where that is refused, or go over a limit.
pub(super) fn key(name: &[u8], climbing: Climbing, offset: u64, limits: &Limits) -> Result<Vec<u8>, TarError> {
    let violation = |severity, what| Err(TarError::entry(severity, 8, offset, name, what));
    if name.is_empty() {
        return violation(Severity::Malformed, "the name is empty");
    }
    if name.len() as u64 > limits.tar_name {
        let object = format!("entry name of {} bytes at offset {offset}", name.len());
        return Err(LimitExceeded { name: "tar-name", limit: limits.tar_name, object }.into());
    }
    if name.contains(&0) {
        return violation(Severity::Unsafe, "the name contains a NUL byte");
    }
    let mut key = Vec::with_capacity(name.len());
    for component in name.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." if climbing == Climbing::Clamped => {
                key.truncate(key.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
                continue;
            }
            b".." => return violation(Severity::Unsafe, "the name contains `..`"),
            _ if component.len() > MAX_COMPONENT => {
                return violation(Severity::Unsafe, "a component of the name has more than 255 bytes");
            }
            _ => {}
        }
        if !key.is_empty() {
            key.push(b'/');
        }
        key.extend(component);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_have_one_key() {
        let limits = Limits::default();
        for (name, want) in [
            ("etc/x", "etc/x"),
            ("./etc/x", "etc/x"),
            ("/etc//x", "etc/x"),
            ("etc/./x/", "etc/x"),
            ("./", ""),
            ("/", ""),
            ("...", "..."),
        ] {
            assert_eq!(key(name.as_bytes(), Climbing::Refused, 0, &limits).unwrap(), want.as_bytes(), "{name}");
        }
    }

    #[test]
    fn names_that_leave_the_root_or_mean_two_things_are_refused() {
        let limits = Limits::default();
        for name in ["", "..", "../x", "a/../b", "/..", "a\0b", &"n".repeat(256), &"n/".repeat(2049)] {
            assert!(key(name.as_bytes(), Climbing::Refused, 0, &limits).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_that_climb_end_at_the_root_where_they_may() {
        let limits = Limits::default();
        for (name, want) in [("../x", "x"), ("a/../b", "b"), ("a/b/../c", "a/c"), ("/../..", ""), ("a/..", "")] {
            assert_eq!(key(name.as_bytes(), Climbing::Clamped, 0, &limits).unwrap(), want.as_bytes(), "{name}");
        }
    }
}
