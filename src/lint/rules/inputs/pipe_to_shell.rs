//! R010: what a server gives is run unseen.

use super::super::fetches::fetches;
use super::super::interpreted::is_run;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R010",
    name: "pipe-to-shell",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "what a server gives is run unseen",
    why: "The script may be another one tomorrow, and most such scripts download more.",
    quiet: "text that stands in the Dockerfile; a file that was checked",
    help: "download the script with a checksum (R009), or commit it, then run it",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.commands.iter().enumerate() {
            let what = fetches(run, index).into_iter().next();
            if let Some(fetch) = what.filter(|_| is_run(run, index)) {
                findings.add(command.span, format!("a script from `{}` runs unseen", fetch.what));
            }
        }
    }
}
