//! R088: an order that depends on the locale is written to a file.

use super::super::edits::before;
use super::super::managers::is_alpine;
use super::super::written::is_written;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R088",
    name: "locale-sort",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "an order that depends on the locale is written to a file",
    why: "Another locale sorts otherwise.",
    quiet: "`LC_ALL=C`; BusyBox, which ignores locales",
    help: "`ENV LC_ALL=C.UTF-8`, or `LC_ALL=C` before the command",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in
            run.numbered().filter(|(_, command)| command.is(&["sort", "comm", "join", "uniq", "ls"]))
        {
            if is_written(run, index) && !is_plain(file, run, index) && !is_alpine(file, run.stage) {
                let fix = Fix::one("set LC_ALL", before(file, command, "LC_ALL=C "));
                findings.add_fixable(command.span, "the order depends on the locale", fix);
            }
        }
    }
}

fn is_plain(file: &File<'_>, run: &Run, index: usize) -> bool {
    ["LC_ALL", "LC_COLLATE"].iter().any(|name| {
        let own = run.commands[..=index]
            .iter()
            .rev()
            .find(|command| command.variable(name).is_some())
            .and_then(|command| command.variable(name))
            .map(str::to_owned);
        own.or_else(|| file.value(run.stage, run.position, name))
            .is_some_and(|value| value == "C" || value.starts_with("C.") || value == "POSIX")
    })
}
