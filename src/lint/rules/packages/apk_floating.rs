//! R024: apk installs from mirrors that move.

use super::super::managers::{Manager, manager, packages, subcommand};
use crate::dockerfile::syntax::Network;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R024",
    name: "apk-floating",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "apk installs from mirrors that move",
    why: "No dated public archive exists for this package manager; old versions disappear.",
    quiet: "`--network=none` with every package as `name=version`; local files",
    help: "fetch once, push `/etc/apk/cache` as an image, then `RUN --network=none --mount=from=cache@sha256:…,target=/etc/apk/cache apk add …`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            if manager(command) != Some(Manager::Apk) || !matches!(subcommand(command), "add" | "fetch") {
                continue;
            }
            let packages = packages(command);
            let is_local = !packages.is_empty() && packages.iter().all(|word| word.text().ends_with(".apk"));
            let is_pinned = run.network == Network::None && packages.iter().all(|word| word.text().contains('='));
            if !is_local && !is_pinned && !command.any_long(&["--help", "--no-network"]) {
                findings.add(command.span, "no dated public archive exists for this package manager");
            }
        }
    }
}
