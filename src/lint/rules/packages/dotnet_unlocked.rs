//! R035: NuGet may resolve other versions than the lock file has.

use super::super::edits::behind_operand;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Word;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R035",
    name: "dotnet-unlocked",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "NuGet may resolve other versions than the lock file has",
    why: "Floating versions and ranges mean what the feed has today.",
    quiet: "`--locked-mode`, `RestoreLockedMode`; `--no-restore` after a locked restore",
    help: "`dotnet restore --locked-mode`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let props = file.surroundings.context.as_ref().and_then(|context| context.texts.get("Directory.Build.props"));
    if props.is_some_and(|text| text.contains("<RestoreLockedMode>true")) {
        return;
    }
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| command.name == "dotnet") {
            let words: Vec<&str> = command
                .operands_without(&[
                    "-c",
                    "--configuration",
                    "-o",
                    "--output",
                    "-r",
                    "--runtime",
                    "-f",
                    "--framework",
                    "-v",
                    "--verbosity",
                ])
                .iter()
                .map(|word| word.text())
                .collect();
            let locked = command.any_long(&["--locked-mode", "--no-restore", "--help"])
                || command
                    .words
                    .iter()
                    .map(Word::text)
                    .any(|word| word.to_lowercase().contains("restorelockedmode=true"))
                || file.value(run.stage, run.position, "RestoreLockedMode").as_deref() == Some("true");
            match words.as_slice() {
                [sub @ ("restore" | "build" | "publish"), ..] if !locked => {
                    let option = if *sub == "restore" { " --locked-mode" } else { " -p:RestoreLockedMode=true" };
                    let edit = behind_operand(file, command, sub, option);
                    let has_lock = file.surroundings.may_hold(&["packages.lock.json"]);
                    let fix = Fix::one(format!("add `{}`", option.trim()), edit.filter(|_| has_lock));
                    let message = format!("`dotnet {sub}` may resolve other package versions");
                    findings.add_fixable(command.span, message, fix);
                }
                ["tool", "install" | "update", ..] if !command.long("--version") => {
                    findings.add(command.span, "`dotnet tool install` takes the newest version")
                }
                _ => {}
            }
        }
    }
}
