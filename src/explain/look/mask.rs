//! Equality of bytes apart from named places.

use std::ops::Range;

/// Whether both are equally long, and equal outside these places, which are the same in both.
pub(crate) fn equal_outside(first: &[u8], second: &[u8], masked: &[Range<usize>]) -> bool {
    if first.len() != second.len() {
        return false;
    }
    let mut masked: Vec<&Range<usize>> = masked.iter().collect();
    masked.sort_by_key(|range| range.start);
    let mut at = 0;
    for range in masked {
        let start = range.start.min(first.len());
        if at < start && first[at..start] != second[at..start] {
            return false;
        }
        at = at.max(range.end.min(first.len()));
    }
    first[at..] == second[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_a_masked_place_may_differ() {
        for (first, second, masked, is_equal) in [
            ("abcdef", "abXdef", &[(2, 3)][..], true),
            ("abcdef", "abXdef", &[(3, 4)], false),
            ("abcdef", "XbcdeY", &[(5, 6), (0, 1)], true),
            ("abcdef", "XbcdYY", &[(5, 6), (0, 1)], false),
            ("abcdef", "aXXXXf", &[(1, 4), (2, 5)], true),
            ("abc", "abcd", &[(0, 9)], false),
            ("abc", "xyz", &[(0, 99)], true),
            ("abc", "abc", &[(7, 9)], true),
        ] {
            let masked: Vec<Range<usize>> = masked.iter().map(|(start, end)| *start..*end).collect();
            assert_eq!(equal_outside(first.as_bytes(), second.as_bytes(), &masked), is_equal, "{first} {second}");
        }
    }
}
