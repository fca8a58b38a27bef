//! A chunk of the stream, tokenised ahead of its turn.
//!
//! The parser's next steps depend on its state and the last 32 KiB only. A chunk starts with a guess, nothing held,
//! some way before its first byte; by then the state is nearly always the true one. When the chunk's
//! turn comes the true state is known: if it is the guessed one the tokens are taken, else the chunk is parsed again
//! until both ways meet.

use super::MAX_DISTANCE;
use super::chain::Chains;
use super::encoder::HISTORY;
use super::parser::{self, State, Stretch};
use super::token::Token;

/// How far before a chunk its parser starts.
const WARM_UP: usize = 4096;
/// What a chunk's buffer holds before the chunk itself.
pub(super) const BEFORE: usize = HISTORY + WARM_UP;

/// Input to be tokenised.
pub(super) struct Chunk {
    /// The stream from [`BEFORE`] the chunk's start (or from the stream's start) on, with look-ahead behind its end.
    pub(super) buffer: Vec<u8>,
    /// Where in the stream the buffer starts.
    pub(super) origin: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether the stream ends with the buffer.
    pub(super) is_last: bool,
    /// An empty vector for the tokens, for reuse.
    pub(super) tokens: Vec<Token>,
}

/// A chunk with the tokens that follow from a guessed state at its start.
pub(super) struct Tokenised {
    chunk: Chunk,
    entry: State,
    exit: State,
    tokens: Vec<Token>,
    crc: crc32fast::Hasher,
}

impl Chunk {
    fn stretch(&self) -> Stretch<'_> {
        Stretch { bytes: &self.buffer, origin: self.origin, is_last: self.is_last }
    }

    /// Lets the chains start where a parser at `at` needs them.
    fn reset(&self, chains: &mut Chains, at: u64) {
        chains.reset(((at - self.origin) as usize).saturating_sub(MAX_DISTANCE));
    }

    /// Tokenises the chunk from a guessed state.
    pub(super) fn tokenise(mut self, chains: &mut Chains) -> Tokenised {
        let mut tokens = std::mem::take(&mut self.tokens);
        let mut crc = crc32fast::Hasher::new();
        let local = |at: u64| (at - self.origin) as usize;
        crc.update(&self.buffer[local(self.start)..local(self.end)]);
        let mut state = State::fresh(self.start.saturating_sub(WARM_UP as u64));
        self.reset(chains, state.at);
        parser::run(&mut state, self.stretch(), chains, self.start, &mut tokens, usize::MAX);
        tokens.clear();
        let entry = state;
        parser::run(&mut state, self.stretch(), chains, self.end, &mut tokens, usize::MAX);
        Tokenised { chunk: self, entry, exit: state, tokens, crc }
    }
}

impl Tokenised {
    /// Makes the tokens those that follow from the true state `entry`; gives the state at the chunk's end.
    pub(super) fn settle(&mut self, entry: State, chains: &mut Chains) -> State {
        if self.entry != entry {
            self.redo(entry, chains);
        }
        self.exit
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The stream's bytes around the chunk, and where in the stream they start.
    pub(super) fn bytes(&self) -> (&[u8], u64) {
        (&self.chunk.buffer, self.chunk.origin)
    }

    pub(super) fn crc(&self) -> &crc32fast::Hasher {
        &self.crc
    }

    /// Gives back the vectors, for reuse.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<Token>) {
        (self.chunk.buffer, self.tokens)
    }

    /// Parses from the true state until a match ends where one of the guessed tokens ends with a match: from there on
    /// both parsers are in the same state.
    fn redo(&mut self, entry: State, chains: &mut Chains) {
        let guessed = std::mem::take(&mut self.tokens);
        let mut guessed_at = self.entry.covered();
        let mut next = 0;
        let mut state = entry;
        self.chunk.reset(chains, state.at);
        while state.at < self.chunk.end {
            let count = self.tokens.len();
            parser::run(&mut state, self.chunk.stretch(), chains, self.chunk.end, &mut self.tokens, count + 1);
            if !state.is_fresh() || self.tokens.len() == count {
                continue;
            }
            while guessed_at < state.at && next < guessed.len() {
                guessed_at += guessed[next].extent();
                next += 1;
            }
            if guessed_at == state.at && next > 0 && guessed[next - 1].is_match() {
                self.tokens.extend_from_slice(&guessed[next..]);
                return;
            }
        }
        self.exit = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 50_000;

    fn text() -> Vec<u8> {
        let mut seed = 7_u32;
        let mut bytes = Vec::new();
        while bytes.len() < 200_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend(format!("word{} ", (seed >> 16) % 997).bytes());
        }
        bytes
    }

    fn parse(bytes: &[u8], state: &mut State, until: u64) -> Vec<Token> {
        let mut tokens = Vec::new();
        let stretch = Stretch { bytes, origin: 0, is_last: true };
        parser::run(state, stretch, &mut Chains::new(), until, &mut tokens, usize::MAX);
        tokens
    }

    #[test]
    fn a_wrong_guess_is_parsed_again_only_until_both_ways_meet() {
        let bytes = text();
        let end = bytes.len() as u64;
        let mut state = State::default();
        parse(&bytes, &mut state, START);
        let (mut truth, mut differing) = (state, 0);
        let want = parse(&bytes, &mut truth, end);
        for shift in 0..8 {
            // The guess starts somewhere near the border, out of step.
            let entry = State::fresh(START + shift);
            let mut exit = entry;
            let guessed = parse(&bytes, &mut exit, end);
            differing += usize::from(!want.ends_with(&guessed));
            let chunk =
                Chunk { buffer: bytes.clone(), origin: 0, start: START, end, is_last: true, tokens: Vec::new() };
            let mut tokenised = Tokenised { chunk, entry, exit, tokens: guessed, crc: crc32fast::Hasher::new() };
            assert_eq!(tokenised.settle(state, &mut Chains::new()), truth);
            assert!(tokenised.tokens() == want, "guess at {}", START + shift);
        }
        assert!(differing > 0, "no guess was wrong");
    }
}
