//! All frames of a zstd stream, strictly, in a bounded memory for all streams together.

use std::io::{self, BufRead, Read};
use std::sync::{Condvar, Mutex, PoisonError};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::DecompressError;
use crate::limits::LimitExceeded;

/// Windows up to this size are free; larger ones wait for room.
const FREE: u64 = 8 << 20;
/// Bytes that the larger windows of all streams may take together; one of them may take more when it is alone.
const ROOM: u64 = 160 << 20;

/// What the larger windows of all streams take now.
static TAKEN: Mutex<u64> = Mutex::new(0);
static LEFT: Condvar = Condvar::new();

/// Room for one window; given back when dropped.
struct Permit(u64);

impl Permit {
    fn wait(window: u64) -> Option<Self> {
        if window <= FREE {
            return None;
        }
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut u64| *taken > 0 && taken.saturating_add(window) > ROOM;
        let mut taken = LEFT.wait_while(taken, is_full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(window);
        Some(Self(window))
    }
}

/// What larger windows take now.
#[cfg(test)]
pub(super) fn room_taken() -> u64 {
    *TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.0);
        LEFT.notify_all();
    }
}

/// Reads the content of all frames; the stream must end with the last one.
pub(super) struct Frames<R> {
    source: R,
    decoder: Option<Decoder<'static>>,
    /// The header of the current frame, as far as the decoder did not take it yet.
    header: Vec<u8>,
    is_inside: bool,
    permit: Option<Permit>,
    offset: u64,
    window_log: u64,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R, window_log: u64) -> Self {
        Self { source, decoder: None, header: Vec::new(), is_inside: false, permit: None, offset: 0, window_log }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.source
    }

    pub(super) fn into_inner(self) -> R {
        self.source
    }

    fn malformed(&self, what: impl Into<String>) -> io::Error {
        DecompressError::Malformed { format: "zstd", offset: self.offset, what: what.into() }.into()
    }

    fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.offset += count as u64;
    }

    /// The next bytes of the stream, up to `count`, added to the header.
    fn take(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let Some(byte) = self.source.fill_buf()?.first().copied() else {
                return Err(self.malformed("the stream is truncated"));
            };
            self.consume(1);
            self.header.push(byte);
        }
        Ok(())
    }

    /// Passes over a frame that holds no content, or takes the header of one that does.
    fn begin(&mut self) -> io::Result<()> {
        self.header.clear();
        self.take(4)?;
        if self.header[1..] == *super::SKIPPABLE_MAGIC && self.header[0] >> 4 == 5 {
            self.take(4)?;
            let length = self.header[4..].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            return self.skip(length);
        }
        if self.header != super::ZSTD_MAGIC {
            return Err(self.malformed("bytes that are no zstd frame"));
        }
        let window = self.read_header()?;
        let limit = 1_u64.checked_shl(self.window_log.min(63) as u32).unwrap_or(u64::MAX);
        if window > limit {
            let object = format!("zstd window of {window} bytes");
            let exceeded = LimitExceeded { name: "zstd-window-log", limit: self.window_log, object };
            return Err(DecompressError::Limit(exceeded).into());
        }
        // A decoder keeps the memory of its largest window.
        if self.permit.take().is_some() {
            self.decoder = None;
        }
        self.permit = Permit::wait(window);
        match &mut self.decoder {
            Some(decoder) => decoder.reinit()?,
            none => {
                let mut decoder = Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(self.window_log.clamp(10, 31) as u32))?;
                *none = Some(decoder);
            }
        }
        self.is_inside = true;
        Ok(())
    }

    /// Takes the rest of a frame's header and gives the window that it asks for.
    fn read_header(&mut self) -> io::Result<u64> {
        self.take(1)?;
        let descriptor = self.header[4];
        let is_single = descriptor & 0x20 != 0;
        if descriptor & 0x08 != 0 {
            return Err(self.malformed("a reserved bit of the frame header is set"));
        }
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mut window = 0;
        if !is_single {
            self.take(1)?;
            let (exponent, mantissa) = (u32::from(self.header[5] >> 3), u64::from(self.header[5] & 7));
            let base = 1_u64 << (10 + exponent);
            window = base + base / 8 * mantissa;
        }
        let start = self.header.len();
        self.take([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        if number(&self.header[start..]) != 0 {
            return Err(self.malformed("the frame needs a dictionary"));
        }
        let start = self.header.len();
        let size = match (descriptor >> 6, is_single) {
            (0, false) => 0,
            (0, true) => 1,
            (flag, _) => 1 << flag,
        };
        self.take(size)?;
        if is_single {
            // Two bytes count from 256 on.
            window = number(&self.header[start..]) + if size == 2 { 256 } else { 0 };
        }
        Ok(window)
    }

    fn skip(&mut self, mut length: usize) -> io::Result<()> {
        while length > 0 {
            let count = self.source.fill_buf()?.len().min(length);
            if count == 0 {
                return Err(self.malformed("the stream is truncated"));
            }
            self.consume(count);
            length -= count;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_inside {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
                continue;
            }
            let from_header = !self.header.is_empty();
            let available = if from_header { self.header.as_slice() } else { self.source.fill_buf()? };
            let is_cut = available.is_empty();
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let mut input = InBuffer::around(available);
            let mut output = OutBuffer::around(&mut *buffer);
            let outcome = decoder.run(&mut input, &mut output);
            let (read, written) = (input.pos(), output.pos());
            if from_header {
                self.header.drain(..read);
            } else {
                self.consume(read);
            }
            let left = outcome.map_err(|error| self.malformed(error.to_string()))?;
            if left == 0 {
                self.is_inside = false;
            } else if read == 0 && written == 0 {
                return Err(self.malformed(if is_cut { "the stream is truncated" } else { "it makes no progress" }));
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}
