//! The parts of an expression, followed along a path.

use super::expression::{Atom, Part, Repeat};
use crate::context::effort::{Effort, Stopped};

impl Atom {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Class { negated, ranges } => ranges.iter().any(|&(low, high)| low <= c && c <= high) != *negated,
            Self::Dot | Self::Directories => c != '\n',
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

impl Part {
    /// Whether the path may go on behind this part without a character for it.
    fn may_be_left_out(&self, before: Option<char>, after: Option<char>) -> bool {
        self.repeat != Repeat::Once || self.atom.holds(before, after) == Some(true)
    }
}

/// States of one word.
const WORD: usize = u64::BITS as usize;

/// Most patterns have no more states, and need no memory of their own.
const USUAL_WORDS: usize = 4;

/// Looks at a state that count as one step.
const LOOKS_PER_STEP: u64 = 16;

/// Follows all ways through the parts at once; state `2i` is before part `i`, `2i + 1` inside directories of part `i`.
pub fn matches(parts: &[Part], path: &[char], effort: &Effort<'_>) -> Result<bool, Stopped> {
    if !ends_may_match(parts, path) {
        return Ok(false);
    }
    let words = (2 * parts.len()) / WORD + 1;
    if words <= USUAL_WORDS {
        let (mut now, mut next) = ([0; USUAL_WORDS], [0; USUAL_WORDS]);
        follow(parts, path, &mut now[..words], &mut next[..words], effort)
    } else {
        follow(parts, path, &mut vec![0; words], &mut vec![0; words], effort)
    }
}

fn follow<'a>(
    parts: &[Part],
    path: &[char],
    mut now: &'a mut [u64],
    mut next: &'a mut [u64],
    effort: &Effort<'_>,
) -> Result<bool, Stopped> {
    let end = 2 * parts.len();
    let mut looks = 0;
    now[0] = 1;
    for at in 0..=path.len() {
        let before = at.checked_sub(1).map(|at| path[at]);
        let after = path.get(at).copied();
        next.fill(0);
        let mut alive = false;
        for word in 0..now.len() {
            let mut states = now[word];
            while states != 0 {
                let state = word * WORD + states.trailing_zeros() as usize;
                states &= states - 1;
                looks += 1;
                let Some(part) = parts.get(state / 2) else { continue };
                // What may be left out opens the state after it, which this loop comes to later.
                if state.is_multiple_of(2) && part.may_be_left_out(before, after) {
                    now[(state + 2) / WORD] |= 1 << ((state + 2) % WORD);
                    if (state + 2) / WORD == word {
                        states |= 1 << ((state + 2) % WORD);
                    }
                }
                let Some(c) = after.filter(|&c| part.atom.takes(c)) else { continue };
                alive = true;
                let mut enter = |state: usize| next[state / WORD] |= 1 << (state % WORD);
                let first = state - state % 2;
                match (&part.atom, part.repeat) {
                    (Atom::Directories, _) => {
                        enter(first + 1);
                        if c == '/' {
                            enter(first + 2);
                        }
                    }
                    (_, Repeat::Any) => enter(first),
                    _ => enter(first + 2),
                }
            }
        }
        effort.spend(looks / LOOKS_PER_STEP)?;
        looks %= LOOKS_PER_STEP;
        if after.is_none() {
            break;
        }
        if !alive {
            return Ok(false);
        }
        std::mem::swap(&mut now, &mut next);
    }
    Ok(now[end / WORD] >> (end % WORD) & 1 == 1)
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
