//! R078: a C build records its directory or its time.

use super::super::compilers::{is_build, is_compiler, told};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R078",
    name: "c-paths",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "a C build records its directory or its time",
    why: "Debugging information holds paths, macros such as BUILD_DATE the clock.",
    quiet: "`-ffile-prefix-map`, `-fdebug-prefix-map`; no debugging information",
    help: "a fixed WORKDIR, `-ffile-prefix-map=$PWD=.`, `-Wdate-time` to find `__DATE__`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| is_compiler(command) || is_build(command)) {
            let words = told(command);
            let macros = words
                .iter()
                .any(|word| ["-DBUILD_DATE", "-DBUILD_TIME", "-DBUILD_HOST"].iter().any(|name| word.starts_with(name)));
            let debug = words.iter().any(|word| {
                matches!(
                    *word,
                    "-g" | "-g1" | "-g2" | "-g3" | "-ggdb" | "-ggdb3" | "-gdwarf" | "-gdwarf-4" | "-gdwarf-5"
                )
            });
            let mapped = words
                .iter()
                .any(|word| word.starts_with("-ffile-prefix-map") || word.starts_with("-fdebug-prefix-map"));
            if macros || debug && !mapped {
                findings.add(command.span, "debug info and macros record the build path");
            }
        }
    }
}
