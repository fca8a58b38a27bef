//! R007: `ADD` takes a file from a server without a checksum.

use super::super::pins::with_checksum;
use super::add_git_moving::is_git;
use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R007",
    name: "add-url-unchecked",
    severity: Severity::Error,
    lock: Lock::Yes,
    ships: false,
    summary: "`ADD` takes a file from a server without a checksum",
    why: "The server may give another body, and its `Last-Modified` becomes the file's time.",
    quiet: "git repositories; `--checksum`",
    help: "`ADD --checksum=sha256:<hex> --chmod=644 https://… /opt/x`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Command::Add(add) = &placed.instruction.command else { continue };
        if !add.checksum.is_empty() {
            continue;
        }
        for word in &add.transfer.sources {
            let url = file.expand(placed.stage.index, placed.position, word).text;
            let is_http = url.starts_with("http://") || url.starts_with("https://");
            if is_http && !is_git(&url) {
                let fix = with_checksum(file, placed, &add.transfer, &url);
                findings.add_fixable(placed.span_of(&word.lossy()), format!("the body of `{url}` is not checked"), fix);
            }
        }
    }
}
