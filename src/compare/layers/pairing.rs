//! Which layer of one image stands for which of another.
//!
//! Layers with the same diff ID are anchors; what lies between two anchors on both sides is a [`Run`]. Within a run
//! layers are paired by the instruction that made them and by the paths that they share, in order.

use std::ops::Range;

/// Layers between two anchors, by their places; never empty on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Those of the first image.
    pub first: Range<usize>,
    /// Those of the second.
    pub second: Range<usize>,
}

/// The pairs of equal layers, by their places, and the runs between them.
pub fn runs<T: PartialEq>(first: &[T], second: &[T]) -> (Vec<(usize, usize)>, Vec<Run>) {
    let anchors = align(first.len(), second.len(), |one, other| u32::from(first[one] == second[other]));
    let mut runs = Vec::new();
    let (mut one, mut other) = (0, 0);
    for (next_one, next_other) in anchors.iter().copied().chain([(first.len(), second.len())]) {
        if next_one > one || next_other > other {
            runs.push(Run { first: one..next_one, second: other..next_other });
        }
        (one, other) = (next_one + 1, next_other + 1);
    }
    (anchors, runs)
}

/// Pairs the layers of a run, in order: `likeness` says how alike two are, 0 for not at all. As many on both sides are
/// paired by their places where nothing speaks for another pair.
pub fn pairs(run: &Run, likeness: impl Fn(usize, usize) -> u32) -> Vec<(Option<usize>, Option<usize>)> {
    let is_even = run.first.len() == run.second.len();
    let weight = |one: usize, other: usize| {
        let here = u32::from(is_even && one == other);
        4 * likeness(run.first.start + one, run.second.start + other) + here
    };
    let mut found = Vec::new();
    let (mut one, mut other) = (run.first.start, run.second.start);
    let aligned = align(run.first.len(), run.second.len(), weight);
    let end = (run.first.len(), run.second.len());
    for (next_one, next_other) in aligned.into_iter().chain([end]) {
        let (next_one, next_other) = (run.first.start + next_one, run.second.start + next_other);
        found.extend((one..next_one).map(|one| (Some(one), None)));
        found.extend((other..next_other).map(|other| (None, Some(other))));
        if next_one < run.first.end && next_other < run.second.end {
            found.push((Some(next_one), Some(next_other)));
        }
        (one, other) = (next_one + 1, next_other + 1);
    }
    found
}

/// The pairs in order whose weights have the largest sum; a weight of 0 is no pair.
fn align(first: usize, second: usize, weight: impl Fn(usize, usize) -> u32) -> Vec<(usize, usize)> {
    // `best[one][other]`: the largest sum that the layers from there on can have.
    let mut best = vec![vec![0_u32; second + 1]; first + 1];
    let mut weights = vec![vec![0_u32; second]; first];
    for one in (0..first).rev() {
        for other in (0..second).rev() {
            let own = weight(one, other);
            weights[one][other] = own;
            let with = if own > 0 { own + best[one + 1][other + 1] } else { 0 };
            best[one][other] = with.max(best[one + 1][other]).max(best[one][other + 1]);
        }
    }
    let mut found = Vec::new();
    let (mut one, mut other) = (0, 0);
    while one < first && other < second {
        let own = weights[one][other];
        if own > 0 && best[one][other] == own + best[one + 1][other + 1] {
            found.push((one, other));
            (one, other) = (one + 1, other + 1);
        } else if best[one][other] == best[one + 1][other] {
            one += 1;
        } else {
            other += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(first: &str, second: &str) -> Vec<(Range<usize>, Range<usize>)> {
        let ids = |text: &str| text.chars().collect::<Vec<_>>();
        let (_, runs) = runs(&ids(first), &ids(second));
        runs.into_iter().map(|run| (run.first, run.second)).collect()
    }

    #[test]
    fn runs_lie_between_equal_layers() {
        assert_eq!(told("abc", "abc"), []);
        assert_eq!(told("abc", "axc"), [(1..2, 1..2)]);
        assert_eq!(told("ac", "abc"), [(1..1, 1..2)]);
        assert_eq!(told("abc", "bc"), [(0..1, 0..0)]);
        assert_eq!(told("abcd", "axyd"), [(1..3, 1..3)]);
        assert_eq!(told("abcde", "xbyde"), [(0..1, 0..1), (2..3, 2..3)]);
    }

    #[test]
    fn layers_of_a_run_are_paired_by_likeness_and_else_by_place() {
        let run = |first: usize, second: usize| Run { first: 1..1 + first, second: 1..1 + second };
        let alike = |pairs: &'static [(usize, usize)]| move |one, other| u32::from(pairs.contains(&(one, other)));
        assert_eq!(pairs(&run(2, 2), alike(&[])), [(Some(1), Some(1)), (Some(2), Some(2))]);
        assert_eq!(pairs(&run(1, 2), alike(&[(1, 2)])), [(None, Some(1)), (Some(1), Some(2))]);
        assert_eq!(pairs(&run(2, 1), alike(&[])), [(Some(1), None), (Some(2), None), (None, Some(1))]);
        assert_eq!(pairs(&run(2, 2), alike(&[(1, 2)])), [(None, Some(1)), (Some(1), Some(2)), (Some(2), None)]);
    }
}
