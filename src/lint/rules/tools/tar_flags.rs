//! R070: tar packs files without fixed order, owners and times.

use super::super::archives::{tar_creates, tar_extracts, tar_file};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

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
                findings.add(command.span, "tar records order, owner and times of the build");
            }
        }
    }
}
