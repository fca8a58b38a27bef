//! Where the output of a command goes.

use super::command::{Command, Inside};

/// Files that keep nothing.
const NOWHERE: [&str; 5] = ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/1"];

/// Commands that print what they are given, or a part of it.
const FILTERS: [&str; 24] = [
    "awk",
    "base32",
    "base64",
    "cat",
    "column",
    "cut",
    "egrep",
    "fgrep",
    "fold",
    "grep",
    "head",
    "hexdump",
    "md5sum",
    "nl",
    "od",
    "rev",
    "sed",
    "sha256sum",
    "sort",
    "tail",
    "tr",
    "uniq",
    "wc",
    "xxd",
];

/// Whether what the command prints may end in a file or decide something, and not only on a terminal.
pub fn is_kept(commands: &[Command], index: usize) -> bool {
    let mut index = index;
    // Each step goes to another command; more of them than there are would be a circle.
    for _ in 0..=commands.len() {
        let Some(command) = commands.get(index) else { return false };
        if let Some(redirect) = command.redirects.iter().rev().find(|redirect| redirect.takes_stdout()) {
            let target = redirect.target.text();
            return !NOWHERE.contains(&target) && !target.starts_with("/proc/self/fd/");
        }
        if let Some(next) = command.feeds {
            let Some(reader) = commands.get(next) else { return false };
            if reader.name == "tee" && reader.operands().any(|word| !NOWHERE.contains(&word.text())) {
                return true;
            }
            if !FILTERS.contains(&reader.name.as_str()) && reader.name != "tee" {
                return !reader.is(&["less", "more", ":", "true", "read"]);
            }
            index = next;
            continue;
        }
        match &command.inside {
            Inside::Script => return false,
            Inside::Process(_) => return true,
            Inside::Of(outer) => index = *outer,
            Inside::Substitution { outer: None, .. } => return true,
            Inside::Substitution { outer: Some(outer), .. } => {
                match commands.get(*outer).map(|outer| outer.name.as_str()) {
                    Some("echo" | "printf") => index = *outer,
                    Some(":" | "[" | "test" | "true") | None => return false,
                    Some(_) => return true,
                }
            }
        }
    }
    false
}
