//! R021: apt installs from mirrors that move.

use super::super::managers::{Manager, is_dated, manager, subcommand};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R021",
    name: "apt-no-snapshot",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "apt installs from mirrors that move",
    why: "The same command installs other versions later, and old ones disappear.",
    quiet: "the stage pointed its sources at a dated archive before; `--snapshot`; `--no-download`",
    help: "`ARG SOURCE_DATE_EPOCH SNAPSHOT`, then `d=$(date -u -d \"@$SOURCE_DATE_EPOCH\" +%Y%m%dT%H%M%SZ) && echo \"deb [check-valid-until=no] $SNAPSHOT/archive/debian/$d bookworm main\" > /etc/apt/sources.list && apt-get update`; or `network = \"locked\"` in repro.toml",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let moving = run.numbered().find(|(index, command)| {
            manager(command) == Some(Manager::Apt)
                && matches!(subcommand(command), "update" | "install" | "build-dep" | "reinstall" | "satisfy")
                && !command.any_long(&["--no-download", "--help", "--version"])
                && !is_dated(file, run, *index, Manager::Apt)
        });
        if let Some((_, command)) = moving {
            findings
                .add(command.span, "the distribution's mirror moves; the same command installs other versions later");
        }
    }
}
