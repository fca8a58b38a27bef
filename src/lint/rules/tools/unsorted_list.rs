//! R087: files are taken in the order of the file system.

use super::super::edits::at_end;
use super::super::git::git_subcommand;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Inside, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R087",
    name: "unsorted-list",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "files are taken in the order of the file system",
    why: "`find` and its like list a directory as it lies on disk.",
    quiet: "a `sort` in between; commands whose result has no order: `rm chmod chown touch wc strip`",
    help: "`find d -type f -print0 | LC_ALL=C sort -z | xargs -0 cat`",
    check,
};

const GATHERERS: [&str; 6] = ["tar", "cat", "zip", "ar", "tee", "cpio"];
const ORDERLESS: [&str; 14] = [
    "rm", "chmod", "chown", "chgrp", "touch", "wc", "strip", "sort", "rmdir", "dpkg", "ls", "test", "kill", "patchelf",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if lists(command) && gathers(run, index) {
                let message = format!("the order of `{}` is the order of the file system", command.name);
                findings.add_fixable(command.span, message, sorted(file, command));
            }
        }
    }
}

fn lists(command: &Command) -> bool {
    match command.name.as_str() {
        "find" => {
            !["-delete", "-exec", "-execdir", "-ok", "-quit", "-printf"].iter().any(|option| command.word(option))
                || command.word("-print0")
        }
        "ls" => command.short('U', "") || command.short('f', "I"),
        "grep" | "egrep" | "fgrep" => {
            (command.short('r', "efmABCd") || command.short('R', "efmABCd") || command.long("--recursive"))
                && !command.short('q', "efmABCd")
        }
        "git" => {
            git_subcommand(command) == "ls-files"
                && command.words.iter().any(|word| matches!(word.text(), "-m" | "--modified" | "-o" | "--others"))
        }
        _ => false,
    }
}

/// The list ends in a file in its order: through a command that puts files together, or by a redirection.
fn gathers(run: &Run, index: usize) -> bool {
    let mut at = index;
    for _ in 0..16 {
        let Some(command) = run.commands.get(at) else { return false };
        let consumer = at != index;
        if consumer && ORDERLESS.contains(&command.name.as_str()) {
            return false;
        }
        if consumer
            && GATHERERS.contains(&command.name.as_str())
            && !(command.name == "cat"
                && !command.wrappers.iter().any(|wrapper| wrapper == "xargs")
                && at != index
                && is_plain_cat(command))
        {
            return command.name != "cat" || ends_in_file(run, at);
        }
        if consumer && command.name == "tee" {
            return true;
        }
        match (command.redirects.iter().rev().find(|redirect| redirect.takes_stdout()), command.feeds) {
            (Some(redirect), _) => return !redirect.target.text().starts_with("/dev/"),
            (None, Some(next)) => at = next,
            (None, None) => {
                return match &command.inside {
                    Inside::Substitution { outer: Some(outer), .. } => {
                        let outer_command = &run.commands[*outer];
                        match GATHERERS.contains(&outer_command.name.as_str()) {
                            true => outer_command.name != "cat" || ends_in_file(run, *outer),
                            false => outer_command.is(&["echo", "printf"]) && ends_in_file(run, *outer),
                        }
                    }
                    _ => false,
                };
            }
        }
    }
    false
}

/// `cat` that only hands on its input.
fn is_plain_cat(command: &Command) -> bool {
    command.operands().all(|word: &Word| word.text() == "-")
}

fn ends_in_file(run: &Run, index: usize) -> bool {
    crate::lint::shell::is_kept(&run.commands, index)
}

/// A `sort` behind it, before its output goes anywhere.
fn sorted(file: &File<'_>, command: &Command) -> Option<Fix> {
    let is_plain = command
        .redirects
        .iter()
        .all(|redirect| redirect.takes_stdout() && redirect.target.span.start >= command.span.end);
    let zero = command.any_long(&["--null"]) || ["-print0", "-Z", "-z", "-0"].iter().any(|option| command.word(option));
    let text = if zero { " | LC_ALL=C sort -z" } else { " | LC_ALL=C sort" };
    Fix::one("sort the list", at_end(file, command, text).filter(|_| is_plain))
}
