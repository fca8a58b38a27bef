//! R047: an account or group gets the next free number.

use super::super::accounts::{Made, made};
use super::super::managers::installs;
use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R047",
    name: "id-not-fixed",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "an account or group gets the next free number",
    why: "Which one that is depends on what was installed before.",
    quiet: "`-u`, `--uid`, `-g`, `--gid`; system accounts made before any package on a pinned base",
    help: "`groupadd -g 1000 app && useradd -u 1000 -g 1000 app`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let Some(made) = made(command) else { continue };
            let fixed = match made {
                Made::User => command.short('u', "bcdefgGhkKpRPsZ") || command.any_long(&["--uid", "--non-unique-uid"]),
                Made::Group => command.short('g', "KpPRU") || command.long("--gid"),
            };
            if !fixed && !is_early(file, run, index, command) {
                findings.add(command.span, "the number depends on what was installed before");
            }
        }
    }
}

/// A system account on a pinned base before anything is installed.
fn is_early(file: &File<'_>, run: &Run, index: usize, command: &Command) -> bool {
    let is_system =
        command.short('r', "bcdefgGhkKpRPsuZ") || command.short('S', "bcdefgGhkKpRPsuZ") || command.long("--system");
    let is_pinned = file.root_image(run.stage).is_some_and(|reference| image_name(reference).is_pinned);
    let mut before = file.runs_before(run).flat_map(|run| &run.commands).chain(&run.commands[..index]);
    is_system && is_pinned && !before.any(|command| installs(command).is_some() || made(command).is_some())
}
