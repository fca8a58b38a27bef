//! What git is asked for.

use crate::lint::shell::Command;

use super::text::is_commit;

/// Options of git before its subcommand that take the next word.
pub(super) const GIT_VALUES: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--exec-path", "--namespace"];

/// The subcommand of git; empty for other commands.
pub(super) fn git_subcommand(command: &Command) -> &str {
    if command.name == "git" { command.subcommand(GIT_VALUES) } else { "" }
}

/// A command puts a repository at a whole commit id, or at one whose name is not known.
pub(super) fn pins_commit(command: &Command) -> bool {
    let sub = git_subcommand(command);
    let does = match sub {
        "checkout" | "fetch" => true,
        "reset" => command.long("--hard"),
        "switch" => command.long("--detach") || command.short('d', ""),
        "clone" => return command.text_of(&["--revision"]).is_some_and(is_commit),
        _ => return false,
    };
    let operands = command.operands_without(GIT_VALUES);
    let words = operands.iter().skip(1).filter(|word| word.text() != "FETCH_HEAD");
    does && words.into_iter().any(|word| is_commit(word.text()) || sub != "fetch" && word.is_dynamic)
}
