//! One line about what `repro lint` finds, for commands that go on all the same.

use super::lint::{LintOptions, lint_quietly};
use super::machine::Machine;
use super::open::Project;
use crate::finding::Severity;

/// How many findings the lockfile does not settle, and the command that shows them; none without any, and where there is
/// no lockfile.
pub fn lint_line(machine: &Machine, project: &Project, images: &[String]) -> Option<String> {
    project.lock_path.as_ref().filter(|path| path.is_file())?;
    let options = LintOptions { images: images.to_vec(), knows_context: true, ..LintOptions::default() };
    let files = lint_quietly(machine, project, &options).ok()?.0;
    let count = |least| files.iter().map(|file| file.count(least)).sum::<usize>();
    let (errors, all) = (count(Severity::Error), count(Severity::Warning));
    let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let found = match (errors, all - errors) {
        (0, 0) => return None,
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    let names: String = images.iter().map(|name| format!(" {name}")).collect();
    Some(format!("{found} that the lockfile does not settle: `repro lint{names}` shows what may not reproduce"))
}

/// Does something, and looks at the Dockerfiles meanwhile; the line about them comes at the end.
pub fn beside_lint<T>(machine: &Machine, project: &Project, images: &[String], work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let line = scope.spawn(|| lint_line(machine, project, images));
        let done = work();
        if let Ok(Some(line)) = line.join() {
            machine.progress.note(&line);
        }
        done
    })
}
