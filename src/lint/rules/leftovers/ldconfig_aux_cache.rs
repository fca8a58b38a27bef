//! R052: ldconfig leaves a cache of inode numbers.

use super::super::cleanup::remove_at_end;
use super::super::managers::{Manager, installs, is_alpine};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R052",
    name: "ldconfig-aux-cache",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "ldconfig leaves a cache of inode numbers",
    why: "It holds inode numbers and times of the libraries of this very build.",
    quiet: "removed later in the RUN; images with musl, which have none; `ldconfig -p`",
    help: "`&& rm -f /var/cache/ldconfig/aux-cache`",
    check,
};

const CACHE: &str = "/var/cache/ldconfig/aux-cache";

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        if !file.stages[run.stage].ships_path(CACHE) || is_alpine(file, run.stage) {
            continue;
        }
        let writes = run.numbered().filter(|(_, command)| {
            let installs = matches!(installs(command), Some(Manager::Apt | Manager::Rpm | Manager::Zypper));
            installs
                || command.name == "ldconfig"
                    && !command.short('p', "CfrX")
                    && !command.any_long(&["--print-cache", "--version", "--help"])
        });
        if let Some((index, command)) = writes.last()
            && !is_gone(run, index, CACHE)
        {
            let fix = remove_at_end(file, run, index, &[CACHE]);
            findings.add_fixable(command.span, "ldconfig leaves a cache of inode numbers", fix);
        }
    }
}
