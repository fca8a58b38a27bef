//! R022: apt is asked for a version without a dated archive.

use super::super::managers::{Manager, is_dated, manager, packages, subcommand};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R022",
    name: "apt-version-only",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "apt is asked for a version without a dated archive",
    why: "The version disappears from the mirror when it is superseded, and what it depends on moves all the same.",
    quiet: "inside a dated archive; local files",
    help: "pin the date of the archive, not the version",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let installs = manager(command) == Some(Manager::Apt)
                && matches!(subcommand(command), "install" | "reinstall" | "satisfy");
            if !installs || is_dated(file, run, index, Manager::Apt) {
                continue;
            }
            let pinned = packages(command).into_iter().find(|word| {
                let text = word.text();
                text.split_once('=').is_some_and(|(name, version)| !name.is_empty() && !version.is_empty())
                    && !text.contains('/')
                    && !text.starts_with('-')
            });
            if let Some(word) = pinned {
                findings.add(word.span, format!("`{}` disappears from the mirror when it is superseded", word.text()));
            }
        }
    }
}
