//! R046: `/etc/shadow` stores the day on which an account is made or gets a password.

use super::super::accounts::{is_busybox, made, name_of, sets_day};
use super::super::edits::{at_end, epoch_for};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Inside};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R046",
    name: "shadow-day",
    severity: Severity::Error,
    lock: Lock::No,
    ships: true,
    summary: "`/etc/shadow` stores the day on which an account is made or gets a password",
    why: "The third field counts the days since 1970.",
    quiet: "`ARG SOURCE_DATE_EPOCH` with shadow's own tools (BusyBox never reads it); `chage -d` or an edit of `/etc/shadow` later in the RUN; the scrub profile `shadow-day`",
    help: "`ARG SOURCE_DATE_EPOCH` before the RUN, or `useradd -u 1000 app && chage -d 19000 app && rm -f /etc/shadow- /etc/passwd-`; BusyBox: `sed -i 's/^\\(app:[^:]*\\):[0-9]*/\\1:19000/' /etc/shadow`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let stage = &file.stages[run.stage];
        if !stage.ships_any(&["/etc/shadow"]) {
            continue;
        }
        for (index, command) in run.numbered() {
            if !sets_day(command) || is_mended(run, index) {
                continue;
            }
            let has_epoch = file.sees(run.stage, run.position, "SOURCE_DATE_EPOCH")
                || run.commands[..=index].iter().any(|command| command.variable("SOURCE_DATE_EPOCH").is_some());
            if !has_epoch || is_busybox(file, run, command) {
                let message = format!("`/etc/shadow` stores the day of `{}`", command.name);
                let fix = match has_epoch {
                    true => with_fixed_day(file, command),
                    false if is_busybox(file, run, command) => with_fixed_day(file, command),
                    false => Fix::one("declare SOURCE_DATE_EPOCH", epoch_for(file, run).flatten()),
                };
                findings.add_fixable(command.span, message, fix);
            }
        }
    }
}

/// A later command sets the day, or takes the file away.
fn is_mended(run: &Run, index: usize) -> bool {
    is_gone(run, index, "/etc/shadow") || run.commands[index + 1..].iter().any(edits)
}

fn edits(command: &Command) -> bool {
    let names_shadow = command
        .words
        .iter()
        .map(|word| word.text())
        .chain(command.redirects.iter().map(|redirect| redirect.target.text()))
        .any(|text| text == "/etc/shadow" || text.ends_with("/etc/shadow"));
    match command.name.as_str() {
        "chage" => command.short('d', "EIMmWR") || command.long("--lastday"),
        "sed" | "gsed" => names_shadow && (command.short('i', "ef") || command.long("--in-place")),
        "perl" | "awk" | "gawk" | "ed" | "ex" | "vim" => names_shadow,
        "cp" | "mv" | "install" | "tee" => command.operands().last().is_some_and(|word| word.text() == "/etc/shadow"),
        _ => {
            command.redirects.iter().any(|redirect| redirect.takes_stdout() && redirect.target.text() == "/etc/shadow")
        }
    }
}

/// Sets the day of a new account by hand, as BusyBox can't be told it.
fn with_fixed_day(file: &File<'_>, command: &Command) -> Option<Fix> {
    made(command)?;
    let name = name_of(command)?;
    let is_alone = command.feeds.is_none() && command.redirects.is_empty() && matches!(command.inside, Inside::Script);
    if !is_alone || !command.wrappers.is_empty() {
        return None;
    }
    let text = format!(" && sed -i 's/^\\({name}:[^:]*\\):[0-9]*/\\1:19000/' /etc/shadow");
    Fix::one("set the day in `/etc/shadow`", at_end(file, command, &text))
}
