//! R083: a build invents an identifier.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R083",
    name: "random-build-name",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "a build invents an identifier",
    why: "Names of files and of classes then differ in each build.",
    quiet: "a fixed build id in the configuration; a lock file",
    help: "set a constant or the source commit: `generateBuildId`, `deploymentId`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let context = file.surroundings.context.as_ref();
    let configured = context.is_some_and(|context| {
        context.texts.iter().any(|(name, text)| {
            name.starts_with("next.config") && (text.contains("generateBuildId") || text.contains("deploymentId"))
        })
    });
    let lockless = context
        .is_some_and(|context| context.files.contains("composer.json") && !context.files.contains("composer.lock"));
    for run in &file.runs {
        for command in &run.commands {
            let composer =
                command.name == "composer" && command.operands().next().is_some_and(|word| word.text() == "install");
            let scoper = command.is(&["php-scoper", "php-scoper.phar"])
                && command.word("add-prefix")
                && !command.long("--prefix");
            if builds_next(command) && !configured || composer && lockless || scoper {
                findings.add(command.span, "the build invents an identifier");
            }
        }
    }
}

fn builds_next(command: &Command) -> bool {
    let words: Vec<&str> = command.operands().map(Word::text).collect();
    match command.name.as_str() {
        "next" => words.first() == Some(&"build"),
        "npx" | "pnpm" | "yarn" | "bunx" | "bun" | "pnpx" | "npm" => {
            words.windows(2).any(|pair| pair[0].split('@').next() == Some("next") && pair[1] == "build")
        }
        _ => false,
    }
}
