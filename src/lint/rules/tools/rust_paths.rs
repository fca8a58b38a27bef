//! R079: cargo builds in a directory that is not the same everywhere.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R079",
    name: "rust-paths",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "cargo builds in a directory that is not the same everywhere",
    why: "Messages of panics hold the paths of the sources.",
    quiet: "`--remap-path-prefix`; fixed HOME, CARGO_HOME and WORKDIR",
    help: "`ENV CARGO_HOME=/cargo RUSTFLAGS=\"--remap-path-prefix=/src=. --remap-path-prefix=/cargo=cargo\"`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in file.runs.iter().filter(|run| is_dynamic(file, run)) {
        for (index, command) in run.numbered().filter(|(_, command)| command.name == "cargo") {
            let sub = command
                .operands_without(&["--manifest-path", "-Z", "--config", "-C"])
                .into_iter()
                .map(|word| word.text())
                .find(|word| !word.starts_with('+'))
                .unwrap_or_default();
            let own = run.commands[..=index]
                .iter()
                .rev()
                .find_map(|command| command.variable("RUSTFLAGS"))
                .map(str::to_owned);
            let flags = own.or_else(|| file.value(run.stage, run.position, "RUSTFLAGS")).unwrap_or_default();
            if matches!(sub, "build" | "b" | "install") && !flags.contains("--remap-path-prefix") {
                findings.add(command.span, "panic messages record the build path");
            }
        }
    }
}

/// A directory of the build is not known.
fn is_dynamic(file: &File<'_>, run: &Run) -> bool {
    let by_variable = ["HOME", "CARGO_HOME"]
        .iter()
        .any(|name| file.sees(run.stage, run.position, name) && file.value(run.stage, run.position, name).is_none());
    let by_workdir = file
        .instructions_before(run.stage, run.position)
        .filter_map(|placed| match &placed.instruction.command {
            Command::Workdir(directory) => Some(file.expand(placed.stage.index, placed.position, directory)),
            _ => None,
        })
        .fold(false, |known, directory| {
            if directory.text.starts_with('/') { directory.is_dynamic } else { known || directory.is_dynamic }
        });
    by_variable || by_workdir
}
