//! Commands that run another command, and shells that run a text.

use super::command::{Assignment, Word};

/// How a command that runs another reads its own words.
struct Wrapper {
    name: &'static str,
    /// Options that take the next word.
    values: &'static [&'static str],
    /// Words of its own after the options.
    operands: usize,
}

const fn wrapper(name: &'static str, values: &'static [&'static str], operands: usize) -> Wrapper {
    Wrapper { name, values, operands }
}

const WRAPPERS: &[Wrapper] = &[
    wrapper(
        "sudo",
        &[
            "-A",
            "-C",
            "-D",
            "-g",
            "-h",
            "-p",
            "-r",
            "-R",
            "-t",
            "-T",
            "-u",
            "-U",
            "--user",
            "--group",
            "--host",
            "--prompt",
            "--chroot",
            "--chdir",
            "--role",
            "--type",
            "--close-from",
            "--command-timeout",
            "--other-user",
        ],
        0,
    ),
    wrapper("doas", &["-u", "-C"], 0),
    wrapper("env", &["-u", "--unset", "-C", "--chdir", "-S", "--split-string"], 0),
    wrapper("exec", &["-a"], 0),
    wrapper("command", &[], 0),
    wrapper("builtin", &[], 0),
    wrapper("time", &["-f", "--format", "-o", "--output"], 0),
    wrapper("nice", &["-n", "--adjustment"], 0),
    wrapper("nohup", &[], 0),
    wrapper("setarch", &[], 1),
    wrapper("linux32", &[], 0),
    wrapper("linux64", &[], 0),
    wrapper(
        "xargs",
        &[
            "-a",
            "--arg-file",
            "-d",
            "--delimiter",
            "-E",
            "-I",
            "-L",
            "-n",
            "--max-args",
            "-P",
            "--max-procs",
            "-s",
            "--max-chars",
            "--process-slot-var",
        ],
        0,
    ),
    wrapper("timeout", &["-k", "--kill-after", "-s", "--signal"], 1),
    wrapper("chroot", &["--userspec", "--groups"], 1),
    wrapper("stdbuf", &["-i", "-o", "-e", "--input", "--output", "--error"], 0),
    wrapper("ionice", &["-c", "-n", "-p", "--class", "--classdata"], 0),
    wrapper("taskset", &[], 1),
    wrapper("gosu", &[], 1),
    wrapper("su-exec", &[], 1),
    wrapper("setpriv", &["--reuid", "--regid", "--groups", "--inh-caps"], 0),
    wrapper("setuser", &[], 1),
    wrapper("runuser", &["-u", "--user", "-g", "--group"], 0),
    wrapper("flock", &["-w", "--timeout", "-E"], 1),
    wrapper("fakeroot", &["-l", "-s", "-i", "--lib", "--faked"], 0),
    wrapper("eatmydata", &[], 0),
    wrapper("unbuffer", &[], 0),
    wrapper("retry", &[], 0),
    wrapper("busybox", &[], 0),
    wrapper("toybox", &[], 0),
    wrapper("tini", &["-e", "-p"], 0),
    wrapper("dumb-init", &[], 0),
];

/// Shells whose `-c` and whose input is read as a script.
pub(super) const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh"];

/// A command line without the commands that only run it.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    /// The names of those.
    pub(super) wrappers: Vec<String>,
    /// What `env` and `sudo` set.
    pub(super) assignments: Vec<Assignment>,
    /// Where the command's name is among the words; their number if there is none.
    pub(super) at: usize,
}

/// Looks behind wrappers, at most a few deep.
pub(super) fn unwrap(words: &[Word]) -> Unwrapped {
    let mut found = Unwrapped::default();
    for _ in 0..8 {
        let Some(word) = words.get(found.at).filter(|word| !word.is_dynamic) else { break };
        let name = basename(word.text());
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else { break };
        let Some(next) = inner(wrapper, words, found.at + 1, &mut found.assignments) else { break };
        found.wrappers.push(name.to_owned());
        found.at = next;
    }
    found
}

/// Where the words of the inner command begin; none if there is no inner command.
fn inner(wrapper: &Wrapper, words: &[Word], mut at: usize, assignments: &mut Vec<Assignment>) -> Option<usize> {
    let mut operands = wrapper.operands;
    let mut ended = false;
    while let Some(word) = words.get(at) {
        let text = word.text();
        if wrapper.name == "command" && matches!(text, "-v" | "-V" | "-pv") {
            return None;
        }
        if wrapper.name == "env" && (text == "-S" || text.starts_with("-S") || text.starts_with("--split-string")) {
            return None;
        }
        if !ended && word.is_option() {
            ended = text == "--";
            let joined_letter = text.len() == 2 || text.starts_with("--");
            at += if !ended && joined_letter && wrapper.values.contains(&text) { 2 } else { 1 };
        } else if wrapper.name == "env" && text == "-" {
            at += 1;
        } else if matches!(wrapper.name, "env" | "sudo" | "doas") && assignment(word).is_some() {
            assignments.extend(assignment(word));
            at += 1;
        } else if operands > 0 {
            operands -= 1;
            at += 1;
        } else {
            return Some(at);
        }
    }
    None
}

fn assignment(word: &Word) -> Option<Assignment> {
    let (name, value) = word.text().split_once('=')?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let from = name.len() + 1;
    let value = word.value.part(from..from + value.len());
    Some(Assignment { name: name.to_owned(), value: Word { value, is_dynamic: word.is_dynamic, span: word.span } })
}

/// The word that holds a script: of a shell's `-c`, of `su -c`, of `env -S`. `words` begin behind the name.
pub(super) fn script_word<'a>(name: &str, words: &'a [Word]) -> Option<&'a Word> {
    if matches!(name, "su" | "runuser") {
        let at = words.iter().position(|word| matches!(word.text(), "-c" | "--command"))?;
        return words.get(at + 1);
    }
    if name == "env" {
        let at = words.iter().position(|word| matches!(word.text(), "-S" | "--split-string"))?;
        return words.get(at + 1);
    }
    if !SHELLS.contains(&name) {
        return None;
    }
    let (mut at, mut takes_script) = (0, false);
    while let Some(word) = words.get(at) {
        let text = word.text();
        if !text.starts_with(['-', '+']) || text.len() < 2 {
            break;
        }
        at += 1;
        if text.starts_with("--") {
            at += usize::from(matches!(text, "--rcfile" | "--init-file"));
            continue;
        }
        takes_script |= text.starts_with('-') && text.contains('c');
        at += usize::from(text.contains(['o', 'O']));
    }
    words.get(at).filter(|_| takes_script)
}

/// The part of a path after its last `/`.
pub(super) fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
