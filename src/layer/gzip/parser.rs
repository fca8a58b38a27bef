//! The lazy parser: a match waits one step for a longer one.

use super::chain::Chains;
use super::matching::{Match, Search};
use super::token::Token;
use super::{LOOK_AHEAD, MAX_DISTANCE, MAX_LENGTH, WINDOW_STEP};

/// A held match of this length is taken without looking further.
const LAZY_LIMIT: u32 = 16;
/// How far links are built ahead of the parser: what is linked is still in the nearest cache when it is walked.
const LINKED_AHEAD: usize = 4096;
/// So many tokens are made at a time.
const BATCH: usize = 256;
/// The window moves on before the first step this far from its start.
const MOVE_AT: u64 = 65_275;
/// Half of this is dropped when the window moves.
const WINDOW: u64 = 2 * WINDOW_STEP;

/// Known input: a stretch of the stream.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) bytes: &'a [u8],
    /// Where in the stream the stretch starts.
    pub(super) origin: u64,
    /// Whether the stream ends with the stretch.
    pub(super) is_last: bool,
}

/// What the parser knows between two steps. Two parsers with equal states go on equally.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct State {
    /// The position of the next step in the stream.
    pub(super) at: u64,
    /// A match that starts one byte before, for which no token stands yet.
    held: Match,
}

impl State {
    /// Nothing held.
    pub(super) fn fresh(at: u64) -> Self {
        Self { at, held: Match::NONE }
    }

    /// Whether nothing is held.
    pub(super) fn is_fresh(&self) -> bool {
        !self.held.is_some()
    }

    /// Up to where in the stream there are tokens.
    pub(super) fn covered(&self) -> u64 {
        self.at - u64::from(self.held.is_some())
    }
}

/// Makes tokens until the position is `until` or later, or there are `limit` tokens.
///
/// Unless the stretch is the last one it must reach [`LOOK_AHEAD`] bytes beyond every position below `until`.
pub(super) fn run(
    state: &mut State,
    stretch: Stretch<'_>,
    chains: &mut Chains,
    until: u64,
    tokens: &mut Vec<Token>,
    limit: usize,
) {
    let Stretch { bytes, origin, is_last } = stretch;
    let local = |at: u64| (at - origin) as usize;
    let end = local(until).min(bytes.len());
    debug_assert!(is_last || end + LOOK_AHEAD <= bytes.len() + 1);
    let linkable = bytes.len().saturating_sub(3);
    let mut at = local(state.at);
    let mut held = state.held;
    let mut window = Window::at(state.at, &stretch);

    while at < end && tokens.len() < limit {
        if at + MAX_LENGTH > chains.next() && chains.next() < linkable {
            chains.extend(bytes, linkable.min(at + LINKED_AHEAD));
        }
        window.step(at);
        let linked = if chains.next() < linkable { chains.next() - MAX_LENGTH + 1 } else { end };
        let mut steps = Steps { chains, base: window.base, bytes, at, held };
        let mut batch = [Token::literal(0); BATCH];
        let most = BATCH.min(limit - tokens.len());
        let made = steps.run(end.min(window.next_move).min(linked), &mut batch[..most]);
        tokens.extend_from_slice(&batch[..made]);
        (at, held) = (steps.at, steps.held);
    }
    *state = State { at: origin + at as u64, held };
}

/// Steps between which neither the window moves nor links are built.
struct Steps<'a> {
    chains: &'a Chains,
    /// Nothing before can be matched.
    base: usize,
    bytes: &'a [u8],
    at: usize,
    held: Match,
}

impl Steps<'_> {
    /// Steps until the position is `until` or later, or `tokens` is full; returns how many were made.
    #[inline]
    fn run(&mut self, until: usize, tokens: &mut [Token]) -> usize {
        let Self { chains, base, bytes, mut at, mut held } = *self;
        let mut made = 0;
        while at < until && made < tokens.len() {
            let place = at as u16;
            let rest = bytes.len() - at;
            let reach = (at - base).min(MAX_DISTANCE) as u32;
            let search = Search { chains, at: place, reach, longest: rest.min(MAX_LENGTH) as u32 };
            if !held.is_some() {
                // A byte at which no match starts is a literal, whatever follows.
                let link = chains.link(place);
                if link <= reach && rest > 3 {
                    held = search.best(link);
                }
                if !held.is_some() {
                    tokens[made] = Token::literal(bytes[at]);
                    made += 1;
                }
                at += 1;
                continue;
            }
            let waits = held.length < LAZY_LIMIT && held.length < search.longest;
            let better = if waits { search.better(held.length) } else { Match::NONE };
            if better.is_some() {
                tokens[made] = Token::literal(bytes[at - 1]);
                at += 1;
            } else {
                tokens[made] = Token::repetition(held.length, held.distance);
                at += held.length as usize - 1;
            }
            made += 1;
            held = better;
        }
        (self.at, self.held) = (at, held);
        made
    }
}

/// The window base of the imitated encoder, relative to a stretch: nothing before it can be matched.
struct Window {
    base: usize,
    /// Before the step at this position or the first one beyond it the window moves on.
    next_move: usize,
    last_move: usize,
}

impl Window {
    fn at(at: u64, stretch: &Stretch<'_>) -> Self {
        let relative = |position: u64| position.saturating_sub(stretch.origin) as usize;
        let due = at.saturating_sub(MOVE_AT - 1).div_ceil(WINDOW_STEP);
        if !stretch.is_last {
            // Where there is look-ahead the input goes beyond the window.
            let base = WINDOW_STEP * due;
            return Self { base: relative(base), next_move: relative(base + MOVE_AT), last_move: usize::MAX };
        }
        let end = stretch.origin + stretch.bytes.len() as u64;
        let most = end.saturating_sub(WINDOW).div_ceil(WINDOW_STEP);
        let base = WINDOW_STEP * due.min(most);
        let next_move = if due < most { relative(base + MOVE_AT) } else { usize::MAX };
        Self { base: relative(base), next_move, last_move: relative((most * WINDOW_STEP + MOVE_AT) - WINDOW_STEP) }
    }

    #[inline]
    fn step(&mut self, at: usize) {
        if at >= self.next_move {
            self.base = (self.next_move + WINDOW_STEP as usize).saturating_sub(MOVE_AT as usize);
            self.next_move =
                if self.next_move >= self.last_move { usize::MAX } else { self.next_move + WINDOW_STEP as usize };
        }
    }
}
