//! R043: a file gets the time of the build.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R043",
    name: "stamp-file",
    severity: Severity::Note,
    lock: Lock::Yes,
    ships: false,
    summary: "a file gets the time of the build",
    why: "The export of `repro build` replaces it; another builder would keep it.",
    quiet: "`-d`, `-t`, `-r`",
    help: "none needed with `repro build`; otherwise `touch -d \"@$SOURCE_DATE_EPOCH\"`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| command.name == "touch") {
            let given = ['d', 't', 'r'].iter().any(|letter| command.short(*letter, ""))
                || command.any_long(&["--date", "--reference", "--help", "--version"]);
            if let Some(path) = command.operands().next().filter(|_| !given) {
                findings
                    .add(command.span, format!("`{}` gets the current time, which the export replaces", path.text()));
            }
        }
    }
}
