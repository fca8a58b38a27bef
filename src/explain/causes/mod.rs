//! The table of causes: why two images can differ, each with a code that never changes its meaning.
//!
//! One small file a family. Whoever finds a difference names a cause by its code and says how sure that is
//! ([`Proof`]); what is told about it (name, class, sentence, help) stands here only, and `docs/diff.md` is made of it.

mod cause;
mod config;
mod content;
mod entry;
mod file;
mod inputs;
mod one_sided;
mod packaging;
mod program;
mod system;

pub use cause::{Cause, Class, Proof};

/// All causes, sorted by code.
const FAMILIES: &[&[Cause]] = &[
    inputs::CAUSES,
    packaging::CAUSES,
    config::CAUSES,
    entry::CAUSES,
    one_sided::CAUSES,
    system::CAUSES,
    file::CAUSES,
    program::CAUSES,
    content::CAUSES,
];

/// All causes, sorted by code.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    FAMILIES.iter().copied().flatten()
}

/// The cause of that code. A code that is not in the table counts as unexplained, which is never benign.
pub(crate) fn of(code: &str) -> &'static Cause {
    all().find(|cause| cause.code == code).unwrap_or(&content::UNEXPLAINED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::explain::Fix;
    use crate::scrub::PROFILES;

    #[test]
    fn codes_and_names_are_unique_and_sorted() {
        let codes: Vec<&str> = all().map(|cause| cause.code).collect();
        assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
        let names: BTreeSet<&str> = all().map(|cause| cause.name).collect();
        assert_eq!(names.len(), codes.len());
    }

    #[test]
    fn every_cause_is_told_in_one_line_each() {
        for Cause { code, name, sentence, help, fix, .. } in all() {
            let is_code =
                code.len() == 4 && code.starts_with('C') && code[1..].bytes().all(|byte| byte.is_ascii_digit());
            assert!(
                is_code && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte)),
                "{code} {name}"
            );
            for text in [sentence, help] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{code}: {text}");
            }
            if let Some(Fix::Scrub(profile)) = fix {
                assert!(PROFILES.iter().any(|known| known.name == *profile), "{code}: {profile}");
            }
        }
    }
}
