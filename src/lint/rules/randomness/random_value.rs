//! R065: a random value enters the layer.

use super::super::removed::{is_gone, is_mounted};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Inside, RedirectKind, Word, is_kept};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R065",
    name: "random-value",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a random value enters the layer",
    why: "It is another in each build.",
    quiet: "temporary names that are removed in the same RUN; values that go nowhere",
    help: "generate it at start-up, or derive it from the epoch and a fixed label",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if let Some(what) = draws(run, index) {
                findings.add(command.span, format!("`{what}` gives another value on each build"));
            } else if let Some((word, what)) = variable(run, index) {
                findings.add(word.span, format!("`{what}` gives another value on each build"));
            }
        }
    }
}

/// Commands that read a device of random bytes when it is among their words.
const READERS: [&str; 12] =
    ["base64", "cat", "cp", "dd", "fold", "head", "hexdump", "md5sum", "od", "sha256sum", "tr", "xxd"];

fn draws(run: &Run, index: usize) -> Option<String> {
    let command = &run.commands[index];
    let kept = || is_kept(&run.commands, index);
    let input = command
        .redirects
        .iter()
        .find(|redirect| redirect.kind == RedirectKind::Input && is_random(redirect.target.text()));
    let named = READERS
        .contains(&command.name.as_str())
        .then(|| command.words.iter().find(|word| is_random(word.text().trim_start_matches("if="))))
        .flatten();
    if let Some(device) = input.map(|redirect| redirect.target.text()).or(named.map(Word::text)) {
        let writes = command.is(&["cp", "dd"])
            && (command.name == "cp"
                || command.words.iter().any(|word| word.text().starts_with("of=") && word.text() != "of=/dev/null"));
        return (kept() || writes).then(|| device.trim_start_matches("if=").to_owned());
    }
    let is_asked = command.any_long(&["--help", "--version"]);
    match command.name.as_str() {
        _ if is_asked => None,
        "uuidgen" | "pwgen" => kept().then(|| command.name.clone()),
        "openssl" if command.subcommand(&[]) == "rand" => {
            (kept() || command.word("-out")).then(|| "openssl rand".to_owned())
        }
        "shuf" => (!command.long("--random-source")
            && (kept() || command.short('o', "in") || command.long("--output")))
        .then(|| "shuf".to_owned()),
        "mktemp" => (!is_temporary(run, index)).then(|| "mktemp".to_owned()),
        _ => None,
    }
}

fn is_random(path: &str) -> bool {
    matches!(path, "/dev/urandom" | "/dev/random") || path.starts_with("/proc/sys/kernel/random/")
}

/// The path that `mktemp` made is removed in the RUN, or lies on a mount.
fn is_temporary(run: &Run, index: usize) -> bool {
    let command = &run.commands[index];
    if is_mounted(run, "/tmp/x") || is_gone(run, index, "/tmp/x") {
        return true;
    }
    let variable = run.commands.iter().skip(index.saturating_sub(1)).take(1).chain(&run.commands).find_map(|holder| {
        holder
            .assignments
            .iter()
            .find(|assignment| {
                assignment.value.is_dynamic
                    && assignment.value.span.start <= command.span.start
                    && command.span.end <= assignment.value.span.end
            })
            .map(|assignment| assignment.name.clone())
    });
    let Some(name) = variable else { return false };
    let names = |text: &str| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
    run.commands.iter().any(|command| {
        let words = || command.words.iter().map(Word::text);
        let removes = command.is(&["rm", "rmdir"]) && words().any(names);
        let moves = command.name == "mv"
            && command.words.split_last().is_some_and(|(_, sources)| sources.iter().any(|word| names(word.text())));
        let traps = command.name == "trap" && words().any(|word| word.contains("rm ") && names(word));
        removes || moves || traps
    })
}

/// A word with `$RANDOM` or the process id.
fn variable(run: &Run, index: usize) -> Option<(&Word, &'static str)> {
    let command = &run.commands[index];
    if command.is(&["sleep", "kill", "trap", "wait"]) {
        return None;
    }
    let words = command.words.iter().chain(command.assignments.iter().map(|assignment| &assignment.value));
    let targets = command
        .redirects
        .iter()
        .filter(|redirect| redirect.kind != RedirectKind::Heredoc)
        .map(|redirect| &redirect.target);
    let found = words
        .chain(targets)
        .filter(|word| word.is_dynamic)
        .find_map(|word| name(word.text()).map(|what| (word, what)))?;
    let prints = command.is(&["echo", "printf"]) && !is_kept(&run.commands, index);
    let removed = found.1 == "$$" && is_removed(run, found.0.text());
    let sleeps = matches!(&command.inside, Inside::Substitution { outer: Some(outer), .. } if run.commands[*outer].name == "sleep");
    (!prints && !removed && !sleeps && !command.is(&["rm"])).then_some(found)
}

fn name(text: &str) -> Option<&'static str> {
    for (name, shown) in [("RANDOM", "$RANDOM"), ("SRANDOM", "$SRANDOM")] {
        let plain = text
            .match_indices(&format!("${name}"))
            .any(|(at, found)| !text[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        let braced = text.contains(&format!("${{{name}}}"));
        let arithmetic = text.contains("$((")
            && text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name);
        if plain || braced || arithmetic {
            return Some(shown);
        }
    }
    text.contains("$$").then_some("$$")
}

fn is_removed(run: &Run, text: &str) -> bool {
    run.commands.iter().any(|command: &Command| {
        command.name == "rm" && command.words.iter().any(|word| word.text() == text || word.text().contains("$$"))
    })
}
