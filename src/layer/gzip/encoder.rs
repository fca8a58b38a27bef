//! The encoder on one thread: input in, one gzip member out.

use std::io::{self, Write};

use super::bits::BitWriter;
use super::block::{self, MAX_STORED, MAX_TOKENS};
use super::chain::Chains;
use super::parser::{self, State, Stretch};
use super::token::Token;
use super::{HEADER, LOOK_AHEAD, MAX_DISTANCE, WINDOW_STEP, trailer};

/// What stays in the buffer before the parser's position: all that can be matched or stored.
pub(super) const HISTORY: usize = MAX_DISTANCE + 512;
/// The buffer slides by multiples of this.
const SLIDE: usize = 1 << 16;
const BUFFER: usize = 4 * SLIDE;

const _: () = assert!(HISTORY > MAX_STORED && HISTORY > WINDOW_STEP as usize);

/// Compresses what is written to it, on the caller's thread.
///
/// The bytes depend on the input alone, never on how it is cut into writes. Memory is bounded, about 1 MiB.
/// [`Encoder::finish`] must be called; a dropped encoder leaves a truncated member.
pub struct Encoder<W> {
    output: Output<W>,
    buffer: Vec<u8>,
    /// Where in the stream the buffer starts.
    origin: u64,
    chains: Chains,
    state: State,
    tokens: Vec<Token>,
    crc: crc32fast::Hasher,
}

impl<W: Write> Encoder<W> {
    /// Compresses into `writer`.
    pub fn new(writer: W) -> Self {
        Self {
            output: Output::new(writer),
            buffer: Vec::with_capacity(BUFFER),
            origin: 0,
            chains: Chains::new(),
            state: State::default(),
            tokens: Vec::with_capacity(MAX_TOKENS),
            crc: crc32fast::Hasher::new(),
        }
    }

    /// Ends the member and gives back the writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        let length = self.origin + self.buffer.len() as u64;
        self.parse(length, true)?;
        self.output.close_block(&self.tokens, &self.buffer, self.origin)?;
        self.output.finish(self.crc.finalize(), length)
    }

    /// Runs the parser up to `until` and closes the blocks that get full.
    fn parse(&mut self, until: u64, is_last: bool) -> io::Result<()> {
        loop {
            let stretch = Stretch { bytes: &self.buffer, origin: self.origin, is_last };
            parser::run(&mut self.state, stretch, &mut self.chains, until, &mut self.tokens, MAX_TOKENS);
            if self.tokens.len() < MAX_TOKENS {
                return Ok(());
            }
            self.output.close_block(&self.tokens, &self.buffer, self.origin)?;
            self.tokens.clear();
        }
    }

    /// Drops what is no longer needed from the full buffer.
    fn slide(&mut self) {
        let done = (self.state.at - self.origin) as usize;
        let shift = done.saturating_sub(HISTORY) / SLIDE * SLIDE;
        self.buffer.drain(..shift);
        self.chains.slide(shift);
        self.origin += shift as u64;
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BUFFER - self.buffer.len());
        let bytes = &bytes[..taken];
        self.crc.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() == BUFFER {
            self.parse(self.origin + (BUFFER - LOOK_AHEAD + 1) as u64, false)?;
            self.slide();
        }
        Ok(taken)
    }

    /// Does nothing: a flush inside the stream would change its bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The output side of a member: frame and blocks, in order.
pub(super) struct Output<W> {
    writer: W,
    bits: BitWriter,
    has_header: bool,
    /// Where in the stream the next block starts.
    start: u64,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, bits: BitWriter::new(), has_header: false, start: 0 }
    }

    /// Codes a block of `tokens`, if there are any; `buffer` holds the stream from `origin` on.
    pub(super) fn close_block(&mut self, tokens: &[Token], buffer: &[u8], origin: u64) -> io::Result<()> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.write_header()?;
        let raw = self.start.checked_sub(origin).and_then(|start| buffer.get(start as usize..));
        self.start += block::write(&mut self.bits, tokens, raw);
        self.bits.drain(&mut self.writer)
    }

    /// Writes the last block and the trailer.
    pub(super) fn finish(mut self, crc: u32, length: u64) -> io::Result<W> {
        self.write_header()?;
        block::write_stored(&mut self.bits, &[], true);
        self.bits.put_bytes(&trailer(crc, length));
        self.bits.drain(&mut self.writer)?;
        Ok(self.writer)
    }

    fn write_header(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_header, true) {
            self.writer.write_all(&HEADER)?;
        }
        Ok(())
    }
}
