//! R103: files of the running build container are copied along.

use super::super::archives::tar_creates;
use crate::finding::Severity;
use crate::lint::file::{Base, File, Run};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R103",
    name: "copy-etc",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "files of the running build container are copied along",
    why: "The engine mounts `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname` for the step.",
    quiet: "single named files; the three are removed from the copy",
    help: "`rm -f DEST/etc/{resolv.conf,hosts,hostname}`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, transfer, from) in file.transfers() {
        let stage = file.stage_named(from, placed.stage.index).filter(|_| !from.is_empty());
        let is_stage = stage.is_some_and(|stage| has_run(file, stage));
        let source = transfer.sources.iter().find(|source| is_etc(&source.lossy()));
        if let Some(source) = source.filter(|_| is_stage) {
            findings.add(
                placed.span_of(&format!("{} ", source.lossy())),
                "files of the running build container are copied",
            );
        }
    }
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if copies(run, index) && !removes(run, index) {
                findings.add(command.span, "files of the running build container are copied");
            }
        }
    }
}

/// The stage is more than another name of an image, and not made of copied files alone.
fn has_run(file: &File<'_>, stage: usize) -> bool {
    let ancestry = file.ancestry(stage);
    let root = ancestry.last().map(|root| &file.stages[*root].base);
    let is_empty = ancestry.iter().all(|stage| file.stages[*stage].instructions.is_empty());
    let runs = file.runs.iter().any(|run| ancestry.contains(&run.stage));
    !is_empty && (runs || !matches!(root, Some(Base::Scratch)))
}

fn is_etc(path: &str) -> bool {
    matches!(path, "/" | "/." | "/*" | "/etc" | "/etc/" | "/etc/." | "/etc/*" | "etc" | "etc/")
}

fn copies(run: &Run, index: usize) -> bool {
    let command = &run.commands[index];
    let etc = |word: &str| is_etc(word) && word.starts_with('/');
    let operands: Vec<&str> = command
        .operands_without(&["-t", "--target-directory", "-C", "--directory", "-f", "--file", "-e", "--exclude", "-S"])
        .iter()
        .map(|word| word.text())
        .collect();
    match command.name.as_str() {
        "cp" => {
            let recursive = ['a', 'r', 'R'].iter().any(|letter| command.short(*letter, "tS"))
                || command.any_long(&["--archive", "--recursive"]);
            let sources = if command.text_of(&["-t", "--target-directory"]).is_some() {
                &operands[..]
            } else {
                operands.split_last().map_or(&[][..], |(_, sources)| sources)
            };
            recursive && sources.iter().any(|source| etc(source))
        }
        "rsync" => operands.split_last().is_some_and(|(_, sources)| sources.iter().any(|source| etc(source))),
        "tar" => {
            let below = command
                .text_of(&["-C", "--directory"])
                .filter(|directory| matches!(*directory, "/" | "/etc"))
                .is_some()
                && operands.iter().any(|word| matches!(*word, "." | "etc" | "./etc"));
            tar_creates(command)
                && (below
                    || operands.iter().skip(1).any(|source| etc(source))
                    || operands.len() == 1 && etc(operands[0]))
        }
        _ => false,
    }
}

fn removes(run: &Run, index: usize) -> bool {
    run.commands[index + 1..]
        .iter()
        .any(|command| command.name == "rm" && command.words.iter().any(|word| word.text().contains("resolv.conf")))
}
