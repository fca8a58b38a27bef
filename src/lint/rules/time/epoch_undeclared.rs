//! R041: a tool that honours SOURCE_DATE_EPOCH runs where it is not set.

use super::super::edits::{EPOCH, epoch_for};
use super::super::python::{module, pip};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R041",
    name: "epoch-undeclared",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a tool that honours SOURCE_DATE_EPOCH runs where it is not set",
    why: "The tool then takes the clock.",
    quiet: "`ARG` or `ENV SOURCE_DATE_EPOCH` before, or `run-env` in the manifest; the RUN sets it itself",
    help: "`ARG SOURCE_DATE_EPOCH` after FROM; its value then stands in the history, so it must come from the lockfile; or `run-env = { SOURCE_DATE_EPOCH = \"epoch\" }` in repro.toml",
    check,
};

const TOOLS: [&str; 21] = [
    "gcc",
    "g++",
    "clang",
    "clang++",
    "cc",
    "c++",
    "rpm",
    "rpmbuild",
    "dnf",
    "dnf5",
    "yum",
    "microdnf",
    "tdnf",
    "useradd",
    "systemd-sysusers",
    "sphinx-build",
    "javadoc",
    "pdflatex",
    "xelatex",
    "lualatex",
    "mksquashfs",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in file.runs.iter().filter(|run| !file.sees(run.stage, run.position, EPOCH)) {
        for command in &run.commands {
            if command.assignments.iter().any(|assignment| assignment.name == EPOCH) {
                // It is set from here on, or for this command.
                break;
            }
            let words = command
                .words
                .iter()
                .chain(command.assignments.iter().map(|assignment| &assignment.value))
                .chain(command.redirects.iter().map(|redirect| &redirect.target));
            let reads = words.into_iter().find(|word| word.is_dynamic && word.text().contains(EPOCH));
            let span = reads.map(|word| word.span).or_else(|| honours(command).then_some(command.span));
            if let Some(span) = span {
                let fix = Fix::one("declare SOURCE_DATE_EPOCH", epoch_for(file, run).flatten());
                findings.add_fixable(span, "the build epoch is not visible in this stage", fix);
                break;
            }
        }
    }
}

fn honours(command: &Command) -> bool {
    if command.any_long(&["--version", "--help"]) || command.word("-dumpmachine") {
        return false;
    }
    let name = command.name.as_str();
    let cross = ["-gcc", "-g++", "-clang"].iter().any(|end| name.ends_with(end));
    let by_pip = pip(command).is_some_and(|pip| pip.is_pip && pip.subcommand == "install");
    let compiles = module(command).is_some_and(|(name, _)| matches!(name, "py_compile" | "compileall"));
    let asks = name == "rpm"
        && (command.short('q', "") || command.long("--import") || command.short('E', "") || command.long("--eval"));
    (TOOLS.contains(&name) || cross || by_pip || compiles)
        && !asks
        && !(name == "useradd" && command.short('D', "bcdefgGkKpRPsuZ"))
}
