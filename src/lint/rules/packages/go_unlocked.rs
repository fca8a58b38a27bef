//! R030: Go modules are taken in versions that move, or unchecked.

use super::super::text::{is_commit, is_exact_version};
use crate::dockerfile::syntax::Command as Instruction;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R030",
    name: "go-unlocked",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "Go modules are taken in versions that move, or unchecked",
    why: "`@latest`, a branch or `go get` mean what the proxy knows today; without the checksum database nobody checks.",
    quiet: "`go mod download`; builds with a vendor directory or a committed go.sum; exact versions",
    help: "`go build -mod=readonly` with a committed `go.sum`, `go install X@v1.2.3`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Instruction::Env(pairs) = &placed.instruction.command else { continue };
        for pair in pairs {
            if loosens(&pair.key.lossy(), &pair.value.lossy()) {
                findings.add(
                    placed.span_of(&pair.key.lossy()),
                    format!("`{}={}` takes modules unchecked", pair.key.lossy(), pair.value.lossy()),
                );
            }
        }
    }
    for run in &file.runs {
        for command in &run.commands {
            for assignment in
                command.assignments.iter().filter(|assignment| loosens(&assignment.name, assignment.value.text()))
            {
                findings.add(
                    assignment.value.span,
                    format!("`{}={}` takes modules unchecked", assignment.name, assignment.value.text()),
                );
            }
            if command.name == "go"
                && let Some(argument) = moving(command)
            {
                findings.add(command.span, format!("`{argument}` resolves to the newest version"));
            }
        }
    }
}

fn loosens(name: &str, value: &str) -> bool {
    match name {
        "GOFLAGS" => value.contains("-mod=mod"),
        "GOSUMDB" => value == "off",
        "GONOSUMCHECK" => !value.is_empty() && value != "0",
        _ => false,
    }
}

const VALUES: &[&str] = &[
    "-C",
    "-o",
    "-ldflags",
    "-tags",
    "-gcflags",
    "-asmflags",
    "-p",
    "-mod",
    "-modfile",
    "-buildmode",
    "-exec",
    "-overlay",
];

fn moving(command: &Command) -> Option<String> {
    let operands = command.operands_without(VALUES);
    let sub = operands.first()?.text();
    if command.words.iter().any(|word| matches!(word.text(), "-mod=mod" | "--mod=mod")) {
        return Some("-mod=mod".to_owned());
    }
    match sub {
        "get" => Some("go get".to_owned()),
        // Tools of go.mod are locked there.
        "install" if operands.get(1).is_some_and(|word| word.text() == "tool") => None,
        "install" => operands[1..]
            .iter()
            .find(|word| !word.text().is_empty() && is_moving(word.text(), word.is_dynamic))
            .map(|word| word.text().to_owned()),
        "run" => operands
            .get(1)
            .filter(|word| word.text().contains('@') && is_moving(word.text(), word.is_dynamic))
            .map(|word| word.text().to_owned()),
        _ => None,
    }
}

fn is_moving(package: &str, is_dynamic: bool) -> bool {
    let is_local = package.starts_with('.') || package.starts_with('/') || package.ends_with(".go");
    // The standard library and `cmd/…` have no host in their first part.
    let has_host = package.split('/').next().is_some_and(|first| first.contains('.'));
    match package.split_once('@') {
        Some((_, version)) => !(is_exact_version(version) || is_commit(version) || is_dynamic && version.contains('$')),
        None => !is_local && has_host && !is_dynamic,
    }
}
