//! Paths as a manifest names them: relative to it, inside the repository, in one spelling.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::grammar;
use super::inside::{ReadLink, stays_inside};
use super::problem::Problem;
use super::table::{Problems, Table, Text, shown};

/// Where paths of the manifest are looked up.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) root: &'a Path,
    pub(super) directory: &'a Path,
    pub(super) read_link: ReadLink<'a>,
    /// Where the manifest's lines end.
    pub(super) line_ends: &'a [usize],
}

impl Place<'_> {
    /// The manifest's line that a span begins on, from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> u32 {
        let before = self.line_ends.partition_point(|end| *end < span.start);
        // A manifest has fewer bytes.
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

/// `path`, cleaned, if it stays inside the repository; `text` is where it stands in the manifest.
pub(super) fn inside(text: &Text<'_>, path: &str, place: Place<'_>) -> Result<PathBuf, Problem> {
    grammar::path(path).map_err(|message| text.problem(message))?;
    if path.starts_with('/') {
        let problem = text.problem(format!("`{}` is absolute, expected a path relative to this file", shown(path)));
        return Err(problem);
    }
    stays_inside(place.root, place.directory, Path::new(path), place.read_link)
        .map_err(|outside| text.problem(format!("`{}` {outside}", shown(path))))?;
    Ok(clean(Path::new(path)))
}

/// The path without `.` parts and doubled slashes; `..` stays, since links give it a meaning.
fn clean(path: &Path) -> PathBuf {
    let clean: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

/// The context's `Dockerfile`, which may be a link as little as one that is named.
pub(super) fn default_dockerfile(
    table: &Table<'_>,
    context: &Path,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<PathBuf> {
    let path = clean(&context.join("Dockerfile"));
    let inside = stays_inside(place.root, place.directory, &path, place.read_link).map_err(|outside| {
        let (_, span) = table.place();
        Problem::new(span, format!("`{}` {outside}", shown(&path.to_string_lossy())))
    });
    problems.keep(inside.map(|()| path))
}
