//! Texts in a program that differ: dates, and paths of where it was built.

use std::ops::Range;

use super::super::pair::Pair;
use super::super::text::{Also, pieces};
use super::elf::Section;

/// Places that may differ before a file is too different to be explained.
const MOST: usize = 100_000;
/// Bytes of one text.
const LONGEST: usize = 4096;
/// Equal bytes between differences of one text.
const GAP: usize = 8;
/// Ends of paths that a compiler writes down.
const SOURCES: &[&str] = &[
    ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".rs", ".go", ".s", ".S", ".py", ".pyx", ".f90", ".hs", ".ml", ".zig",
    ".d",
];
/// Sections of the texts that debug information leads to.
const TEXTS: &[&[u8]] = &[b".debug_str", b".debug_line_str"];
/// Parts of paths that Rust's compiler and cargo write down.
const RUST: &[&[u8]] = &[b"/rustc/", b"registry/src/", b"/.cargo/"];

/// Where equally long contents differ; none if there are too many such places.
pub(super) fn runs(first: &[u8], second: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in first.iter().zip(second).enumerate().filter(|(_, (one, other))| one != other) {
        let is_full = runs.len() == MOST;
        match runs.last_mut() {
            Some(run) if run.end + GAP > at => run.end = at + 1,
            _ if is_full => return None,
            _ => runs.push(at..at + 1),
        }
    }
    Some(runs)
}

/// A directory of the first, and the one that the second has in its place.
type Moved<'a> = (&'a [u8], &'a [u8]);

/// What was found in texts so far: one directory may stand for one other, everywhere.
#[derive(Default)]
pub(super) struct Texts<'a> {
    /// The directory of a source.
    moved: Option<Moved<'a>>,
    /// A path that may be such a directory itself.
    whole: Option<Moved<'a>>,
}

impl<'a> Texts<'a> {
    /// C106 for a date, C103 for a directory, C104 for one of Rust's.
    pub(super) fn explain(
        &mut self,
        pair: &Pair<'a>,
        run: &Range<usize>,
        section: &Section<'_>,
    ) -> Option<&'static str> {
        let place = text(pair, run, &section.place)?;
        let (one, other) = (&pair.first[place.clone()], &pair.second[place]);
        let also = Also { times: true, numbers: false };
        if pieces(one, also) == pieces(other, also) {
            return Some("C106");
        }
        let is_debug = section.is_debug();
        let is_source = is_debug || SOURCES.iter().any(|end| one.ends_with(end.as_bytes()));
        let (place, moved) = match directory(one, other) {
            Some(moved) if is_source => (&mut self.moved, moved),
            None if is_debug => (&mut self.whole, whole(one, other)?),
            _ => return None,
        };
        if *place.get_or_insert(moved) != moved {
            return None;
        }
        Some(if RUST.iter().any(|part| one.windows(part.len()).any(|found| found == *part)) { "C104" } else { "C103" })
    }
}

impl Texts<'_> {
    /// Whether a path that stands alone is the directory of a source, and not another file.
    pub(super) fn agree(&self) -> bool {
        self.whole.is_none() || self.whole == self.moved
    }
}

/// Whether the texts of debug information are the same, in whatever order, once one directory stands for another; none
/// if they are not.
pub(super) fn is_one_directory(files: [(&[u8], &[Section<'_>]); 2]) -> Option<bool> {
    let [mut gone, mut come] = files.map(|(content, sections)| {
        let places = sections.iter().filter(|section| TEXTS.contains(&section.name)).map(|section| &section.place);
        let texts = places.filter_map(|place| content.get(place.clone()));
        let mut texts: Vec<&[u8]> = texts.flat_map(|texts| texts.split(|&byte| byte == 0)).collect();
        texts.sort_unstable();
        texts
    });
    let before = gone.clone();
    gone.retain(|text| come.binary_search(text).is_err());
    come.retain(|text| before.binary_search(text).is_err());
    let shortest = |texts: &[&'_ [u8]]| texts.iter().min_by_key(|text| text.len()).map(|text| text.to_vec());
    let (one, other) = (shortest(&gone)?, shortest(&come)?);
    whole(&one, &other)?;
    let mut moved: Vec<Vec<u8>> =
        gone.iter().map(|text| text.strip_prefix(&*one).map(|rest| [&*other, rest].concat())).collect::<Option<_>>()?;
    moved.sort_unstable();
    (moved == come).then_some(true)
}

/// The printable text around a run, the same place in both.
fn text(pair: &Pair<'_>, run: &Range<usize>, section: &Range<usize>) -> Option<Range<usize>> {
    let is_text = |at: &usize| pair.both().iter().all(|content| matches!(content[*at], b' '..=b'~' | b'\t' | b'\n'));
    if run.len() > LONGEST || !run.clone().all(|at| is_text(&at)) {
        return None;
    }
    let before = (section.start..run.start).rev().take(LONGEST).take_while(is_text).count();
    let behind = (run.end..section.end).take(LONGEST).take_while(is_text).count();
    Some(run.start - before..run.end + behind)
}

/// The one component in which two absolute paths differ, with all before it; the rest is the same, and holds the file's
/// name.
fn directory<'a>(first: &'a [u8], second: &'a [u8]) -> Option<Moved<'a>> {
    let start = first.iter().position(|&byte| byte == b'/')?;
    if first[..start] != second[..start] || second.get(start) != Some(&b'/') {
        return None;
    }
    let same = first.iter().rev().zip(second.iter().rev()).take_while(|(one, other)| one == other).count();
    let tail = &first[first.len() - same..];
    let end = first.len() - same + tail.iter().position(|&byte| byte == b'/')?;
    let (one, other) = (first.get(start..end)?, second.get(start..end)?);
    (is_path(one) && is_path(other)).then_some((one, other))
}

/// Two absolute paths.
fn whole<'a>(first: &'a [u8], second: &'a [u8]) -> Option<Moved<'a>> {
    let is_absolute = |path: &[u8]| path.starts_with(b"/") && is_path(path);
    (is_absolute(first) && is_absolute(second)).then_some((first, second))
}

fn is_path(path: &[u8]) -> bool {
    path.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"/._-+@~".contains(&byte))
}
