//! R011: a RUN clones or fetches whatever a branch or tag is today.

use super::super::git::{GIT_VALUES, git_subcommand, pins_commit};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R011",
    name: "clone-moving",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "a RUN clones or fetches whatever a branch or tag is today",
    why: "Branches move, and tags can be moved.",
    quiet: "a whole commit id is checked out in the same RUN; local repositories",
    help: "`ADD https://host/org/repo.git#<commit> /src`, or `git checkout <commit>` after the clone",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.commands.iter().enumerate() {
            if !follows(command) || pins_commit(command) || run.commands[index + 1..].iter().any(pins_commit) {
                continue;
            }
            let is_submodule = git_subcommand(command) == "submodule";
            if is_submodule && run.commands[..index].iter().any(pins_commit) {
                continue;
            }
            let branch = command.text_of(&["--branch", "-b"]).unwrap_or("the default branch");
            let what = if is_submodule { "the submodules follow" } else { "the clone follows" };
            findings.add(command.span, format!("{what} `{branch}`"));
        }
    }
}

/// Takes something of another repository.
pub(in crate::lint::rules) fn follows(command: &Command) -> bool {
    let values: Vec<&str> = GIT_VALUES
        .iter()
        .copied()
        .chain(["-b", "--branch", "--depth", "-j", "--jobs", "--origin", "-o", "--reference", "--filter"])
        .collect();
    let operands = command.operands_without(&values);
    let from = operands.get(1).map_or("", |word| word.text());
    match git_subcommand(command) {
        "clone" => !is_local(from),
        "fetch" | "pull" => !is_local(from) || from.is_empty(),
        "submodule" => {
            operands.get(1).is_some_and(|word| word.text() == "update") && !command.any_long(&["--no-fetch"])
        }
        _ => false,
    }
}

fn is_local(address: &str) -> bool {
    address.starts_with("file://")
        || address.starts_with('/')
        || address.starts_with("./")
        || address.starts_with("../")
        || address == "."
}
