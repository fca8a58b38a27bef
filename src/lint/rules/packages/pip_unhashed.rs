//! R027: Python packages are chosen when the image is built.

use super::super::edits::behind_operand;
use super::super::python::{Pip, pip};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R027",
    name: "pip-unhashed",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "Python packages are chosen when the image is built",
    why: "Versions, and the files of a version, are those that the index has today.",
    quiet: "`--require-hashes`; `--no-index`; local files; `--no-deps` with a hash; a project itself with `--no-deps --no-build-isolation`; `uv sync --frozen` or `--locked`; `poetry install`",
    help: "`pip install --require-hashes --no-deps --no-compile -r requirements.txt`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            if command.name == "uv" && command.subcommand(&["--directory", "--project"]) == "sync" {
                if !command.any_long(&["--frozen", "--locked"])
                    && !is_set(file, run, command, &["UV_FROZEN", "UV_LOCKED"])
                {
                    let edit = behind_operand(file, command, "sync", " --locked");
                    let fix = Fix::one("add `--locked`", edit.filter(|_| file.surroundings.may_hold(&["uv.lock"])));
                    findings.add_fixable(command.span, "`uv sync` may choose other versions than uv.lock has", fix);
                }
                continue;
            }
            let Some(pip) = pip(command) else { continue };
            let resolves = matches!(pip.subcommand, "install" | "download" | "wheel" | "run" | "sync");
            if resolves
                && !is_settled(&pip, command)
                && !is_set(
                    file,
                    run,
                    command,
                    &["PIP_REQUIRE_HASHES", "PIP_NO_INDEX", "UV_REQUIRE_HASHES", "UV_NO_INDEX"],
                )
            {
                findings.add(command.span, "versions and files are chosen at build time");
            }
        }
    }
}

/// One of the variables is set to something that means yes.
fn is_set(file: &File<'_>, run: &Run, command: &Command, names: &[&str]) -> bool {
    names.iter().any(|name| {
        let own = command.variable(name).map(str::to_owned);
        own.or_else(|| file.value(run.stage, run.position, name))
            .is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no"))
    })
}

fn is_settled(pip: &Pip<'_>, command: &Command) -> bool {
    if command.any_long(&["--require-hashes", "--no-index", "--help", "--version"]) {
        return true;
    }
    let no_deps = command.long("--no-deps");
    let words = || command.words.iter().map(Word::text);
    if no_deps && words().any(|text| text.contains("--hash=") || text.contains("#sha256=")) {
        return true;
    }
    let lists = command.short('r', "cefit") || command.any_long(&["--requirement", "--group"]);
    let is_project = |text: &str| text == "." || text.starts_with(".[") || text == "./";
    let all_local = !pip.operands.is_empty() && pip.operands.iter().all(|word| is_local(word.text()));
    let has_project = pip.operands.iter().any(|word| is_project(word.text()));
    match (lists, all_local) {
        (false, true) if has_project => no_deps && (command.long("--no-build-isolation") || pip.subcommand == "sync"),
        (false, true) => true,
        _ => false,
    }
}

fn is_local(text: &str) -> bool {
    text.starts_with(['.', '/', '~'])
        || text.starts_with("file:")
        || !text.contains("://") && (text.ends_with(".whl") || text.ends_with(".tar.gz"))
}
