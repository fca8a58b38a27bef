//! Whether a RUN checks what it downloads.

use crate::lint::file::Run;
use crate::lint::shell::{Command, Inside, RedirectKind};

use super::fetches::fetches;
use super::text::{holds_digest, is_number, last_part};

/// Programs that hold files against a list of digests that are hard to forge.
const SUMS: [&str; 9] =
    ["sha256sum", "sha512sum", "sha384sum", "sha224sum", "shasum", "b2sum", "b3sum", "gsha256sum", "sha3sum"];

/// Whether a later command of the RUN checks the file.
pub(super) fn is_checked(run: &Run, after: usize, file: &str) -> bool {
    let name = last_part(file);
    (after + 1..run.commands.len()).any(|index| checks(run, index, name, after))
}

fn checks(run: &Run, index: usize, name: &str, after: usize) -> bool {
    let command = &run.commands[index];
    let has_file = || command.words.iter().any(|word| names(word.text(), name));
    match command.name.as_str() {
        sum if SUMS.contains(&sum) => {
            let takes_list = command.short('c', "a") || command.any_long(&["--check"]);
            let by_literal = || has_file() && is_compared(run, index);
            takes_list && (has_file() || lists(run, index, name) || takes_own_list(run, index, after)) || by_literal()
        }
        "openssl" => command.word("dgst") && has_file() && (command.word("-verify") || is_compared(run, index)),
        "minisign" => command.short('V', "mxp") && has_file(),
        "signify" => command.short('V', "mxp") && has_file() || command.short('C', "mxp"),
        "gpg" | "gpg2" | "gpgv" | "gpgv2" => {
            let verifies = command.name.starts_with("gpgv")
                || command.any_long(&["--verify", "--decrypt"])
                || command.short('d', "o");
            verifies && has_file()
        }
        "cosign" => matches!(command.subcommand(&[]), "verify-blob" | "verify-blob-attestation") && has_file(),
        "slsa-verifier" => has_file(),
        _ => false,
    }
}

/// A word names the file: its path ends with the name, or it holds a name that is long enough to be no chance.
fn names(text: &str, name: &str) -> bool {
    !name.is_empty()
        && (text
            .split(|c: char| c.is_whitespace() || matches!(c, '*' | '(' | ')' | '=' | ',' | '"'))
            .any(|part| last_part(part) == name)
            || name.len() >= 6 && text.contains(name))
}

/// The list that a check reads names the file: it comes from a pipe, a heredoc, a string or a process.
fn lists(run: &Run, index: usize, name: &str) -> bool {
    let command = &run.commands[index];
    let own = command.redirects.iter().any(|redirect| {
        matches!(redirect.kind, RedirectKind::Heredoc | RedirectKind::HereString) && names(redirect.target.text(), name)
    });
    let writer = |at: usize| {
        run.commands.get(at).is_some_and(|writer| {
            writer.words.iter().any(|word| names(word.text(), name))
                || writer
                    .redirects
                    .iter()
                    .any(|redirect| redirect.kind == RedirectKind::Heredoc && names(redirect.target.text(), name))
        })
    };
    // `grep name sums | sha256sum -c -`, `cat a | grep name | …`
    let mut at = command.reads;
    for _ in 0..8 {
        let Some(before) = at else { break };
        if writer(before) {
            return true;
        }
        at = run.commands.get(before).and_then(|command| command.reads);
    }
    let by_process = (0..run.commands.len()).any(|at| run.commands[at].inside == Inside::Process(index) && writer(at));
    own || by_process || written_list(run, index, name)
}

/// The list is a file that a command of the RUN wrote with the name in it.
fn written_list(run: &Run, index: usize, name: &str) -> bool {
    let lists: Vec<&str> = run.commands[index].operands().map(|word| word.text()).collect();
    run.commands[..index].iter().any(|command| {
        let target =
            command.redirects.iter().find(|redirect| redirect.takes_stdout()).map(|redirect| redirect.target.text());
        target.is_some_and(|target| lists.contains(&target))
            && command.words.iter().any(|word| names(word.text(), name))
    })
}

/// The list is a file that the RUN did not download: it was there before.
fn takes_own_list(run: &Run, index: usize, after: usize) -> bool {
    let lists: Vec<&str> = run.commands[index]
        .operands()
        .map(|word| word.text())
        .filter(|text| *text != "-" && !is_number(text))
        .collect();
    let fetched = |list: &str| {
        (0..run.commands.len()).any(|at| {
            fetches(run, at)
                .iter()
                .any(|fetch| fetch.output.as_deref().is_some_and(|output| last_part(output) == last_part(list)))
        })
    };
    let written = |list: &str| {
        run.commands[..index].iter().any(|command| {
            command.redirects.iter().any(|redirect| redirect.takes_stdout() && redirect.target.text() == list)
        })
    };
    after < index
        && !lists.is_empty()
        && run.commands[index].reads.is_none()
        && lists.iter().all(|list| !fetched(list) && !written(list))
}

/// The sum is held against 64 hexadecimal digits: in a test around it, or by what reads it.
fn is_compared(run: &Run, index: usize) -> bool {
    let holds = |command: &Command| command.words.iter().any(|word| holds_digest(word.text()));
    let mut at = Some(index);
    for _ in 0..8 {
        let Some(command) = at.and_then(|at| run.commands.get(at)) else { return false };
        if holds(command) {
            return true;
        }
        at = match (&command.inside, command.feeds) {
            (_, Some(next)) => Some(next),
            (Inside::Substitution { outer: Some(outer), .. } | Inside::Of(outer), _) => Some(*outer),
            _ => None,
        };
    }
    false
}
