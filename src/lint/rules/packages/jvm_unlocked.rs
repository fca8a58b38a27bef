//! R033: dependencies of a Maven or Gradle build are not locked.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R033",
    name: "jvm-unlocked",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "dependencies of a Maven or Gradle build are not locked",
    why: "Versions may be ranges or snapshots, and nothing checks what the repository gives.",
    quiet: "offline builds; dependency locks and verification metadata; a flag in `.mvn/maven.config` or `gradle.properties`",
    help: "vendor the repository directory with a checksum and build with `-o` or `--offline`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let context = file.surroundings.context.as_ref();
    let text = |name: &str| context.and_then(|context| context.texts.get(name)).map_or("", String::as_str);
    let has = |name: &str| context.is_some_and(|context| context.files.contains(name));
    for run in &file.runs {
        for command in &run.commands {
            let moves =
                command.words.iter().map(Word::text).any(|word| word.contains("SNAPSHOT") || word.contains("LATEST"));
            let asks = command.any_long(&["--version", "--help"])
                || command.word("-v")
                || command.word("-version")
                || command.word("-h");
            let is_locked = match command.name.as_str() {
                "mvn" | "mvnw" | "mvnd" => {
                    let goal = command.words.iter().any(|word| word.text().contains("dependency-lock"));
                    command.short('o', "fPDlTstgb")
                        || command.long("--offline")
                        || goal
                        || text(".mvn/maven.config").split_whitespace().any(|word| matches!(word, "-o" | "--offline"))
                }
                "gradle" | "gradlew" => {
                    let sole = command.operands().map(|word| word.text()).collect::<Vec<_>>();
                    let harmless =
                        !sole.is_empty() && sole.iter().all(|word| matches!(*word, "wrapper" | "clean" | "--stop"));
                    command.any_long(&["--offline", "--write-locks", "--stop"])
                        || harmless
                        || has("gradle/verification-metadata.xml")
                        || has("gradle.lockfile")
                        || text("gradle.properties").contains("offline=true")
                }
                _ => continue,
            };
            if !asks && (!is_locked || moves) {
                findings.add(command.span, message(command));
            }
        }
    }
}

fn message(command: &Command) -> String {
    format!("dependencies of this build are not locked: `{}`", command.name)
}
