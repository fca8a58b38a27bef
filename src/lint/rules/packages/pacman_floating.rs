//! R026: packages come from a rolling mirror.

use super::super::managers::{Manager, is_dated, is_sync, manager};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R026",
    name: "pacman-floating",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "packages come from a rolling mirror",
    why: "It holds the newest version of each package only.",
    quiet: "a `Server =` line with the date of an archive was written before",
    help: "write the path of a dated archive to `/etc/pacman.d/mirrorlist` before `-Syu`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if manager(command) == Some(Manager::Pacman)
                && is_sync(command)
                && !is_dated(file, run, index, Manager::Pacman)
            {
                findings.add(command.span, "packages come from a rolling mirror");
            }
        }
    }
}
