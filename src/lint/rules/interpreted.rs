//! Whether what a command downloads is run at once.

use crate::lint::file::Run;
use crate::lint::shell::Inside;

/// Programs that run what they read.
const INTERPRETERS: [&str; 12] =
    ["sh", "bash", "zsh", "ash", "dash", "ksh", "perl", "ruby", "node", "php", "source", "."];

fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name) || name.starts_with("python") || name.starts_with("pypy")
}

/// Whether what the command downloads is run at once: by a pipe, a substitution or a process.
pub(super) fn is_run(run: &Run, index: usize) -> bool {
    let mut at = index;
    for _ in 0..8 {
        let Some(command) = run.commands.get(at) else { return false };
        if let Some(next) = command.feeds.and_then(|next| run.commands.get(next).map(|reader| (next, reader))) {
            let (next, reader) = next;
            let runs = is_interpreter(&reader.name)
                && !reader
                    .words
                    .iter()
                    .any(|word| matches!(word.text(), "-c" | "-e" | "-m" | "-r" | "-n" | "-ne" | "-pe"));
            let has_script = reader.operands().next().is_some_and(|word| !matches!(word.text(), "-" | "/dev/stdin"))
                && !reader.short('s', "")
                && !reader.name.starts_with("python");
            let python_script = reader.name.starts_with("python")
                && reader.operands().next().is_some_and(|word| word.text().ends_with(".py"));
            if runs && !has_script && !python_script {
                return true;
            }
            at = next;
            continue;
        }
        return match &command.inside {
            Inside::Process(outer) => run.commands.get(*outer).is_some_and(|outer| is_interpreter(&outer.name)),
            Inside::Substitution { outer: Some(outer), .. } => run.commands.get(*outer).is_some_and(|outer| {
                outer.name == "eval"
                    || is_interpreter(&outer.name)
                        && outer.words.iter().any(|word| word.text().contains('c') && word.is_option())
            }),
            _ => false,
        };
    }
    false
}
