//! R070: tar packs files without fixed order, owners and times.

use super::super::archives::{tar_creates, tar_extracts, tar_file};
use super::super::edits::{at_end, behind_name, epoch_for};
use super::super::managers::is_alpine;
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::{File, Run};
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R070",
    name: "tar-flags",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "tar packs files without fixed order, owners and times",
    why: "The archive records them as they are in this build.",
    quiet: "reading; a pipe that is unpacked again; all of `--sort=name --mtime --owner --group`; archives that are removed again",
    help: "`tar --sort=name --mtime=\"@$SOURCE_DATE_EPOCH\" --owner=0 --group=0 --numeric-owner --format=gnu -cf x.tar d`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let stage = &file.stages[run.stage];
        for (index, command) in run.numbered() {
            let complete = command.text_of(&["--sort"]) == Some("name")
                && ["--mtime", "--owner", "--group"].iter().all(|option| command.long(option));
            if !tar_creates(command) || complete {
                continue;
            }
            let reader = command.feeds.and_then(|next| run.commands.get(next));
            if reader.is_some_and(|reader| tar_extracts(reader) || reader.is(&["ssh", "wc"])) {
                continue;
            }
            let redirected = command
                .redirects
                .iter()
                .find(|redirect| redirect.takes_stdout())
                .map(|redirect| redirect.target.text());
            let directory = run.directory(index);
            let ships = match tar_file(command).or(redirected) {
                Some("/dev/null") => false,
                Some(path) => {
                    stage.ships_written(path, directory.as_deref())
                        && !stage.absolute(path, directory.as_deref()).is_some_and(|path| is_gone(run, index, &path))
                }
                None => stage.ships,
            };
            if ships {
                let message = "tar records order, owner and times of the build";
                findings.add_fixable(command.span, message, completed(file, run, command));
            }
        }
    }
}

/// The options that are not there yet; BusyBox's tar has none of them.
fn completed(file: &File<'_>, run: &Run, command: &Command) -> Option<Fix> {
    if command.name == "bsdtar" || is_alpine(file, run.stage) {
        return None;
    }
    let options = [
        ("--sort", "--sort=name"),
        ("--mtime", "--mtime=@$SOURCE_DATE_EPOCH"),
        ("--owner", "--owner=0"),
        ("--group", "--group=0"),
        ("--numeric-owner", "--numeric-owner"),
    ];
    let missing = options.into_iter().filter(|(name, _)| !command.long(name)).map(|(_, option)| format!(" {option}"));
    let text: String = missing.collect();
    let needs_epoch = if command.long("--mtime") { Some(None) } else { epoch_for(file, run) };
    let is_old = command.words.first().is_some_and(|word| !word.is_option());
    // Values of letters without a dash are the words that follow; options may stand behind them.
    let edit = if is_old { at_end(file, command, &text) } else { behind_name(file, command, &text) };
    Some(Fix::one(format!("add{text}"), edit)?.with(needs_epoch?))
}
