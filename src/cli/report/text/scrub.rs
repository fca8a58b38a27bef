//! The text of `repro scrub list`, and the table in the documentation.

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

/// The table in `docs/scrub.md`.
pub fn table() -> String {
    let mut text = String::from("| profile | files | why they differ | without them |\n|---|---|---|---|\n");
    for profile in PROFILES {
        let paths: Vec<String> = profile.paths.iter().map(|path| format!("`{path}`")).collect();
        let (paths, summary, effect) = (paths.join("<br>"), profile.summary, profile.effect);
        let _ = writeln!(text, "| `{}` | {paths} | {summary} | {effect} |", profile.numbered());
    }
    text
}
