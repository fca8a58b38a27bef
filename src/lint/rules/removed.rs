//! What a RUN takes away again, or never puts into a layer.

use crate::lint::file::Run;
use crate::lint::shell::{Command, RedirectKind};
use crate::lint::wildcard::matches;

/// Whether a file that a command left is gone at the end of the RUN: removed or emptied later, or on a mount.
pub(super) fn is_gone(run: &Run, after: usize, path: &str) -> bool {
    is_mounted(run, path) || run.commands.iter().skip(after + 1).any(|command| removes(command, path))
}

/// Whether the path lies on a mount that is no part of the layer.
pub(super) fn is_mounted(run: &Run, path: &str) -> bool {
    run.mounts.iter().any(|mount| {
        matches!(mount.kind.as_str(), "cache" | "tmpfs" | "bind")
            && !mount.target.is_empty()
            && covers(&mount.target, path)
    })
}

fn removes(command: &Command, path: &str) -> bool {
    let empties = command.redirects.iter().any(|redirect| {
        redirect.kind == RedirectKind::Output && redirect.takes_stdout() && covers(redirect.target.text(), path)
    });
    match command.name.as_str() {
        "rm" | "unlink" | "shred" | "truncate" => operands_cover(command, path),
        "find" => {
            let deletes = command.word("-delete") || command.words.iter().any(|word| word.text() == "rm");
            deletes
                && command
                    .words
                    .iter()
                    .take_while(|word| !word.text().starts_with('-'))
                    .any(|word| covers(word.text(), path))
        }
        "apt-get" | "apt" | "apt-fast" if command.word("clean") || command.word("distclean") => {
            path.starts_with("/var/cache/apt/") || command.word("distclean") && path.starts_with("/var/lib/apt/lists/")
        }
        ":" | "true" | "echo" | "printf" | "cat" => {
            empties && (command.name != "cat" || command.words.iter().any(|word| word.text() == "/dev/null"))
        }
        "" => empties,
        "cp" | "install" | "ln" => command.word("/dev/null") && operands_cover(command, path),
        _ => false,
    }
}

fn operands_cover(command: &Command, path: &str) -> bool {
    command.operands().any(|word| braces(word.text()).iter().any(|operand| covers(operand, path)))
}

/// `a{b,c}d` as `abd`, `acd`; at most a few dozen.
fn braces(text: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        let pair = text.find('{').and_then(|start| text[start..].find('}').map(|end| (start, start + end)));
        match pair {
            Some((start, end)) if text[start..end].contains(',') && done.len() + open.len() < 64 => {
                let (head, tail) = (&text[..start], &text[end + 1..]);
                open.extend(text[start + 1..end].split(',').map(|each| format!("{head}{each}{tail}")));
            }
            _ => done.push(text),
        }
    }
    done
}

/// Whether an operand, which may hold wildcards, names the path or a directory above it.
pub(super) fn covers(operand: &str, path: &str) -> bool {
    let home = |text: &str| match text
        .strip_prefix('~')
        .or_else(|| text.strip_prefix("$HOME"))
        .or_else(|| text.strip_prefix("${HOME}"))
    {
        Some(rest) => format!("/root{rest}"),
        None => text.to_owned(),
    };
    let operand = home(operand);
    if !operand.starts_with('/') {
        return false;
    }
    let mut wanted = path.split('/').filter(|part| !part.is_empty());
    operand
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|part| part == "**" || wanted.next().is_some_and(|next| matches(part, next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operand_covers_what_it_names_and_what_lies_below() {
        for (operand, path, want) in [
            ("/var/log", "/var/log/apt/history.log", true),
            ("/var/log/*", "/var/log/apt/history.log", true),
            ("/var/log/*.log", "/var/log/apt/history.log", false),
            ("/etc/*-", "/etc/shadow-", true),
            ("/etc/ssh/ssh_host_*", "/etc/ssh/ssh_host_rsa_key", true),
            ("lists/*", "/var/lib/apt/lists/x", false),
            ("~/.npm", "/root/.npm/_logs", true),
        ] {
            assert_eq!(covers(operand, path), want, "{operand} {path}");
        }
        assert_eq!(braces("/v/{a,b}"), ["/v/b", "/v/a"]);
    }
}
