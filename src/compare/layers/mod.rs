//! The layers of two images, path by path.
//!
//! [`runs`] finds the layers that are not equal. Each becomes a [`Table`]; [`compare_run`] pairs those of a run and gives
//! the paths that differ. Where one side has divided the same files into other layers, both sides are [`Merged`] first,
//! so that a file that only moved is no difference. [`fetch`] then reads the contents of the files that differ,
//! but for those that [`Unlike`] has kept when the layers were read first.

mod entry;
mod fetch;
mod merged;
mod pairing;
mod table;
mod unlike;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

pub use entry::PathEntry;
pub use fetch::{Fetched, Stored, fetch};
pub use merged::split;
use merged::{Merged, Seen};
use pairing::pairs;
pub use pairing::{Run, runs};
pub use table::Table;
pub use unlike::Unlike;

use crate::layer::whiteout::{OPAQUE, PREFIX};

/// Layers of more pairs than this are not compared by the paths that they share.
const MOST_LIKENESSES: usize = 400;

/// How the layers of one run differ.
#[derive(Debug, Default)]
pub struct RunDifference {
    /// The same files, divided into other layers; then nothing else is told.
    pub is_divided: bool,
    /// The pairs that differ, by their first places.
    pub pairs: Vec<PairDifference>,
}

/// How two layers differ that stand for each other, or what one side has more.
#[derive(Debug, Default)]
pub struct PairDifference {
    /// Their places, counted from 0; a layer that only one side has stands alone.
    pub places: [Option<usize>; 2],
    /// What both have comes in another order.
    pub is_reordered: bool,
    /// All paths are equal, and yet the bytes differ: in headers or padding.
    pub is_reencoded: bool,
    /// The paths that differ.
    pub paths: Vec<PathDifference>,
}

/// How one path differs.
#[derive(Clone, Debug)]
pub struct PathDifference {
    /// The path.
    pub path: Vec<u8>,
    /// What each side says, with the place of the layer that says it.
    pub sides: [Option<(usize, PathEntry)>; 2],
}

/// A run with all that is known of its layers.
pub struct KnownRun<'a> {
    /// The run.
    pub run: Run,
    /// The layers of each side.
    pub tables: [Vec<Table>; 2],
    /// The instruction that made each layer of each image, by its place.
    pub instructions: [&'a [String]; 2],
    /// Only what is to be seen in the end counts, not which layer has it.
    pub is_merged: bool,
}

/// Compares the layers of a run. `lower` gives the layers below it, where what the run hides has to be known.
///
/// # Errors
/// Those of `lower`.
pub fn compare_run(known: &KnownRun<'_>, lower: impl FnOnce() -> io::Result<Vec<Table>>) -> io::Result<RunDifference> {
    let starts = [known.run.first.start, known.run.second.start];
    let mut difference = RunDifference::default();
    for pair in pairs(&known.run, |one, other| known.likeness(one, other)) {
        difference.pairs.push(known.pair(pair));
    }
    let is_single = known.tables.iter().all(|tables| tables.len() == 1);
    let is_equal = difference.pairs.iter().all(|pair| pair.paths.is_empty() && !pair.places.contains(&None));
    if (is_single && !known.is_merged) || is_equal {
        return Ok(difference);
    }
    let [one, other] = [0, 1]
        .map(|side| Merged::of(known.tables[side].iter().enumerate().map(|(at, table)| (starts[side] + at, table))));
    if known.is_merged {
        let tables = lower()?;
        let paths = seen_differences([&one, &other], &Merged::of(tables.iter().enumerate()));
        let is_divided = paths.is_empty();
        let whole = PairDifference { paths, ..PairDifference::default() };
        return Ok(RunDifference { is_divided, pairs: if is_divided { Vec::new() } else { vec![whole] } });
    }
    let mut left = one.differences(&other);
    let is_asked = |one: &Option<Seen<'_>>, other: &Option<Seen<'_>>| {
        matches!((one, other), (Some(Seen::Hidden), None) | (None, Some(Seen::Hidden)))
    };
    if left.iter().any(|(_, one, other)| is_asked(one, other)) {
        let tables = lower()?;
        let lower = Merged::of(tables.iter().enumerate());
        left.retain(|(path, one, other)| !is_asked(one, other) || !shows_the_same(path, [*one, *other], &lower));
    }
    if left.is_empty() {
        return Ok(RunDifference { is_divided: true, pairs: Vec::new() });
    }
    let merged: BTreeMap<Vec<u8>, PathDifference> =
        left.into_iter().map(|(path, one, other)| (path.clone(), PathDifference::of(path, [one, other]))).collect();
    let is_even = known.run.first.len() == known.run.second.len();
    difference.leave_out_what_moved(&merged, [&one, &other], is_even);
    Ok(difference)
}

