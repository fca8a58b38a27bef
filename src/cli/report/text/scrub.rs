//! The text of `repro scrub list`.

use std::fmt::Write;

use crate::scrub::PROFILES;

/// Every list with its paths.
pub fn list() -> String {
    let mut text = String::new();
    for profile in PROFILES {
        let _ = writeln!(text, "{}: {}; {}", profile.numbered(), profile.summary, profile.effect);
        profile.paths.iter().for_each(|path| {
            let _ = writeln!(text, "  {path}");
        });
    }
    text
}
