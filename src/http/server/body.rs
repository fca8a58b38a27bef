//! The body of one request, read as it comes: by its length, or in chunks.

use std::io::{self, BufRead, Read, Write};
use std::time::{Duration, Instant};

use super::head::Head;
use super::wire::Wire;

/// Bytes of a line between chunks.
const LINE: u64 = 1024;
/// The fewest bytes that must come in while a client's patience passes: a byte now and then is no progress.
const TRICKLE: u64 = 1024;

/// The body of a request; what is not read of it ends the connection.
pub struct Body<'a> {
    connection: io::BufReader<Buffered<'a>>,
    left: Left,
    /// The client waits for a word before it sends.
    waits: bool,
    idle: Duration,
    window: (Instant, u64),
}

/// How much is still to come.
enum Left {
    Bytes(u64),
    /// Of the chunk, and whether one was read before.
    Chunk(u64, bool),
    Done,
}

/// What was read with the head, then what comes.
struct Buffered<'a> {
    before: &'a mut Vec<u8>,
    connection: &'a Wire,
}

impl Read for Buffered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.before.is_empty() {
            return (&mut &*self.connection).read(buffer);
        }
        let count = self.before.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.before[..count]);
        self.before.drain(..count);
        Ok(count)
    }
}

impl<'a> Body<'a> {
    /// The body that `head` announces; `before` holds what was read beyond the head.
    pub(super) fn new(head: &Head, connection: &'a Wire, before: &'a mut Vec<u8>, idle: Duration) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let left = match (head.header("transfer-encoding"), head.header("content-length")) {
            // Both at once is how two readers are made to disagree about where a request ends.
            (Some(_), Some(_)) => return Err(invalid()),
            (Some(coding), None) if coding.trim().eq_ignore_ascii_case("chunked") => Left::Chunk(0, false),
            (Some(_), None) => return Err(invalid()),
            (None, Some(length)) if head.headers.iter().filter(|(name, _)| name == "content-length").count() == 1 => {
                let digits = length.trim();
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                Left::Bytes(digits.parse().ok().filter(|_| is_number).ok_or_else(invalid)?)
            }
            (None, Some(_)) => return Err(invalid()),
            (None, None) => Left::Bytes(0),
        };
        let waits = head.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"));
        let connection = io::BufReader::with_capacity(1 << 17, Buffered { before, connection });
        Ok(Self { connection, left, waits, idle, window: (Instant::now(), 0) })
    }

    /// Whether there is nothing more to read.
    pub fn is_done(&self) -> bool {
        matches!(self.left, Left::Bytes(0) | Left::Done)
    }

    /// Reads past at most `most` bytes; an `InvalidData` error if there are more.
    pub fn skip(&mut self, most: u64) -> io::Result<()> {
        if matches!(self.left, Left::Bytes(length) if length > most) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if io::copy(&mut self.by_ref().take(most + 1), &mut io::sink())? > most {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Gives back what was read of the next request.
    pub(super) fn finish(self) {
        let rest = self.connection.buffer().to_vec();
        let inner = self.connection.into_inner();
        drop(inner.before.splice(..0, rest));
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.connection).take(LINE).read_until(b'\n', &mut line)?;
        if line.ends_with(b"\r\n") { Ok(line) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Reads the head of the next chunk; what follows the last one is read past.
    fn next_chunk(&mut self, is_first: bool) -> io::Result<u64> {
        if !is_first && self.line()? != b"\r\n" {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let line = self.line()?;
        let size = match httparse::parse_chunk_size(&line) {
            Ok(httparse::Status::Complete((_, size))) => size,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if size == 0 {
            for _ in 0..100 {
                if self.line()? == b"\r\n" {
                    return Ok(0);
                }
            }
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(size)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.is_done() {
            return Ok(0);
        }
        if self.waits {
            self.waits = false;
            let mut connection = self.connection.get_ref().connection;
            connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if let Left::Chunk(0, was_one) = self.left {
            match self.next_chunk(!was_one)? {
                0 => {
                    self.left = Left::Done;
                    return Ok(0);
                }
                size => self.left = Left::Chunk(size, true),
            }
        }
        let (Left::Bytes(left) | Left::Chunk(left, _)) = &mut self.left else { return Ok(0) };
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.connection.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left -= count as u64;
        let (since, bytes) = &mut self.window;
        *bytes += count as u64;
        if *bytes >= TRICKLE {
            self.window = (Instant::now(), 0);
        } else if since.elapsed() > self.idle {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(count)
    }
}
