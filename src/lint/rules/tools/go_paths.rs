//! R077: a Go program records build paths or the state of the checkout.

use super::super::edits::behind_operand;
use crate::dockerfile::syntax::Command as Instruction;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R077",
    name: "go-paths",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a Go program records build paths or the state of the checkout",
    why: "Without `-trimpath` it holds the directories of the build; with `.git` at hand it holds the commit, its time and whether files were changed.",
    quiet: "`-trimpath`, with `-buildvcs=false` where `.git` may be copied; programs that nothing takes out of a stage that does not ship",
    help: "`CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-buildid=`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered().filter(|(_, command)| command.name == "go") {
            if !builds(command) || stays(file, run, index) {
                continue;
            }
            let flags = flags(file, run, index);
            let has = |flag: &str| {
                command
                    .words
                    .iter()
                    .map(Word::text)
                    .chain(flags.split_whitespace())
                    .any(|word| word == flag || word.strip_prefix('-') == Some(flag))
            };
            let trimmed = has("-trimpath") || has("-trimpath=true");
            let stamped = !has("-buildvcs=false") && copies_git(file, run) && !installs_remote(command);
            if !trimmed || stamped {
                let text = match (trimmed, stamped) {
                    (false, true) => " -trimpath -buildvcs=false",
                    (false, false) => " -trimpath",
                    _ => " -buildvcs=false",
                };
                let sub = command.subcommand(&["-C"]);
                let fix = Fix::one(format!("add{text}"), behind_operand(file, command, sub, text));
                findings.add_fixable(command.span, "the binary records build paths or VCS state", fix);
            }
        }
    }
}

fn builds(command: &Command) -> bool {
    match command.subcommand(&["-C"]) {
        "build" | "install" => !command.any_long(&["-h", "--help", "-n"]),
        "test" => command.word("-c"),
        _ => false,
    }
}

/// Nothing takes the program out of its stage, which does not ship: only the build runs it.
fn stays(file: &File<'_>, run: &Run, index: usize) -> bool {
    let (command, directory) = (&run.commands[index], run.directory(index));
    let written = match command.subcommand(&["-C"]) {
        "install" => Some("/go/bin/x".to_owned()),
        _ if command.long("-C") || command.word("-C") => None,
        _ => file.stages[run.stage].absolute(command.text_of(&["-o"]).unwrap_or("x"), directory.as_deref()),
    };
    written.is_some_and(|path| !path.contains('$') && !file.takes(run.stage, &path))
}

/// A module that is named with a version has no checkout.
fn installs_remote(command: &Command) -> bool {
    command.operands().any(|word| word.text().contains('@'))
}

fn flags(file: &File<'_>, run: &Run, index: usize) -> String {
    let own = run.commands[..=index].iter().rev().find_map(|command| command.variable("GOFLAGS")).map(str::to_owned);
    own.or_else(|| file.value(run.stage, run.position, "GOFLAGS")).unwrap_or_default()
}

/// `.git` may be in the stage: it, or the whole context, was copied, and the context is not one of tracked files only.
fn copies_git(file: &File<'_>, run: &Run) -> bool {
    if file.surroundings.context.as_ref().is_some_and(|context| context.is_tracked) {
        return false;
    }
    file.instructions_before(run.stage, run.position).any(|placed| match &placed.instruction.command {
        Instruction::Copy(copy) => {
            copy.from.is_empty()
                && copy
                    .transfer
                    .sources
                    .iter()
                    .any(|source| matches!(&*source.lossy(), "." | "./" | "/" | ".git" | "./.git" | ".git/"))
        }
        Instruction::Add(add) => {
            add.transfer.sources.iter().any(|source| matches!(&*source.lossy(), "." | "./" | "/" | ".git"))
        }
        _ => false,
    }) || run
        .mounts
        .iter()
        .any(|mount| mount.kind == "bind" && mount.from.is_empty() && matches!(mount.source.as_str(), "" | "." | "/"))
}
