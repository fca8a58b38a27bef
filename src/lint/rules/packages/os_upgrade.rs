//! R023: everything that is installed is upgraded to what the mirrors have.

use super::super::managers::{Manager, is_dated, is_sync, manager, subcommand};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R023",
    name: "os-upgrade",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "everything that is installed is upgraded to what the mirrors have",
    why: "How far depends on the day.",
    quiet: "from a dated archive",
    help: "move the digest of the base image forward and delete the step",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let Some(manager) = manager(command) else { continue };
            let sub = subcommand(command);
            let upgrades = match manager {
                Manager::Apt => matches!(sub, "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade"),
                Manager::Apk => {
                    sub == "upgrade" || sub == "add" && (command.short('u', "tXp") || command.long("--upgrade"))
                }
                Manager::Rpm => matches!(
                    sub,
                    "update"
                        | "upgrade"
                        | "distro-sync"
                        | "distribution-synchronization"
                        | "dist-upgrade"
                        | "upgrade-minimal"
                        | "update-minimal"
                        | "up"
                        | "system-upgrade"
                ),
                Manager::Zypper => matches!(sub, "update" | "up" | "dup" | "dist-upgrade" | "patch"),
                Manager::Pacman => is_sync(command) && (command.short('u', "") || command.long("--sysupgrade")),
            };
            if upgrades && !command.any_long(&["--help", "--version"]) && !is_dated(file, run, index, manager) {
                findings.add(command.span, "the upgrade level depends on the day");
            }
        }
    }
}
