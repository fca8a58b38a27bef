//! R042: a literal time names no zone.

use super::super::edits::{before, behind_name};
use super::super::text::{has_zone, is_relative_date};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R042",
    name: "local-time",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a literal time names no zone",
    why: "It means another instant where the zone is another.",
    quiet: "`Z`, `@`, an offset, `-u`, `TZ=UTC`; relative times, which R040 is about",
    help: "`TZ=UTC touch -d 2024-01-01T00:00:00Z FILE`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let value = match command.name.as_str() {
                "date" => command.text_of(&["--date", "-d", "-ud"]),
                "touch" => command.text_of(&["--date", "-d", "-t", "-cd", "-ct", "-hd", "-ad", "-md"]),
                _ => None,
            };
            let Some(value) =
                value.filter(|value| value.contains(|c: char| c.is_ascii_digit()) && !value.contains('$'))
            else {
                continue;
            };
            let is_utc =
                command.name == "date" && (command.short('u', "dfrs") || command.any_long(&["--utc", "--universal"]));
            if !is_utc && !has_zone(value) && !is_relative_date(value) && !zone_is_set(file, run, index, command) {
                let edit = match command.name.as_str() {
                    "date" => behind_name(file, command, " -u"),
                    _ => before(file, command, "TZ=UTC "),
                };
                let message = format!("the literal `{value}` means another instant in another zone");
                findings.add_fixable(command.span, message, Fix::one("take it as UTC", edit));
            }
        }
    }
}

fn zone_is_set(file: &File<'_>, run: &Run, index: usize, command: &Command) -> bool {
    let exported = run.commands[..index]
        .iter()
        .rev()
        .find_map(|command| command.variable("TZ").filter(|_| command.words.is_empty()));
    let zone =
        command.variable("TZ").or(exported).map(str::to_owned).or_else(|| file.value(run.stage, run.position, "TZ"));
    zone.is_some_and(|zone| zone.to_uppercase().contains("UTC") || zone.to_uppercase().contains("GMT"))
}
