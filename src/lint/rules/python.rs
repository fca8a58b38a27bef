//! Python's interpreters and package installers.

use crate::lint::shell::{Command, Word};

/// Options of pip that take the next word.
const PIP_VALUES: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--platform",
    "--python-version",
    "--implementation",
    "--abi",
    "--timeout",
    "--retries",
    "--trusted-host",
    "--cache-dir",
    "--progress-bar",
    "--src",
    "--upgrade-strategy",
    "--global-option",
    "--config-settings",
    "--no-binary",
    "--only-binary",
    "-d",
    "--dest",
    "-w",
    "--wheel-dir",
    "--proxy",
    "--cert",
    "--client-cert",
    "--log",
    "--report",
    "--python",
    "-p",
    "--pip-args",
    "--suffix",
    "--spec",
    "--group",
];

/// A command that installs Python packages.
pub(super) struct Pip<'a> {
    /// `install`, `download`, …
    pub(super) subcommand: &'a str,
    /// What is named on the command line, editable projects among it.
    pub(super) operands: Vec<&'a Word>,
    /// It is pip itself, which compiles what it installs.
    pub(super) is_pip: bool,
}

/// A name of the interpreter.
pub(super) fn is_python(command: &Command) -> bool {
    let rest = command.name.strip_prefix("python").or_else(|| command.name.strip_prefix("pypy"));
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn is_pip_name(name: &str) -> bool {
    name.strip_prefix("pip").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Where the words of a module that `python -m` runs begin.
pub(super) fn module(command: &Command) -> Option<(&str, usize)> {
    if !is_python(command) {
        return None;
    }
    let at = command.words.iter().position(|word| {
        !matches!(word.text(), "-B" | "-E" | "-I" | "-O" | "-OO" | "-s" | "-S" | "-u" | "-v" | "-q")
    })?;
    if command.words[at].text() != "-m" {
        return None;
    }
    command.words.get(at + 1).map(|word| (word.text(), at + 2))
}

/// The command as an installer of packages; none if it is none.
pub(super) fn pip(command: &Command) -> Option<Pip<'_>> {
    let start = match module(command) {
        Some(("pip" | "pipx", start)) => start,
        Some(_) => return None,
        None if is_pip_name(&command.name) || matches!(command.name.as_str(), "pipx") => 0,
        None if command.name == "uv" => {
            let at = command.words.iter().position(|word| !word.is_option())?;
            if !matches!(command.words[at].text(), "pip") {
                return None;
            }
            at + 1
        }
        None => return None,
    };
    let is_pip = command.name != "uv" && command.name != "pipx";
    let words = &command.words[start..];
    let at = words.iter().position(|word| !word.is_option())?;
    let subcommand = words[at].text();
    let is_pipx = command.name == "pipx" || module(command).is_some_and(|(name, _)| name == "pipx");
    if subcommand == "run" && !is_pipx {
        return None;
    }
    let mut operands = Vec::new();
    let mut skip = false;
    let rest = &words[at + 1..];
    for (index, word) in rest.iter().enumerate() {
        let text = word.text();
        if std::mem::take(&mut skip) {
            continue;
        }
        match text {
            "-e" | "--editable" => {
                operands.extend(rest.get(index + 1));
                skip = true;
            }
            _ if !word.is_option() => operands.push(word),
            _ => skip = PIP_VALUES.contains(&text),
        }
    }
    Some(Pip { subcommand, operands, is_pip })
}

/// The text that an interpreter is told to run: of `-c`, or of its input.
pub(super) fn inline_script<'a>(command: &'a Command, letter: &str) -> Option<&'a str> {
    let by_option = command.words.iter().position(|word| {
        let text = word.text();
        text == letter
            || text.starts_with('-') && !text.starts_with("--") && text.len() <= 4 && text.ends_with(&letter[1..])
    });
    if let Some(word) = by_option.and_then(|at| command.words.get(at + 1)) {
        return Some(word.text());
    }
    let reads_input = command.operands().all(|word| word.text() == "-");
    let body = command.redirects.iter().find(|redirect| {
        matches!(
            redirect.kind,
            crate::lint::shell::RedirectKind::Heredoc | crate::lint::shell::RedirectKind::HereString
        )
    });
    body.filter(|_| reads_input).map(|redirect| redirect.target.text())
}
