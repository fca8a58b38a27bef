//! R051: apt leaves caches and lists.

use super::super::cleanup::remove_at_end;
use super::super::managers::{Manager, installs, manager, subcommand};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::{File, Run};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R051",
    name: "apt-caches",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "apt leaves caches and lists",
    why: "The caches differ in every process, the lists are those of the day.",
    quiet: "both are removed later in the RUN, or lie on mounts",
    help: "`&& apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let Some((index, command)) =
            run.numbered().filter(|(_, command)| installs(command) == Some(Manager::Apt)).last()
        else {
            continue;
        };
        let stage = &file.stages[run.stage];
        let left: Vec<&str> = [
            ("/var/cache/apt/pkgcache.bin", "/var/cache/apt/*.bin"),
            ("/var/lib/apt/lists/a_Packages", "/var/lib/apt/lists/*"),
        ]
        .into_iter()
        .filter(|(path, _)| stage.ships_path(path) && !is_gone(run, index, path))
        .map(|(_, shown)| shown)
        .collect();
        if !left.is_empty() {
            let fix = remove_at_end(file, run, index, &left).filter(|_| !needs_lists_later(file, run));
            let message = format!("apt leaves caches that differ on each run: {}", left.join(" "));
            findings.add_fixable(command.span, message, fix);
        }
    }
}

/// A later RUN installs with the lists that are there.
fn needs_lists_later(file: &File<'_>, run: &Run) -> bool {
    let is_later = |other: &&Run| {
        file.ancestry(other.stage).contains(&run.stage) && (other.stage != run.stage || other.position > run.position)
    };
    file.runs.iter().filter(is_later).any(|later| {
        let mut apt = later.commands.iter().filter(|command| manager(command) == Some(Manager::Apt));
        apt.find(|command| installs(command).is_some() || subcommand(command) == "update")
            .is_some_and(|command| subcommand(command) != "update")
    })
}
