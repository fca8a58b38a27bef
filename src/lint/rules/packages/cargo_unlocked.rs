//! R029: cargo may change Cargo.lock while it builds, or installs whatever version is newest.

use super::super::edits::behind_operand;
use super::super::text::{has_exact_version, is_commit};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R029",
    name: "cargo-unlocked",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "cargo may change Cargo.lock while it builds, or installs whatever version is newest",
    why: "Without `--locked` it takes newer versions where Cargo.lock does not fit, and says so only in passing.",
    quiet: "`--locked`, `--frozen`; `--offline` with vendored sources",
    help: "`cargo build --release --locked --offline`",
    check,
};

const VALUES: &[&str] = &[
    "--manifest-path",
    "-Z",
    "--config",
    "--color",
    "-C",
    "--target",
    "--target-dir",
    "--features",
    "-F",
    "--bin",
    "-p",
    "--package",
    "--profile",
    "-j",
    "--jobs",
    "--root",
    "--path",
    "--git",
    "--rev",
    "--tag",
    "--branch",
    "--version",
    "--vers",
    "--registry",
    "--index",
    "--example",
    "--message-format",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| command.name == "cargo") {
            let mut operands = command
                .operands_without(VALUES)
                .into_iter()
                .map(|word| word.text())
                .skip_while(|word| word.starts_with('+'));
            let sub = operands.next().unwrap_or_default();
            if !matches!(sub, "build" | "b" | "install" | "test" | "t" | "run" | "r" | "fetch" | "rustc")
                || command.any_long(&["--help", "--list"])
            {
                continue;
            }
            let packages: Vec<&str> = operands.take_while(|_| matches!(sub, "install")).collect();
            let is_locked = command.any_long(&["--locked", "--frozen"]);
            let locked = || Fix::one("add `--locked`", behind_operand(file, command, sub, " --locked"));
            let message = format!("`cargo {sub}` may update Cargo.lock silently");
            if sub == "install" && !command.long("--path") {
                let exact = command.any_long(&["--version", "--vers"])
                    || command.text_of(&["--rev"]).is_some_and(is_commit)
                    || !packages.is_empty() && packages.iter().all(|package| has_exact_version(package));
                if !exact {
                    findings.add(command.span, "`cargo install` takes the newest version");
                } else if !is_locked {
                    findings.add_fixable(command.span, message, locked());
                }
            } else if !(is_locked || command.long("--offline") && sub != "install") {
                findings.add_fixable(
                    command.span,
                    message,
                    locked().filter(|_| file.surroundings.may_hold(&["Cargo.lock"])),
                );
            }
        }
    }
}
