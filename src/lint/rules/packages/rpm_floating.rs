//! R025: packages come from whatever the repository serves today.

use super::super::managers::{Manager, is_dated, manager, packages, subcommand};
use super::super::text::holds_date_or_commit;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R025",
    name: "rpm-floating",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "packages come from whatever the repository serves today",
    why: "The repository moves on and drops what it had.",
    quiet: "a repository with a date or a commit in its address; a repository of an image that is mounted by digest",
    help: "point the `.repo` file at a dated repository and pass `--setopt=install_weak_deps=0`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let is_mounted = run.mounts.iter().any(|mount| mount.from.contains("@sha256:"));
        for (index, command) in run.numbered() {
            let Some(manager) = installs(command) else { continue };
            let by_option = command.text_of(&["--repofrompath", "--releasever"]).is_some_and(holds_date_or_commit);
            if !is_mounted && !by_option && !is_dated(file, run, index, manager) && !is_help(run, index) {
                findings.add(command.span, format!("`{}` takes whatever the repository serves today", command.name));
            }
        }
    }
}

fn is_help(run: &Run, index: usize) -> bool {
    run.commands[index].any_long(&["--help", "--version"])
}

fn installs(command: &Command) -> Option<Manager> {
    if command.name == "rpm" {
        let installs = ['i', 'U', 'F'].iter().any(|letter| command.short(*letter, "q"))
            || command.any_long(&["--install", "--upgrade"]);
        let remote = command.operands().any(|word| word.text().contains("://"));
        return (installs && remote && !command.long("--import")).then_some(Manager::Rpm);
    }
    let manager = manager(command)?;
    let sub = subcommand(command);
    let does = match manager {
        Manager::Rpm => {
            matches!(sub, "install" | "in" | "reinstall" | "localinstall" | "groupinstall" | "builddep")
                || matches!(sub, "group" | "groups" | "module") && command.word("install")
        }
        Manager::Zypper => matches!(sub, "install" | "in" | "source-install" | "si"),
        _ => false,
    };
    (does && !packages(command).is_empty()).then_some(manager)
}
