//! R072: gzip records the name and time of its input.

use super::super::edits::behind_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::RedirectKind;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R072",
    name: "gzip-name",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "gzip records the name and time of its input",
    why: "They stand in the header; GNU gzip 1.12 stores the time of a redirected file too.",
    quiet: "`-n`; a pipe; unpacking",
    help: "`gzip -n FILE`",
    check,
};

const TAKES: &str = "Sbp";

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered().filter(|(_, command)| command.is(&["gzip", "pigz"])) {
            let other = ['d', 'l', 't', 'V', 'h'].iter().any(|letter| command.short(*letter, TAKES))
                || command.any_long(&["--decompress", "--uncompress", "--list", "--test", "--help", "--version"]);
            let nameless = command.short('n', TAKES)
                || command.long("--no-name")
                || command.short('m', TAKES) && command.name == "pigz" && command.short('n', TAKES);
            let operand =
                command.operands_without(&["-S", "--suffix", "-b", "-p"]).into_iter().find(|word| word.text() != "-");
            let input = command
                .redirects
                .iter()
                .find(|redirect| redirect.kind == RedirectKind::Input)
                .map(|redirect| &redirect.target);
            // `xargs gzip` gets its files from the pipe.
            let by_xargs = command.wrappers.iter().any(|wrapper| wrapper == "xargs");
            let Some(path) = operand.or(input).map(|word| word.text()).or(by_xargs.then_some("x")) else { continue };
            if !other && !nameless && file.stages[run.stage].ships_written(path, run.directory(index).as_deref()) {
                let fix = Fix::one("add `-n`", behind_name(file, command, " -n"));
                findings.add_fixable(command.span, "gzip records the file name and time", fix);
            }
        }
    }
}
