//! What `repro init --from-…` says.

use std::fmt::Write;

use crate::escape;
use crate::imports::Note;
use crate::project::{Imported, Machine, Requested, shown};

/// What was written, and what the document does not tell.
pub fn import(imported: &Imported, machine: &Machine) -> String {
    let near = shown(&machine.near(&imported.file));
    let mut text = String::new();
    for pin in &imported.pins {
        let request = escape::text(&pin.claim.request);
        let said = match &pin.locked {
            Some(locked) if *locked == pin.claim.result => format!("checked {request} {locked}"),
            Some(locked) => format!("checked {request} {locked} (told as {})", pin.claim.result),
            None if imported.is_checked => format!("unused {request} {}", pin.claim.result),
            None => format!("claimed {request} {}", pin.claim.result),
        };
        let _ = writeln!(text, "{said}");
    }
    text.push_str(&notes(imported.notes()));
    let files = if imported.pins.is_empty() { near } else { format!("{near} and repro.lock") };
    let checked = if imported.is_checked { "" } else { ", whose claims nobody checked yet" };
    let _ = writeln!(text, "wrote {files}{checked}; next: `repro lock`");
    text
}

/// What was written, and what of the request was not carried over.
pub fn request(requested: &Requested, machine: &Machine) -> String {
    let mut text = notes(&requested.notes());
    let _ = writeln!(text, "wrote {}; next: `repro lock`", shown(&machine.near(&requested.file)));
    text
}

/// What was seen, or not carried over, a line each.
pub fn notes<'n>(notes: impl IntoIterator<Item = &'n Note>) -> String {
    notes.into_iter().map(|note| format!("note: {}: {}\n", note.what, note.why)).collect()
}
