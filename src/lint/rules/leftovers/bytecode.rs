//! R060: Python leaves bytecode files.

use super::super::edits::behind_operand;
use super::super::python::{is_python, module, pip};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R060",
    name: "bytecode",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "Python leaves bytecode files",
    why: "They store the times of their sources, and their content may follow the order of compilation.",
    quiet: "`PYTHONDONTWRITEBYTECODE`, `--no-compile`, `ARG SOURCE_DATE_EPOCH`; `PYTHONPYCACHEPREFIX`",
    help: "`ENV PYTHONDONTWRITEBYTECODE=1` and `pip install --no-compile`; or `run-env = { SOURCE_DATE_EPOCH = \"epoch\" }` in repro.toml, which keeps the files and makes them equal",
    check,
};

const SETTINGS: [&str; 3] = ["PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "SOURCE_DATE_EPOCH"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let ships = file.stages[run.stage].ships_any(&[
            "/usr/local/lib/python3/site-packages/__pycache__/x.pyc",
            "/usr/lib/python3/dist-packages/__pycache__/x.pyc",
            "/opt/venv/lib/__pycache__/x.pyc",
            "/venv/lib/__pycache__/x.pyc",
            "/root/.local/lib/__pycache__/x.pyc",
        ]);
        if !ships {
            continue;
        }
        for (index, command) in run.numbered() {
            let is_set = SETTINGS.iter().any(|name| {
                file.sees(run.stage, run.position, name)
                    || run.commands[..=index]
                        .iter()
                        .any(|command| command.assignments.iter().any(|assignment| assignment.name == *name))
            });
            if leaves(command) && !is_set && !cleans(run, index) {
                let compiles = pip(command).is_some_and(|pip| pip.is_pip && pip.subcommand == "install");
                let edit = behind_operand(file, command, "install", " --no-compile").filter(|_| compiles);
                let fix = Fix::one("add `--no-compile`", edit);
                findings.add_fixable(command.span, "bytecode files store source times", fix);
                break;
            }
        }
    }
}

fn leaves(command: &Command) -> bool {
    if command.any_long(&["--help", "--version"]) {
        return false;
    }
    if let Some(pip) = pip(command) {
        return pip.subcommand == "install"
            && if pip.is_pip {
                !command.long("--no-compile")
            } else {
                command.name == "pipx" || command.long("--compile-bytecode")
            };
    }
    if command.is(&["poetry", "pipenv"]) {
        return matches!(command.subcommand(&[]), "install" | "sync") && !command.long("--no-compile");
    }
    if !is_python(command) || command.short('B', "cmWX") || command.short('V', "cmWX") {
        return false;
    }
    match module(command) {
        Some(("pip" | "pipx", _)) | None => {
            command.operands().next().is_some_and(|word| word.text().ends_with(".py") && !command.short('c', "mWX"))
        }
        Some(_) => true,
    }
}

/// The files are removed later in the RUN.
fn cleans(run: &Run, index: usize) -> bool {
    let by_name = run.commands[index + 1..].iter().any(|command| {
        let words: Vec<&str> = command.words.iter().map(|word| word.text()).collect();
        let named = words
            .iter()
            .any(|word| word.contains("__pycache__") || word.contains("*.pyc") || word.contains("*.py[co]"));
        named
            && (command.is(&["rm", "xargs"])
                || command.name == "find" && (words.contains(&"-delete") || words.contains(&"rm"))
                || command.feeds.is_some())
    });
    by_name || is_gone(run, index, "/usr/local/lib/python3/site-packages/__pycache__/x")
}
