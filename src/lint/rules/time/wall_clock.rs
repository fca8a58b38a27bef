//! R040: the time of the build is read.

use super::super::edits::{behind_name, epoch_for};
use super::super::python::{inline_script, is_python};
use super::super::text::is_relative_date;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word, is_kept};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R040",
    name: "wall-clock",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "the time of the build is read",
    why: "It is another in each build, and enters the layer with whatever is made of it.",
    quiet: "output that goes to a terminal or `/dev/null` only; a given time (`-d @…`, `-r FILE`)",
    help: "`ARG SOURCE_DATE_EPOCH`, then `date -u -d \"@$SOURCE_DATE_EPOCH\" +%F`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if reads_clock(run, index) {
                findings.add_fixable(command.span, "the clock enters the layer", of_epoch(file, run, command));
            } else if let Some(word) = words(command).find(|word| word.is_dynamic && names_clock(word.text())) {
                findings.add(word.span, "the clock enters the layer");
            }
        }
    }
}

/// `date` of the epoch instead of the present, in UTC.
fn of_epoch(file: &File<'_>, run: &Run, command: &Command) -> Option<Fix> {
    let given = command.any_long(&["--date", "--set"]) || command.short('d', "frsD") || command.name == "hwclock";
    let is_utc = command.short('u', "dfrs") || command.any_long(&["--utc", "--universal"]);
    if given || !command.is(&["date", "gdate"]) {
        return None;
    }
    let text = if is_utc { " -d @$SOURCE_DATE_EPOCH" } else { " -u -d @$SOURCE_DATE_EPOCH" };
    let fix = Fix::one("take the time of SOURCE_DATE_EPOCH", behind_name(file, command, text))?;
    Some(fix.with(epoch_for(file, run)?))
}

fn words(command: &Command) -> impl Iterator<Item = &Word> {
    command.words.iter().chain(command.assignments.iter().map(|assignment| &assignment.value))
}

fn names_clock(text: &str) -> bool {
    ["EPOCHSECONDS", "EPOCHREALTIME"]
        .iter()
        .any(|name| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")))
}

fn reads_clock(run: &Run, index: usize) -> bool {
    let command = &run.commands[index];
    match command.name.as_str() {
        "date" | "gdate" => is_now(command) && is_kept(&run.commands, index),
        "hwclock" => is_kept(&run.commands, index),
        "printf" => {
            command.words.first().is_some_and(|word| word.text().contains("%(") && word.text().contains(")T"))
                && is_kept(&run.commands, index)
        }
        "perl" => inline_script(command, "-e").is_some_and(|text| perl_reads(text) && keeps(run, index, text)),
        _ if is_python(command) => {
            inline_script(command, "-c").is_some_and(|text| python_reads(text) && keeps(run, index, text))
        }
        _ => false,
    }
}

/// What a script makes of the time ends in a file, by its own hand or by a redirection.
fn keeps(run: &Run, index: usize, text: &str) -> bool {
    is_kept(&run.commands, index)
        || ["open(", "open ", "write", "dump(", "save", "environ"].iter().any(|word| text.contains(word))
}

fn python_reads(text: &str) -> bool {
    const CALLS: [&str; 12] = [
        "time.time",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.strftime",
        "time.ctime",
        "time.gmtime",
        "time.localtime",
        "time.monotonic",
        "time()",
        "time_ns",
    ];
    CALLS.iter().any(|call| text.contains(call))
}

fn perl_reads(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$' && c != '-' && c != '>')
        .any(|word| matches!(word, "time" | "localtime" | "gmtime"))
}

/// `date` is asked for the present.
fn is_now(command: &Command) -> bool {
    const TAKES: &str = "dfrsD";
    if command.any_long(&["--help", "--version", "--reference", "--file"])
        || command.short('r', "dfsD")
        || command.short('f', "drsD")
    {
        return false;
    }
    let given =
        command.text_of(&["--date"]).or_else(|| command.short('d', "frsD").then(|| value_of_d(command)).flatten());
    match given {
        Some(value) => is_relative_date(value) && !value.contains('@') && !value.contains('$'),
        None => !command.short('s', TAKES) && !command.long("--set"),
    }
}

/// The value of `-d`, alone or at the end of a cluster such as `-ud`.
fn value_of_d(command: &Command) -> Option<&str> {
    command.words.iter().enumerate().find_map(|(index, word)| {
        let cluster = word.text().strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
        let at = cluster.find('d')?;
        let rest = &cluster[at + 1..];
        if rest.is_empty() { command.words.get(index + 1).map(|word| word.text()) } else { Some(rest) }
    })
}
