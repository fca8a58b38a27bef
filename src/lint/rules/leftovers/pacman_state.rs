//! R056: pacman stores the times of installation and a keyring.

use super::super::managers::{Manager, installs};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R056",
    name: "pacman-state",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "pacman stores the times of installation and a keyring",
    why: "Each package's entry holds its date, and the keyring was made in this build.",
    quiet: "the dates are rewritten and the keyring is removed later in the RUN; stages that do not ship",
    help: "`rm -rf /etc/pacman.d/gnupg /var/log/pacman.log`, and rewrite `%INSTALLDATE%` in `/var/lib/pacman/local/*/desc` to the epoch",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in file.runs.iter().filter(|run| file.stages[run.stage].ships_any(&["/var/lib/pacman/local/a/desc"])) {
        let Some((index, command)) = run.numbered().find(|(_, command)| installs(command) == Some(Manager::Pacman))
        else {
            continue;
        };
        let rewrites = run.commands[index + 1..]
            .iter()
            .any(|command| command.words.iter().any(|word| word.text().contains("INSTALLDATE")));
        let is_mended = is_gone(run, index, "/var/lib/pacman/local/a/desc")
            || rewrites && is_gone(run, index, "/etc/pacman.d/gnupg/pubring.gpg");
        if !is_mended {
            findings.add(command.span, "install dates and keyring state stay in the layer");
        }
    }
}
