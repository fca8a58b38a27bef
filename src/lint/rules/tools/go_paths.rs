//! R077: a Go program records build paths or the state of the checkout.

use crate::dockerfile::syntax::Command as Instruction;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
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
    quiet: "`-trimpath`, with `-buildvcs=false` where `.git` may be copied",
    help: "`CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-buildid=`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered().filter(|(_, command)| command.name == "go") {
            if !builds(command) {
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
            if !trimmed || !has("-buildvcs=false") && copies_git(file, run) && !installs_remote(command) {
                findings.add(command.span, "the binary records build paths or VCS state");
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
