//! What the levels from 1 to 9 mean.

/// The limits of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// With a repetition of this length at hand, a quarter of the chain is searched for a better one.
    pub good: usize,
    /// With one of this length at hand, no better one is looked for; where `is_lazy` is not set, the insides of longer ones are not
    /// remembered.
    pub lazy: usize,
    /// One of this length is good enough.
    pub nice: usize,
    /// Candidates that are looked at.
    pub chain: usize,
    /// Whether the next position may have a better repetition.
    pub is_lazy: bool,
    /// The number.
    pub number: u8,
}

impl Level {
    /// The level of this number, from 1 to 9; others are taken as the nearest of these.
    pub fn of(number: u8) -> Self {
        let (good, lazy, nice, chain) = match number {
            0 | 1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Self { good, lazy, nice, chain, is_lazy: number > 3, number }
    }
}
