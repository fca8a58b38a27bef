//! R080: code is generated for the CPU of the builder.

use crate::dockerfile::syntax::Command as Instruction;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word, is_kept};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R080",
    name: "native-cpu",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "code is generated for the CPU of the builder",
    why: "Another machine gives another program, which may not even run elsewhere.",
    quiet: "a named level of the architecture; tools that only name the option",
    help: "`-march=x86-64-v2`",
    check,
};

const NATIVE: [&str; 5] = ["-march=native", "-mtune=native", "-mcpu=native", "target-cpu=native", "--enable-native"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let values: Vec<_> = match &placed.instruction.command {
            Instruction::Env(pairs) => pairs.iter().map(|pair| pair.value.lossy()).collect(),
            Instruction::Arg(arguments) => {
                arguments.iter().filter_map(|argument| argument.default.as_ref().map(|value| value.lossy())).collect()
            }
            _ => continue,
        };
        for value in values {
            if let Some(word) = NATIVE.iter().find(|word| holds(&value, word)) {
                findings.add(placed.span_of(word), "the code is generated for the CPU of this builder");
            }
        }
    }
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let names_only = command.is(&["sed", "grep", "egrep", "awk", "perl"])
                || command.is(&["echo", "printf"]) && !is_kept(&run.commands, index);
            let found = words(command).find(|word| NATIVE.iter().any(|native| holds(word.text(), native)));
            let probed = command
                .assignments
                .iter()
                .find(|assignment| assignment.name == "GOAMD64" && assignment.value.text().contains("$("))
                .map(|assignment| &assignment.value);
            let fixed_arch = command
                .words
                .iter()
                .find(|word| word.text() == "DYNAMIC_ARCH=0")
                .filter(|_| command.is(&["make", "gmake", "cmake"]));
            if let Some(word) = found.filter(|_| !names_only).or(probed).or(fixed_arch) {
                findings.add(word.span, "the code is generated for the CPU of this builder");
            }
        }
    }
}

fn words(command: &Command) -> impl Iterator<Item = &Word> {
    command.words.iter().chain(command.assignments.iter().map(|assignment| &assignment.value))
}

/// The option stands in a text as a word of its own.
fn holds(text: &str, native: &str) -> bool {
    text.match_indices(native).any(|(at, _)| {
        !text[at + native.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    })
}
