//! R055: the rpm database stores the times of installation.

use super::super::managers::{Manager, installs};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R055",
    name: "rpm-state",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "the rpm database stores the times of installation",
    why: "rpm takes the clock unless SOURCE_DATE_EPOCH is set; dnf's history has a clock of its own.",
    quiet: "`ARG SOURCE_DATE_EPOCH` before",
    help: "declare the argument, then `rm -rf /var/lib/dnf /var/cache/dnf /var/cache/libdnf5 /usr/lib/sysimage/libdnf5/transaction_history.sqlite*`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let ships =
            file.stages[run.stage].ships_any(&["/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"]);
        if !ships || file.sees(run.stage, run.position, "SOURCE_DATE_EPOCH") {
            continue;
        }
        for command in &run.commands {
            let rpm = command.name == "rpm"
                && (['i', 'U', 'F'].iter().any(|letter| command.short(*letter, "q")) && !command.short('q', "")
                    || command.any_long(&["--install", "--upgrade"]))
                && !command.long("--import");
            let sets = command.variable("SOURCE_DATE_EPOCH").is_some();
            if (rpm || matches!(installs(command), Some(Manager::Rpm | Manager::Zypper))) && !sets {
                findings.add(command.span, "the package database stores install times");
                break;
            }
            if sets && command.words.is_empty() {
                break;
            }
        }
    }
}
