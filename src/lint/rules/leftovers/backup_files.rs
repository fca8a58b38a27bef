//! R053: tools leave backup copies of what they change.

use super::super::accounts::{made, sets_day};
use super::super::cleanup::remove_at_end;
use super::super::managers::{Manager, installs};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R053",
    name: "backup-files",
    severity: Severity::Note,
    lock: Lock::No,
    ships: true,
    summary: "tools leave backup copies of what they change",
    why: "A copy holds the state before the last change, with its times and order.",
    quiet: "removed later in the RUN",
    help: "`rm -f /etc/*- /var/lib/dpkg/*-old /var/cache/debconf/*-old`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let copies: &[&str] = if made(command).is_some()
                || sets_day(command)
                || command.is(&["usermod", "groupmod", "userdel", "groupdel", "chage", "gpasswd"])
            {
                &["/etc/passwd-", "/etc/group-", "/etc/shadow-"]
            } else if installs(command) == Some(Manager::Apt) {
                &["/var/lib/dpkg/status-old", "/var/cache/debconf/config.dat-old"]
            } else {
                continue;
            };
            let left: Vec<&str> = copies
                .iter()
                .copied()
                .filter(|copy| file.stages[run.stage].ships_path(copy) && !is_gone(run, index, copy))
                .collect();
            if !left.is_empty() {
                let all: &[&str] = match installs(command) {
                    Some(_) => &["/var/lib/dpkg/*-old", "/var/cache/debconf/*-old"],
                    None => &[
                        "/etc/passwd-",
                        "/etc/group-",
                        "/etc/shadow-",
                        "/etc/gshadow-",
                        "/etc/subuid-",
                        "/etc/subgid-",
                    ],
                };
                let fix = remove_at_end(file, run, index, all);
                let message = format!("backup copies keep an older state: {}", left.join(" "));
                findings.add_fixable(command.span, message, fix);
            }
        }
    }
}
