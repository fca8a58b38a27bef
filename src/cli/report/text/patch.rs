//! A unified diff that `patch` and `git apply -p0` take.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use crate::escape;
use crate::project::{LintedFile, shown};

/// Shows what a file would become.
pub fn show(out: &mut String, file: &LintedFile, after: &[u8]) {
    let (before, after) = (String::from_utf8_lossy(&file.text), String::from_utf8_lossy(after));
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    let name = shown(&file.path);
    let _ = write!(out, "--- {name}\n+++ {name}\n");
    for hunk in diff.unified_diff().iter_hunks() {
        let _ = writeln!(out, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let _ = writeln!(out, "{sign}{}", line(change.value()));
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
}

/// A line without its end; a carriage return there stays, for `patch`.
fn line(text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (body, end) = text.strip_suffix('\r').map_or((text, ""), |body| (body, "\r"));
    let pieces: Vec<String> = body.split('\t').map(escape::visible).collect();
    format!("{}{end}", pieces.join("\t"))
}
