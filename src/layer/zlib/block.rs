//! A block: what was decided on, where it ends, and its code.

use std::io::{self, Write};

use super::bits::Bits;
use super::tree::{LONGEST, Tree};
use super::{MIN_LENGTH, Program};

const LITERALS: usize = 256;
const END: usize = 256;
const LENGTHS: usize = 286;
const DISTANCES: usize = 30;
const CODE_LENGTHS: usize = 19;
/// The longest code of a code length.
const LONGEST_OF_LENGTHS: usize = 7;
/// In which order code lengths of code lengths are written: those that are often 0 last.
const ORDER: [usize; CODE_LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Decisions in a block of zlib, and of gzip.
const MOST: (usize, usize) = (16_383, 32_767);
/// Repetitions in a block of gzip.
const MOST_REPETITIONS: usize = 32_768;
/// After so many decisions gzip looks whether a block does well enough to be ended.
const LOOK: usize = 4096;
/// What a stored block has before its bytes, behind the three bits of its head: two lengths.
const STORED_HEAD: u64 = 4;

/// One decision: a byte (distance 0), or a repetition.
#[derive(Clone, Copy)]
struct Symbol {
    distance: u16,
    /// The byte, or the length less the shortest.
    value: u8,
}

/// The block that is being filled.
pub(super) struct Block {
    program: Program,
    level: u8,
    symbols: Vec<Symbol>,
    repetitions: usize,
    lengths: Vec<u32>,
    distances: Vec<u32>,
}

/// The code of a length (less the shortest one): its number from 257 on, and how many bits of it follow.
fn length_code(value: u8) -> (usize, u32, u32) {
    match value {
        255 => (285, 0, 0),
        0..8 => (257 + usize::from(value), 0, 0),
        _ => {
            let extra = u32::from(value).ilog2() - 2;
            let group = usize::from(value >> extra) & 3;
            (257 + 4 * (extra as usize + 1) + group, extra, u32::from(value) & ((1 << extra) - 1))
        }
    }
}

/// The code of a distance less one, and how many bits of it follow.
fn distance_code(value: u32) -> (usize, u32, u32) {
    if value < 4 {
        return (value as usize, 0, 0);
    }
    let extra = value.ilog2() - 1;
    let half = (value >> extra & 1) as usize;
    (2 * (extra as usize + 1) + half, extra, value & ((1 << extra) - 1))
}

impl Block {
    pub fn new(program: Program, level: u8) -> Self {
        let symbols = Vec::with_capacity(MOST.1);
        let mut block = Self { program, level, symbols, repetitions: 0, lengths: Vec::new(), distances: Vec::new() };
        block.clear();
        block
    }

    fn clear(&mut self) {
        self.symbols.clear();
        self.repetitions = 0;
        self.lengths = vec![0; LENGTHS];
        self.distances = vec![0; DISTANCES];
        self.lengths[END] = 1;
    }

    /// Takes a byte; tells whether the block is to be ended. `bytes` are those since its start.
    pub fn literal(&mut self, byte: u8, bytes: u64) -> bool {
        self.symbols.push(Symbol { distance: 0, value: byte });
        self.lengths[usize::from(byte)] += 1;
        self.is_full(bytes)
    }

    /// Takes a repetition.
    pub fn repetition(&mut self, length: usize, distance: u64, bytes: u64) -> bool {
        // A length is at most 258, a distance below 2^15.
        let (value, distance) = ((length - MIN_LENGTH) as u8, distance as u16);
        self.symbols.push(Symbol { distance, value });
        self.repetitions += 1;
        self.lengths[length_code(value).0] += 1;
        self.distances[distance_code(u32::from(distance) - 1).0] += 1;
        self.is_full(bytes)
    }

    fn is_full(&self, bytes: u64) -> bool {
        let count = self.symbols.len();
        if self.program == Program::Zlib {
            return count == MOST.0;
        }
        if self.level > 2 && count.is_multiple_of(LOOK) {
            let distances = self.distances.iter().enumerate();
            let bits = |(code, count): (usize, &u32)| u64::from(*count) * (5 + (code as u64 / 2).saturating_sub(1));
            let guess = (count as u64 * 8 + distances.map(bits).sum::<u64>()) / 8;
            if self.repetitions < count / 2 && guess < bytes / 2 {
                return true;
            }
        }
        count == MOST.1 || self.repetitions == MOST_REPETITIONS
    }

    /// Codes the block as what is shortest, and begins the next one. `stored` are the bytes that it stands for, if they are at hand.
    pub fn close<W: Write>(&mut self, stored: Option<&[u8]>, is_last: bool, out: &mut Bits<W>) -> io::Result<()> {
        let lengths = Tree::of(&self.lengths, LONGEST);
        let distances = Tree::of(&self.distances, LONGEST);
        let runs = [runs(&lengths), runs(&distances)].concat();
        let mut frequencies = [0_u32; CODE_LENGTHS];
        runs.iter().for_each(|run| frequencies[usize::from(run.symbol)] += 1);
        let of_lengths = Tree::of(&frequencies, LONGEST_OF_LENGTHS);
        let listed = ORDER.iter().rposition(|symbol| of_lengths.lengths[*symbol] > 0).map_or(0, |last| last + 1).max(4);
        let head = 5 + 5 + 4 + 3 * listed as u64;
        let tree_bits: u64 =
            runs.iter().map(|run| u64::from(of_lengths.lengths[usize::from(run.symbol)] + run.extra)).sum();
        let dynamic = head + tree_bits + self.bits(&lengths.lengths, &distances.lengths);
        let (fixed_lengths, fixed_distances) = fixed();
        let fixed = self.bits(&fixed_lengths.lengths, &fixed_distances.lengths);
        // With the three bits of the head, in whole bytes.
        let in_bytes = |bits: u64| (bits + 3 + 7) >> 3;
        let best = in_bytes(dynamic).min(in_bytes(fixed));
        let last = u32::from(is_last);
        match stored {
            Some(stored) if stored.len() as u64 + STORED_HEAD <= best => {
                // It is shorter than so many codes of at most fifteen bits, and has one length.
                let length = u16::try_from(stored.len()).map_err(|_| io::ErrorKind::InvalidData)?;
                out.put(last, 3)?;
                out.align()?;
                out.put(u32::from(length), 16)?;
                out.put(u32::from(!length), 16)?;
                out.bytes(stored)?;
            }
            _ if in_bytes(fixed) == best => {
                out.put(1 << 1 | last, 3)?;
                self.code(&fixed_lengths, &fixed_distances, out)?;
            }
            _ => {
                out.put(2 << 1 | last, 3)?;
                out.put((lengths.highest + 1 - 257) as u32, 5)?;
                out.put(distances.highest as u32, 5)?;
                out.put((listed - 4) as u32, 4)?;
                for symbol in &ORDER[..listed] {
                    out.put(u32::from(of_lengths.lengths[*symbol]), 3)?;
                }
                let codes = of_lengths.codes();
                for run in &runs {
                    let symbol = usize::from(run.symbol);
                    out.put(u32::from(codes[symbol]), u32::from(of_lengths.lengths[symbol]))?;
                    out.put(run.value, u32::from(run.extra))?;
                }
                self.code(&lengths, &distances, out)?;
            }
        }
        self.clear();
        Ok(())
    }

    /// Bits of all symbols and the end with codes of these lengths.
    fn bits(&self, lengths: &[u8], distances: &[u8]) -> u64 {
        let of_length = |(symbol, count): (usize, &u32)| {
            let extra = if (265..285).contains(&symbol) { (symbol as u64 - 261) / 4 } else { 0 };
            u64::from(*count) * (u64::from(lengths[symbol]) + extra)
        };
        let of_distance = |(symbol, count): (usize, &u32)| {
            u64::from(*count) * (u64::from(distances[symbol]) + (symbol as u64 / 2).saturating_sub(1))
        };
        let lengths: u64 = self.lengths.iter().enumerate().map(of_length).sum();
        lengths + self.distances.iter().enumerate().map(of_distance).sum::<u64>()
    }

    fn code<W: Write>(&self, lengths: &Tree, distances: &Tree, out: &mut Bits<W>) -> io::Result<()> {
        let (length_codes, distance_codes) = (lengths.codes(), distances.codes());
        let put = |codes: &[u16], tree: &Tree, symbol: usize, out: &mut Bits<W>| {
            out.put(u32::from(codes[symbol]), u32::from(tree.lengths[symbol]))
        };
        for Symbol { distance, value } in &self.symbols {
            if *distance == 0 {
                put(&length_codes, lengths, usize::from(*value), out)?;
                continue;
            }
            let (symbol, extra, rest) = length_code(*value);
            put(&length_codes, lengths, symbol, out)?;
            out.put(rest, extra)?;
            let (symbol, extra, rest) = distance_code(u32::from(*distance) - 1);
            put(&distance_codes, distances, symbol, out)?;
            out.put(rest, extra)?;
        }
        put(&length_codes, lengths, END, out)
    }
}

/// The trees that need not be written.
fn fixed() -> (Tree, Tree) {
    let lengths = (0..LENGTHS + 2).map(|symbol| match symbol {
        0..144 => 8,
        144..LITERALS => 9,
        LITERALS..280 => 7,
        _ => 8,
    });
    let lengths = Tree { lengths: lengths.collect(), highest: LENGTHS + 1 };
    (lengths, Tree { lengths: vec![5; DISTANCES], highest: DISTANCES - 1 })
}

/// A code length, or how often one comes.
#[derive(Clone, Copy)]
struct Run {
    symbol: u8,
    /// Bits of `value`.
    extra: u8,
    value: u32,
}

/// How the lengths of a tree are written; no run goes on from one tree to the next.
fn runs(tree: &Tree) -> Vec<Run> {
    let lengths = &tree.lengths[..=tree.highest];
    let mut found = Vec::new();
    let (mut previous, mut count) = (None, 0_u32);
    let (mut most, mut least) = if lengths[0] == 0 { (138, 3) } else { (7, 4) };
    for (at, length) in lengths.iter().enumerate() {
        let next = lengths.get(at + 1);
        count += 1;
        if count < most && next == Some(length) {
            continue;
        }
        let plain = Run { symbol: *length, extra: 0, value: 0 };
        if count < least {
            found.extend(std::iter::repeat_n(plain, count as usize));
        } else if *length != 0 {
            if previous != Some(*length) {
                found.push(plain);
                count -= 1;
            }
            found.push(Run { symbol: 16, extra: 2, value: count - 3 });
        } else if count <= 10 {
            found.push(Run { symbol: 17, extra: 3, value: count - 3 });
        } else {
            found.push(Run { symbol: 18, extra: 7, value: count - 11 });
        }
        (count, previous) = (0, Some(*length));
        (most, least) = match next {
            Some(0) => (138, 3),
            Some(next) if next == length => (6, 3),
            _ => (7, 4),
        };
    }
    found
}
