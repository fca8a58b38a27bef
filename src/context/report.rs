//! What a person is told about a context of tracked files, in few lines however many files there are.

use super::checkout::Remarks;
use super::open;
use super::tracked::Known;
use crate::escape;
use crate::progress::Reporter;

/// Names that one line shows.
const MOST_NAMES: usize = 8;

/// Tells about one context.
pub(super) struct Report<'a> {
    pub(super) name: &'a str,
    pub(super) progress: &'a Reporter,
}

impl Report<'_> {
    /// Untracked files that a plain `docker build` would send.
    pub(super) fn untracked(&self, paths: &[Vec<u8>], ignore_file: Option<&str>) {
        if let Some(file) = ignore_file {
            self.progress.warn(&format!(
                "{}: `{file}` is not tracked by git, so its rules don't apply; `git add` it",
                self.place()
            ));
        }
        if !paths.is_empty() {
            self.progress.warn(&format!(
                "{}: left out since git doesn't track {}: {}; `git add`, `include` or ignore {}",
                self.place(),
                if paths.len() == 1 { "it" } else { "them" },
                list(paths.iter()),
                if paths.len() == 1 { "it" } else { "them" },
            ));
        }
    }

    /// Names that mean something else in a layer than in a context.
    pub(super) fn whiteouts<'b>(&self, paths: impl Iterator<Item = &'b [u8]>) {
        let paths: Vec<_> = paths.filter(|path| open::split(path).1.starts_with(b".wh.")).map(<[u8]>::to_vec).collect();
        if !paths.is_empty() {
            self.progress.warn(&format!(
                "{}: in an image, a name that starts with `.wh.` is no file, but hides another: {}; rename or ignore {}",
                self.place(),
                list(paths.iter()),
                if paths.len() == 1 { "it" } else { "them" },
            ));
        }
    }

    /// An ignore file that is a link to nothing that counts, over which BuildKit passes in silence.
    pub(super) fn lost_rules(&self) {
        self.progress.warn(&format!(
            "{}: `.dockerignore` is a link to no file of the context, so there are no rules, as for BuildKit",
            self.place()
        ));
    }

    /// Tracked files that count otherwise than committed.
    pub(super) fn remarks(&self, remarks: &Remarks, known: &Known) {
        let note = |what: &str, paths: &mut dyn ExactSizeIterator<Item = &Vec<u8>>| {
            if paths.len() > 0 {
                self.progress.note(&format!("{}: {what}: {}", self.place(), list(paths)));
            }
        };
        note("modified, used as it is in the work tree", &mut remarks.modified.iter());
        note("deleted in the work tree, treated as deleted", &mut known.deleted.iter());
        note("executable bit differs from git's index, which is used", &mut remarks.modes.iter());
        note("submodule at another commit than tracked, used as checked out", &mut known.moved.iter());
    }

    fn place(&self) -> String {
        if self.name == "context" { "context".to_owned() } else { format!("context `{}`", escape::text(self.name)) }
    }
}

fn list<'a>(paths: impl ExactSizeIterator<Item = &'a Vec<u8>>) -> String {
    let more = paths.len().saturating_sub(MOST_NAMES);
    let names: Vec<_> = paths.take(MOST_NAMES).map(|path| escape::name(path)).collect();
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}
