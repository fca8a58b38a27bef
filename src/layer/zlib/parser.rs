//! The stream: bytes in, decisions, blocks out.

use std::io::{self, Write};

use super::bits::Bits;
use super::block::Block;
use super::level::Level;
use super::matching::{Chains, Repetition, Window};
use super::{LOOK_AHEAD, MAX_DISTANCE, MIN_LENGTH, Program};

/// A repetition of three bytes from farther back costs more than the bytes.
const FAR: u64 = 4096;
/// Bytes behind a position that may still be wanted: repetitions, and a block that is stored.
const HISTORY: usize = 1 << 16;
const BUFFER: usize = 4 * HISTORY;

/// Compresses what is written to it into a deflate stream.
///
/// Memory is bounded, about 1 MiB. [`Encoder::finish`] must be called; a dropped encoder leaves a cut stream.
pub struct Encoder<W> {
    level: Level,
    bits: Bits<W>,
    block: Block,
    chains: Chains,
    buffer: Vec<u8>,
    /// The position of the buffer's first byte.
    start: u64,
    position: u64,
    /// Where the block began.
    block_start: u64,
    /// The repetition that was found at the position before.
    held: Repetition,
    /// Whether the byte before the position is not decided about yet.
    is_owed: bool,
}

impl<W: Write> Encoder<W> {
    /// Compresses as `program` does at a level from 1 to 9.
    pub fn new(program: Program, level: u8, writer: W) -> Self {
        let level = Level::of(level);
        Self {
            level,
            bits: Bits::new(writer),
            block: Block::new(program, level.number),
            chains: Chains::new(),
            buffer: Vec::with_capacity(BUFFER),
            start: 0,
            position: 0,
            block_start: 0,
            held: Repetition { length: MIN_LENGTH - 1, place: 0 },
            is_owed: false,
        }
    }

    /// Ends the stream and gives back the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.run(0)?;
        if self.is_owed {
            let byte = self.byte(self.position - 1);
            self.block.literal(byte, self.position - self.block_start);
        }
        self.close(true)?;
        self.bits.finish()
    }

    fn end(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    fn byte(&self, position: u64) -> u8 {
        // The buffer lies in memory.
        self.buffer[(position - self.start) as usize]
    }

    /// Decides as long as more than `beyond` bytes are known.
    fn run(&mut self, beyond: u64) -> io::Result<()> {
        while self.end() - self.position > beyond {
            if self.level.is_lazy { self.step_lazily()? } else { self.step()? }
        }
        Ok(())
    }

    /// Takes in the position, if there are enough bytes; gives what is to be looked at first, if anything.
    fn enter(&mut self, position: u64) -> Option<u64> {
        if self.end() - position < MIN_LENGTH as u64 {
            return None;
        }
        let window = Window { bytes: &self.buffer, start: self.start };
        let before = self.chains.enter(window, position);
        (before > 0 && position - before <= MAX_DISTANCE).then_some(before)
    }

    fn longest(&self, candidate: u64, held: usize) -> Repetition {
        let window = Window { bytes: &self.buffer, start: self.start };
        self.chains.longest(window, self.position, candidate, held, self.level)
    }

    /// Takes the first good repetition.
    fn step(&mut self) -> io::Result<()> {
        let found = match self.enter(self.position) {
            Some(candidate) => self.longest(candidate, MIN_LENGTH - 1),
            None => Repetition::default(),
        };
        let is_full = if found.length >= MIN_LENGTH {
            let distance = self.position - found.place;
            let is_full = self.block.repetition(found.length, distance, self.position - self.block_start);
            let after = self.position + found.length as u64;
            if found.length <= self.level.lazy && self.end() - after >= MIN_LENGTH as u64 {
                for position in self.position + 1..after {
                    self.enter(position);
                }
            }
            self.position = after;
            is_full
        } else {
            let is_full = self.block.literal(self.byte(self.position), self.position - self.block_start);
            self.position += 1;
            is_full
        };
        if is_full { self.close(false) } else { Ok(()) }
    }

    /// Takes a repetition only if the next position has no longer one.
    fn step_lazily(&mut self) -> io::Result<()> {
        let candidate = self.enter(self.position);
        let before = std::mem::replace(&mut self.held, Repetition { length: MIN_LENGTH - 1, place: 0 });
        if let Some(candidate) = candidate.filter(|_| before.length < self.level.lazy) {
            let found = self.longest(candidate, before.length);
            let is_far = found.length == MIN_LENGTH && self.position - found.place > FAR;
            if !is_far {
                self.held = found;
            }
        }
        if before.length >= MIN_LENGTH && self.held.length <= before.length {
            let from = self.position - 1;
            let is_full = self.block.repetition(before.length, from - before.place, self.position - self.block_start);
            let after = from + before.length as u64;
            for position in self.position + 1..after {
                self.enter(position);
            }
            self.position = after;
            self.held = Repetition { length: MIN_LENGTH - 1, place: 0 };
            self.is_owed = false;
            return if is_full { self.close(false) } else { Ok(()) };
        }
        if self.is_owed {
            let byte = self.byte(self.position - 1);
            if self.block.literal(byte, self.position - self.block_start) {
                self.close(false)?;
            }
        }
        self.is_owed = true;
        self.position += 1;
        Ok(())
    }

    /// Ends the block at the position.
    fn close(&mut self, is_last: bool) -> io::Result<()> {
        let stored = self.block_start.checked_sub(self.start).map(|from| {
            // Both lie in the buffer.
            &self.buffer[from as usize..(self.position - self.start) as usize]
        });
        self.block.close(stored, is_last, &mut self.bits)?;
        self.block_start = self.position;
        Ok(())
    }

    /// Drops what is too far back.
    fn slide(&mut self) {
        // The position lies in the buffer.
        let keep = (self.position - self.start) as usize;
        if keep > 2 * HISTORY {
            let dropped = keep - HISTORY;
            self.buffer.drain(..dropped);
            self.start += dropped as u64;
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(HISTORY);
        self.buffer.extend_from_slice(&bytes[..taken]);
        self.run(LOOK_AHEAD as u64 - 1)?;
        self.slide();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