impl KnownRun<'_> {
    fn likeness(&self, one: usize, other: usize) -> u32 {
        let instruction = |side: usize, at: usize| self.instructions[side].get(at).filter(|text| !text.is_empty());
        let (text, other_text) = (instruction(0, one), instruction(1, other));
        let by_text = if text.is_some() && text == other_text { 3 } else { 0 };
        let [ours, theirs] = &self.tables;
        if ours.len() * theirs.len() > MOST_LIKENESSES {
            return by_text;
        }
        let (one, other) = (&ours[one - self.run.first.start].entries, &theirs[other - self.run.second.start].entries);
        let shared = one.keys().filter(|path| other.contains_key(*path)).count();
        let all = one.len() + other.len() - shared;
        // No more than 3, so that this fits.
        by_text + u32::try_from((3 * shared).checked_div(all).unwrap_or(0)).unwrap_or(0)
    }

    fn pair(&self, (one, other): (Option<usize>, Option<usize>)) -> PairDifference {
        let none = Table::default();
        let first = one.map_or(&none, |at| &self.tables[0][at - self.run.first.start]);
        let second = other.map_or(&none, |at| &self.tables[1][at - self.run.second.start]);
        let side = |at: Option<usize>, entry: Option<&PathEntry>| Some((at?, entry?.clone()));
        let differences = first.differences(second);
        let paths = differences.iter().map(|found| PathDifference {
            path: found.path.to_vec(),
            sides: [side(one, found.first), side(other, found.second)],
        });
        let paths: Vec<PathDifference> = paths.collect();
        let is_pair = one.is_some() && other.is_some();
        let is_reordered = is_pair && !first.has_order_of(second);
        let is_reencoded = is_pair && paths.is_empty() && (!is_reordered || !first.has_form_of(second));
        PairDifference { places: [one, other], is_reordered, is_reencoded, paths }
    }
}

