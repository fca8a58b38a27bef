//! Whether what a command prints ends in a file.

use crate::lint::file::Run;
use crate::lint::shell::{Inside, is_kept};

/// The output goes into a file: by a redirection, through filters and `tee`, or as words of `echo` and `sed -i`.
///
/// Unlike [`is_kept`], a word of another command is no file: `make -j$(nproc)`.
pub(super) fn is_written(run: &Run, index: usize) -> bool {
    let mut at = index;
    for _ in 0..16 {
        let Some(command) = run.commands.get(at) else { return false };
        if command.redirects.iter().any(|redirect| redirect.takes_stdout()) || command.feeds.is_some() {
            return is_kept(&run.commands, at) && ends(run, at);
        }
        match &command.inside {
            Inside::Substitution { outer: Some(outer), .. } => {
                let outer_command = &run.commands[*outer];
                if outer_command.name == "sed" {
                    return outer_command.short('i', "ef") || outer_command.long("--in-place");
                }
                if !outer_command.is(&["echo", "printf"]) {
                    return false;
                }
                at = *outer;
            }
            Inside::Of(outer) => at = *outer,
            _ => return false,
        }
    }
    false
}

/// The last command of a pipeline writes to a file, or stands where its words do.
fn ends(run: &Run, index: usize) -> bool {
    let mut at = index;
    for _ in 0..16 {
        let Some(command) = run.commands.get(at) else { return false };
        if command.redirects.iter().any(|redirect| redirect.takes_stdout()) || at != index && command.name == "tee" {
            return true;
        }
        match command.feeds {
            Some(next) => at = next,
            None => return !matches!(command.inside, Inside::Script) && is_written(run, at),
        }
    }
    false
}
