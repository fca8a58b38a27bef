//! R057: a tool writes state into the home directory.

use super::super::edits::behind_name;
use super::super::managers::is_alpine;
use super::super::removed::{is_gone, is_mounted};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R057",
    name: "tool-state",
    severity: Severity::Note,
    lock: Lock::No,
    ships: true,
    summary: "a tool writes state into the home directory",
    why: "It holds times, host keys or logs, and nobody reads it in the image.",
    quiet: "`wget --no-hsts`, BusyBox's wget; HOME, or the directory, on a mount; removed later in the RUN",
    help: "`wget --no-hsts`; `--mount=type=tmpfs,target=/root/.npm`; `GNUPGHOME=\"$(mktemp -d)\"`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let mut told: Vec<&str> = Vec::new();
        for (index, command) in run.numbered() {
            let Some(path) = state(file, run, index) else { continue };
            if !told.contains(&command.name.as_str())
                && !home_is_mounted(file, run, index)
                && !is_gone(run, index, path)
                && file.stages[run.stage].ships_path(path)
            {
                told.push(&command.name);
                let edit = behind_name(file, command, " --no-hsts").filter(|_| command.name == "wget");
                let message = format!("`{}` writes state into the home directory", command.name);
                findings.add_fixable(command.span, message, Fix::one("add `--no-hsts`", edit));
            }
        }
    }
}

/// What a command leaves, if it does.
fn state(file: &File<'_>, run: &Run, index: usize) -> Option<&'static str> {
    let command = &run.commands[index];
    if command.any_long(&["--version", "--help"]) {
        return None;
    }
    match command.name.as_str() {
        "wget" => {
            let is_busybox = command.wrappers.iter().any(|wrapper| wrapper == "busybox")
                || is_alpine(file, run.stage) && !has_package(file, run, "wget");
            (!command.long("--no-hsts") && !is_busybox).then_some("/root/.wget-hsts")
        }
        "gpg" | "gpg2" => {
            let elsewhere = command.long("--homedir") || is_set(file, run, index, "GNUPGHOME");
            (!elsewhere).then_some("/root/.gnupg/pubring.kbx")
        }
        "ssh-keyscan" => Some("/root/.ssh/known_hosts"),
        "npm" => Some("/root/.npm/_logs/x"),
        "composer" => Some("/root/.composer/cache/x"),
        "dotnet" => Some("/root/.dotnet/x"),
        "gradle" | "gradlew" => Some("/root/.gradle/x"),
        "mvn" | "mvnw" => Some("/root/.m2/x"),
        _ => None,
    }
}

fn has_package(file: &File<'_>, run: &Run, package: &str) -> bool {
    file.runs_before(run)
        .flat_map(|run| &run.commands)
        .chain(&run.commands)
        .any(|command: &Command| command.name == "apk" && command.word(package))
}

fn is_set(file: &File<'_>, run: &Run, index: usize, name: &str) -> bool {
    let own = run.commands[..=index]
        .iter()
        .any(|command| command.assignments.iter().any(|assignment| assignment.name == name));
    own || file.sees(run.stage, run.position, name)
}

fn home_is_mounted(file: &File<'_>, run: &Run, index: usize) -> bool {
    let home = run.commands[..=index]
        .iter()
        .rev()
        .find_map(|command| command.variable("HOME"))
        .map(str::to_owned)
        .or_else(|| file.value(run.stage, run.position, "HOME"));
    is_mounted(run, home.as_deref().unwrap_or("/root")) || home.is_some_and(|home| home.starts_with("/tmp"))
}
