//! R013: a value that a CI system makes for each run enters the image.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R013",
    name: "ci-value",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a value that a CI system makes for each run enters the image",
    why: "It stands in the history or the environment: two commits with equal content then give two images.",
    quiet: "a version that is part of the release, as a literal under a name of its own",
    help: "drop it, or record the commit in the attestation instead of the image",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for instruction in &file.dockerfile.global_args {
        let Command::Arg(arguments) = &instruction.command else { continue };
        let text = file.line_of(instruction.lines);
        for argument in arguments {
            look(&argument.name.lossy(), &text, findings);
        }
    }
    for placed in file.instructions() {
        let names: Vec<_> = match &placed.instruction.command {
            Command::Arg(arguments) => arguments.iter().map(|argument| argument.name.lossy()).collect(),
            Command::Env(pairs) | Command::Label(pairs) => pairs.iter().map(|pair| pair.key.lossy()).collect(),
            _ => continue,
        };
        names.iter().for_each(|name| look(name, placed.text, findings));
    }
}

fn look(name: &str, text: &crate::lint::span::Located, findings: &mut Findings) {
    if is_of_ci(name) {
        findings
            .add(crate::lint::file::find(text, name), format!("`{name}` changes per run and enters the image config"));
    }
}

/// The name, or a part of it between underscores, is one that CI systems give.
fn is_of_ci(name: &str) -> bool {
    let upper = name.to_uppercase();
    let parts: Vec<&str> = upper.split('_').collect();
    (0..parts.len()).any(|from| (from + 1..=parts.len()).any(|to| is_ci_word(&parts[from..to].join("_"))))
}

fn is_ci_word(word: &str) -> bool {
    // The one word that is made of two of them by chance.
    if word == "RUNTIME" {
        return false;
    }
    let run = ["BUILD", "JOB", "RUN", "PIPELINE"].iter().find_map(|head| word.strip_prefix(head));
    let run = run.map(|rest| rest.strip_prefix('_').unwrap_or(rest));
    let github = word.strip_prefix("GITHUB_");
    run.is_some_and(|rest| matches!(rest, "ID" | "NUMBER" | "URL" | "DATE" | "TIME"))
        || github.is_some_and(|rest| ["RUN", "SHA", "ACTOR"].iter().any(|head| rest.starts_with(head)))
        || word.strip_prefix("CI_").is_some_and(|rest| !rest.is_empty())
        || matches!(word, "VCS_REF" | "GIT_SHA" | "GIT_COMMIT" | "BUILD_VERSION" | "BUILDVERSION")
}
