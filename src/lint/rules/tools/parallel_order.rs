//! R082: link-time optimisation names things by chance.

use super::super::compilers::{is_build, is_compiler, told};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R082",
    name: "parallel-order",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "link-time optimisation names things by chance",
    why: "Without `-frandom-seed` the compiler makes names of random numbers.",
    quiet: "`-frandom-seed`",
    help: "sort the inputs; `-frandom-seed=<file>`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| is_compiler(command) || is_build(command)) {
            let words = told(command);
            let optimises = words.iter().any(|word| *word == "-flto" || word.starts_with("-flto="));
            if optimises && !words.iter().any(|word| word.starts_with("-frandom-seed")) {
                findings.add(command.span, "the order of objects may depend on timing");
            }
        }
    }
}