impl PathDifference {
    fn of(path: Vec<u8>, sides: [Option<Seen<'_>>; 2]) -> Self {
        let sides = sides.map(|seen| match seen {
            Some(Seen::Entry(place, entry)) => Some((place, entry.clone())),
            _ => None,
        });
        Self { path, sides }
    }
}

impl RunDifference {
    /// Leaves out what one layer has more where the other image shows the same, and joins what is in two layers and
    /// differs. Of as many layers on both sides each has its own; else what neither shows in the end does not count.
    fn leave_out_what_moved(
        &mut self,
        merged: &BTreeMap<Vec<u8>, PathDifference>,
        shown: [&Merged<'_>; 2],
        is_even: bool,
    ) {
        let mut joined = BTreeSet::new();
        for pair in &mut self.pairs {
            pair.paths.retain_mut(|found| {
                if found.sides.iter().all(Option::is_some) {
                    return true;
                }
                let hidden = hidden_by(&found.path);
                let path = hidden.unwrap_or_else(|| found.path.clone());
                match merged.get(&path) {
                    None => {
                        let is_shown = shown.iter().any(|merged| merged.has(&path));
                        !is_shown && is_even
                    }
                    Some(other) if other.sides.iter().all(Option::is_some) => {
                        found.clone_from(other);
                        joined.insert(path)
                    }
                    Some(_) => true,
                }
            });
        }
    }
}

/// The paths at which different things are to be seen in the end, over the layers that both sides have below.
fn seen_differences(sides: [&Merged<'_>; 2], lower: &Merged<'_>) -> Vec<PathDifference> {
    let all: BTreeSet<&Vec<u8>> = sides.iter().flat_map(|side| side.paths.keys()).chain(lower.paths.keys()).collect();
    let mut found = Vec::new();
    for path in all.into_iter().filter(|path| split(path).1 != OPAQUE) {
        let [one, other] = sides.map(|side| side.over(lower, path));
        let is_equal = match (one, other) {
            (Some((_, one)), Some((_, other))) => table::is_equal(one, other),
            (None, None) => true,
            _ => false,
        };
        if !is_equal {
            let own = |side: Option<(usize, &PathEntry)>| side.map(|(place, entry)| (place, entry.clone()));
            found.push(PathDifference { path: path.clone(), sides: [own(one), own(other)] });
        }
    }
    found
}

/// What a whiteout's path hides.
fn hidden_by(path: &[u8]) -> Option<Vec<u8>> {
    let (directory, name) = split(path);
    if name == OPAQUE {
        return Some(path.to_vec());
    }
    let hidden = name.strip_prefix(PREFIX)?;
    Some(if directory.is_empty() { hidden.to_vec() } else { [directory, b"/", hidden].concat() })
}

/// Whether both sides show the same at a path, once what lower layers have there is known.
fn shows_the_same(path: &[u8], sides: [Option<Seen<'_>>; 2], lower: &Merged<'_>) -> bool {
    let below = match lower.paths.get(path) {
        Some(Seen::Entry(_, entry)) => Some(*entry),
        _ => None,
    };
    let has_below = lower.has(path);
    let is_marker = split(path).1 == OPAQUE;
    let seen = sides.map(|seen| match seen {
        Some(Seen::Entry(_, entry)) => Some(entry),
        Some(Seen::Hidden) => None,
        None => below,
    });
    match seen {
        _ if is_marker => !has_below,
        [Some(one), Some(other)] => table::is_equal(one, other),
        [None, None] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::table::{file, table};
    use super::*;

    fn run(first: Vec<Table>, second: Vec<Table>, lower: Table) -> RunDifference {
        let texts = vec![String::new(); 9];
        let known = KnownRun {
            run: Run { first: 0..first.len(), second: 0..second.len() },
            tables: [first, second],
            instructions: [&texts, &texts],
            is_merged: false,
        };
        compare_run(&known, || Ok(vec![lower])).unwrap()
    }

    fn told(difference: &RunDifference) -> Vec<String> {
        let paths = difference.pairs.iter().flat_map(|pair| &pair.paths);
        let side =
            |side: &Option<(usize, PathEntry)>| side.as_ref().map_or_else(|| "-".to_owned(), |(at, _)| at.to_string());
        paths
            .map(|found| {
                format!("{} {} {}", String::from_utf8_lossy(&found.path), side(&found.sides[0]), side(&found.sides[1]))
            })
            .collect()
    }

    #[test]
    fn the_same_files_in_other_layers_are_no_difference() {
        let two = || vec![table(&[("a", file("1"))]), table(&[("b", file("2"))])];
        let squashed = run(two(), vec![table(&[("a", file("1")), ("b", file("2"))])], Table::default());
        assert!(squashed.is_divided && squashed.pairs.is_empty());
        let moved = run(two(), vec![table(&[("b", file("2"))]), table(&[("a", file("1"))])], Table::default());
        assert!(moved.is_divided);
        let other = run(two(), vec![table(&[("a", file("1")), ("b", file("3"))])], Table::default());
        assert_eq!(told(&other), ["b 1 0"]);
    }

    #[test]
    fn what_is_hidden_counts_where_lower_layers_have_it() {
        let first = || vec![table(&[("a", file("1")), ("x", file(""))]), table(&[(".wh.x", file(""))])];
        let second = || vec![table(&[("a", file("1"))])];
        assert!(run(first(), second(), Table::default()).is_divided);
        let below = run(first(), second(), table(&[("x", file("old"))]));
        assert!(!below.is_divided && told(&below).contains(&".wh.x 1 -".to_owned()), "{:?}", told(&below));
    }

    #[test]
    fn what_is_seen_in_the_end_counts_what_lower_layers_have() {
        let seen = |first: Table, second: Table| {
            let texts = vec![String::new(); 9];
            let known = KnownRun {
                run: Run { first: 1..2, second: 1..2 },
                tables: [vec![first], vec![second]],
                instructions: [&texts, &texts],
                is_merged: true,
            };
            let lower = || Ok(vec![table(&[("d", directory()), ("d/a", file("1")), ("x", file("old"))])]);
            let difference = compare_run(&known, lower).unwrap();
            assert_eq!(difference.is_divided, told(&difference).is_empty());
            told(&difference)
        };
        let none = || table(&[("new", file("1"))]);
        let with = |path: &str, entry: PathEntry| table(&[("new", file("1")), (path, entry)]);
        assert_eq!(seen(with(".wh.x", file("")), none()), ["x - 0"]);
        assert_eq!(seen(with("x", file("new")), none()), ["x 1 0"]);
        assert_eq!(seen(with("x", file("old")), none()), [""; 0]);
        assert_eq!(seen(with(".wh.absent", file("")), none()), [""; 0]);
        assert_eq!(seen(with(".wh.d", file("")), none()), ["d - 0", "d/a - 0"]);
        assert_eq!(seen(with("d/.wh..wh..opq", file("")), none()), ["d/a - 0"]);
        assert_eq!(seen(with("d", file("")), none()), ["d 1 0", "d/a - 0"]);
    }

    fn directory() -> PathEntry {
        PathEntry { kind: crate::layer::tar::Kind::Directory, content: None, ..file("") }
    }

    #[test]
    fn a_layer_that_one_side_has_more_is_told_with_its_paths() {
        let difference = run(Vec::new(), vec![table(&[("a", file("1"))])], Table::default());
        assert_eq!(told(&difference), ["a - 0"]);
    }

    #[test]
    fn what_one_of_as_many_layers_holds_and_a_later_one_deletes_is_told() {
        let first = vec![
            table(&[("a", file("1")), ("key", file("secret"))]),
            table(&[("b", file("1")), (".wh.key", file(""))]),
        ];
        let second = vec![table(&[("a", file("1"))]), table(&[("b", file("2"))])];
        let told = told(&run(first, second, Table::default()));
        assert!(told.contains(&"key 0 -".to_owned()) && told.contains(&"b 1 1".to_owned()), "{told:?}");
    }
}
