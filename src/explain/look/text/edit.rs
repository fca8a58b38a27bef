//! Which lines differ: a short list of edits, found within a fixed amount of work.

use std::ops::Range;

/// Edits that are looked for before the rest is taken as one.
const MOST: usize = 256;
/// Lines that may be compared for them: each edit more may lead through all of them again.
const WORK: usize = 10_000_000;

/// Ranges of lines that differ, in order, in the first and in the second.
type Edits = Vec<(Range<usize>, Range<usize>)>;

/// What differs between two lists of lines; as one edit where it is too much (after Myers, "An O(ND) difference
/// algorithm", 1986).
pub(super) fn edits(first: &[&[u8]], second: &[&[u8]]) -> Edits {
    let start = first.iter().zip(second).take_while(|(one, other)| one == other).count();
    let (one, other) = (&first[start..], &second[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    let whole = || vec![(0..one.len(), 0..other.len())];
    let edits = if one.is_empty() || other.is_empty() { whole() } else { shortest(one, other).unwrap_or_else(whole) };
    let shift = |range: Range<usize>| range.start + start..range.end + start;
    let is_edit = |(one, other): &(Range<usize>, Range<usize>)| !one.is_empty() || !other.is_empty();
    edits.into_iter().filter(is_edit).map(|(one, other)| (shift(one), shift(other))).collect()
}

/// The shortest list of edits; none if there are too many.
fn shortest(first: &[&[u8]], second: &[&[u8]]) -> Option<Edits> {
    // `reach[k]`: how far in `first` diagonal `k - MOST - 1` goes with the edits so far.
    let mut reach = vec![0_usize; 2 * MOST + 3];
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let most = MOST.min(WORK / (first.len() + second.len()));
    for round in 0..=most {
        rounds.push(reach.clone());
        for step in 0..=round {
            let at = MOST + 1 + 2 * step - round;
            let mut x = if step == 0 || step != round && reach[at - 1] < reach[at + 1] {
                reach[at + 1]
            } else {
                reach[at - 1] + 1
            };
            let Some(mut y) = (x + MOST + 1).checked_sub(at) else { continue };
            while x < first.len() && y < second.len() && first[x] == second[y] {
                x += 1;
                y += 1;
            }
            reach[at] = x;
            if x >= first.len() && y >= second.len() {
                return Some(back(&rounds, first.len(), second.len()));
            }
        }
    }
    None
}

/// The edits, found by going back through the rounds.
fn back(rounds: &[Vec<usize>], mut x: usize, mut y: usize) -> Edits {
    let mut edits = Edits::new();
    for (round, reach) in rounds.iter().enumerate().skip(1).rev() {
        let at = x + MOST + 1 - y;
        let is_inserted = at + round == MOST + 1 || at != MOST + 1 + round && reach[at - 1] < reach[at + 1];
        let from = if is_inserted { at + 1 } else { at - 1 };
        let (before_x, before_y) = (reach[from], reach[from] + MOST + 1 - from);
        let (one, other) = if is_inserted {
            (before_x..before_x, before_y..before_y + 1)
        } else {
            (before_x..before_x + 1, before_y..before_y)
        };
        match edits.last_mut() {
            Some((next_one, next_other)) if next_one.start == one.end && next_other.start == other.end => {
                next_one.start = one.start;
                next_other.start = other.start;
            }
            _ => edits.push((one, other)),
        }
        (x, y) = (before_x, before_y);
    }
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(first: &str, second: &str) -> Edits {
        let lines = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
        let (first, second) = (lines(first), lines(second));
        let slices = |lines: &'_ [Vec<u8>]| -> Vec<Vec<u8>> { lines.to_vec() };
        let (one, other) = (slices(&first), slices(&second));
        let one: Vec<&[u8]> = one.iter().map(Vec::as_slice).collect();
        let other: Vec<&[u8]> = other.iter().map(Vec::as_slice).collect();
        edits(&one, &other)
    }

    #[test]
    fn edits_are_short() {
        assert_eq!(of("abcdef", "abXdef"), [(2..3, 2..3)]);
        assert_eq!(of("abcdef", "abdef"), [(2..3, 2..2)]);
        assert_eq!(of("abc", "abcx"), [(3..3, 3..4)]);
        assert_eq!(of("abcdefg", "bcdXfg"), [(0..1, 0..0), (4..5, 3..4)]);
        assert_eq!(of("", "ab"), [(0..0, 0..2)]);
        assert!(of("ab", "ab").is_empty());
    }

    proptest! {
        #[test]
        fn edits_turn_the_first_into_the_second(first in "[abc]{0,60}", second in "[abc]{0,60}") {
            let (mut at, mut made) = (0, String::new());
            for (one, other) in of(&first, &second) {
                made += &first[at..one.start];
                made += &second[other];
                at = one.end;
            }
            made += &first[at..];
            prop_assert_eq!(made, second);
        }

        #[test]
        fn too_many_edits_are_one(count in 300_usize..400) {
            let (first, second) = ("ab".repeat(count), "cd".repeat(count));
            prop_assert_eq!(of(&first, &second), [(0..2 * count, 0..2 * count)]);
        }
    }
}
