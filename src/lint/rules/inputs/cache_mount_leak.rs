//! R017: files of a cache mount are copied into the layer.

use super::super::removed::covers;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, RedirectKind};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R017",
    name: "cache-mount-leak",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "files of a cache mount are copied into the layer",
    why: "What a cache holds depends on the builds before; a first build finds it empty.",
    quiet: "package managers that only read it (a remark where the stage ships)",
    help: "build into the layer itself, and verify with an empty cache (`--no-cache`)",
    check,
};

const COPIERS: [&str; 7] = ["cp", "mv", "ln", "install", "rsync", "tar", "cpio"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for mount in run.mounts.iter().filter(|mount| mount.kind == "cache" && !mount.target.is_empty()) {
            let target = mount.target.trim_end_matches('/');
            match run.commands.iter().enumerate().find(|(index, _)| leaks(run, *index, target)) {
                Some((_, command)) => {
                    findings.add(command.span, format!("files of the cache `{target}` are copied into the layer"))
                }
                None if file.stages[run.stage].ships => {
                    findings.add_as(
                        Severity::Note,
                        mount.span,
                        format!("the step has a cache, `{target}`: it must give the same with an empty one"),
                    );
                }
                None => {}
            }
        }
    }
}

fn leaks(run: &Run, index: usize, target: &str) -> bool {
    let command = &run.commands[index];
    let directory = run.directory(index);
    let inside = |word: &str| covers(target, &absolute(word, directory.as_deref()));
    let outside = |word: &str| !word.is_empty() && word.len() > 1 && !inside(word);
    let redirected = command.redirects.iter().any(|redirect| {
        let takes = matches!(redirect.kind, RedirectKind::Output | RedirectKind::Append) && redirect.takes_stdout();
        takes && outside(redirect.target.text()) && redirect.target.text() != "/dev/null"
    });
    let reads = command.operands().any(|word| inside(word.text()));
    copies(command, &inside, &outside) || reads && redirected && !command.is(&["echo", "printf"])
}

fn copies(command: &Command, inside: &dyn Fn(&str) -> bool, outside: &dyn Fn(&str) -> bool) -> bool {
    if !COPIERS.contains(&command.name.as_str()) {
        return false;
    }
    if command.name == "tar" {
        let read = command.text_of(&["-C", "--directory"]).is_some_and(inside)
            || command.operands().any(|word| inside(word.text()));
        let file = super::super::archives::tar_file(command);
        return super::super::archives::tar_creates(command) && read && file.is_none_or(outside);
    }
    let operands: Vec<&str> = command
        .operands_without(&["-t", "--target-directory", "-m", "--mode", "-o", "-g"])
        .iter()
        .map(|word| word.text())
        .collect();
    let by_option = command.text_of(&["-t", "--target-directory"]);
    let (sources, destination) = match (by_option, operands.split_last()) {
        (Some(destination), _) => (&operands[..], destination),
        (None, Some((destination, sources))) => (sources, *destination),
        (None, None) => return false,
    };
    sources.iter().any(|source| inside(source)) && outside(destination)
}

fn absolute(word: &str, directory: Option<&str>) -> String {
    match directory {
        Some(directory) if !word.starts_with(['/', '~', '$']) => format!("{}/{word}", directory.trim_end_matches('/')),
        _ => word.to_owned(),
    }
}
