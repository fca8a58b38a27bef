//! R081: a build depends on a run of the program on this machine.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R081",
    name: "profile-guided",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a build depends on a run of the program on this machine",
    why: "The profile counts what happened, and the optimiser follows it.",
    quiet: "a profile file that is given",
    help: "ship a recorded profile as an input, or leave it out",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let generates = run.commands.iter().any(|command| {
            texts(command).any(|text| text.contains("-fprofile-generate") || text.contains("profile-generate"))
        });
        for command in run.commands.iter().filter(|command| !command.is(&["echo", "printf", "grep", "sed"])) {
            let pgo = command.name == "cargo" && command.operands().next().is_some_and(|word| word.text() == "pgo")
                || command.name == "cargo-pgo";
            if pgo
                || texts(command).any(|text| {
                    text.split_whitespace().any(|word| depends(word, generates))
                        || text.contains("-C profile-use") && generates
                })
            {
                findings.add(command.span, "the result depends on a run of the program on this machine");
            }
        }
    }
}

fn texts(command: &Command) -> impl Iterator<Item = &str> {
    command.words.iter().map(Word::text).chain(command.assignments.iter().map(|assignment| assignment.value.text()))
}

fn depends(word: &str, generates: bool) -> bool {
    let given = |rest: &str| rest.starts_with('=') && !generates;
    let by_use = ["-fprofile-use", "-Cprofile-use"].iter().find_map(|option| word.strip_prefix(option));
    word == "--enable-optimizations"
        || word.starts_with("-fprofile-generate")
        || word.starts_with("-XX:ArchiveClassesAtExit")
        || word == "-Xshare:dump"
        || by_use.is_some_and(|rest| !given(rest))
}
