//! The parts of an expression, followed along a path.

use super::expression::{Atom, Part, Repeat};

impl Atom {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Class { negated, ranges } => ranges.iter().any(|&(low, high)| low <= c && c <= high) != *negated,
            Self::Dot | Self::Folders => c != '\n',
            Self::Start | Self::End | Self::WordBoundary(_) => false,
        }
    }

    /// Whether this is an assertion that holds between two characters; none for what takes a character.
    fn holds(&self, before: Option<char>, after: Option<char>) -> Option<bool> {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        match self {
            Self::Start => Some(before.is_none()),
            Self::End => Some(after.is_none()),
            Self::WordBoundary(wanted) => Some((word(before) != word(after)) == *wanted),
            _ => None,
        }
    }
}

/// Follows all ways through the parts at once; state `2i` is before part `i`, `2i + 1` inside folders of part `i`.
pub fn matches(parts: &[Part], path: &[char]) -> bool {
    if !ends_may_match(parts, path) {
        return false;
    }
    let mut now = vec![false; 2 * parts.len() + 1];
    let mut next = now.clone();
    now[0] = true;
    for at in 0..=path.len() {
        let before = at.checked_sub(1).map(|at| path[at]);
        let after = path.get(at).copied();
        for (index, part) in parts.iter().enumerate() {
            let free = match part.atom.holds(before, after) {
                Some(holds) => holds || part.repeat != Repeat::Once,
                None => part.repeat != Repeat::Once,
            };
            if now[2 * index] && free {
                now[2 * index + 2] = true;
            }
        }
        let Some(c) = after else { break };
        next.fill(false);
        let mut alive = false;
        for (index, part) in parts.iter().enumerate() {
            let (outside, inside) = (now[2 * index], now[2 * index + 1]);
            if !(outside || inside) || !part.atom.takes(c) {
                continue;
            }
            alive = true;
            match (&part.atom, part.repeat) {
                (Atom::Folders, _) => {
                    next[2 * index + 1] = true;
                    if c == '/' {
                        next[2 * index + 2] = true;
                    }
                }
                (_, Repeat::Any) => next[2 * index] = true,
                _ => next[2 * index + 2] = true,
            }
        }
        if !alive {
            return false;
        }
        std::mem::swap(&mut now, &mut next);
    }
    now[2 * parts.len()]
}

/// A cheap look at the literal characters at both ends; it turns away most paths.
fn ends_may_match(parts: &[Part], path: &[char]) -> bool {
    fn agrees<'a>(parts: impl Iterator<Item = &'a Part>, mut path: impl Iterator<Item = char>) -> bool {
        for part in parts {
            match part {
                Part { atom: Atom::One(one), repeat: Repeat::Once } if path.next() == Some(*one) => {}
                Part { atom: Atom::One(_), repeat: Repeat::Once } => return false,
                _ => break,
            }
        }
        true
    }
    agrees(parts.iter(), path.iter().copied()) && agrees(parts.iter().rev(), path.iter().rev().copied())
}
