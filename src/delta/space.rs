//! The layers of the bases side by side: what a delta copies from.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use crate::digest::{DiffId, Digest};

/// Bytes of the file that are compared at once.
const WINDOW: usize = 64 << 10;

/// One layer of a base in the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    /// The blob.
    pub(super) blob: Digest,
    /// What its uncompressed bytes hash to; none if it lies there as it is stored.
    pub(super) diff_id: Option<DiffId>,
    /// Where it begins.
    pub(super) start: u64,
    /// How many bytes it has there.
    pub(super) size: u64,
}

impl Stream {
    /// Where it ends.
    pub(super) fn end(&self) -> u64 {
        self.start + self.size
    }
}

/// The streams, in a temporary file without a name, sorted by where they begin.
pub(super) struct Space {
    file: File,
    streams: Vec<Stream>,
}

impl Space {
    /// An empty one, or one in which streams have their places already.
    pub(super) fn new(streams: Vec<Stream>) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, streams })
    }

    pub(super) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// Where the last stream ends.
    pub(super) fn length(&self) -> u64 {
        self.streams.last().map_or(0, Stream::end)
    }

    /// Writes bytes at a place.
    pub(super) fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, place)
    }

    /// Puts a stream at the end, whose bytes were written there.
    pub(super) fn push(&mut self, stream: Stream) {
        self.streams.push(stream);
    }

    /// The number of the stream that holds a place.
    pub(super) fn stream_at(&self, place: u64) -> Option<usize> {
        let number = self.streams.partition_point(|stream| stream.start <= place).checked_sub(1)?;
        (place < self.streams[number].end()).then_some(number)
    }

    /// Fills `buffer` with the bytes from `place` on.
    pub(super) fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, place)
    }

    /// The bytes of a part.
    pub(super) fn read(&self, start: u64, size: u64) -> impl Read + '_ {
        Part { space: self, place: start, left: size }
    }

    /// Compares with what is there.
    pub(super) fn view(&self) -> View<'_> {
        View { space: self, start: 0, bytes: Vec::new() }
    }
}

struct Part<'a> {
    space: &'a Space,
    place: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.space.file.read_at(&mut buffer[..most], self.place)?;
        self.place += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// A part of the space in memory, moved to where it is looked at.
pub(super) struct View<'a> {
    space: &'a Space,
    start: u64,
    bytes: Vec<u8>,
}

impl View<'_> {
    /// How many of the bytes from `place` on are `wanted`, before `end`.
    pub(super) fn same_after(&mut self, place: u64, end: u64, wanted: &[u8]) -> io::Result<usize> {
        let most = usize::try_from(end.saturating_sub(place)).unwrap_or(usize::MAX).min(wanted.len());
        let there = self.get(place, most)?;
        Ok(there.iter().zip(wanted).take_while(|(one, other)| one == other).count())
    }

    /// How many of the bytes before `place` are the last of `wanted`, from `start` on.
    pub(super) fn same_before(&mut self, place: u64, start: u64, wanted: &[u8]) -> io::Result<usize> {
        let most = usize::try_from(place.saturating_sub(start)).unwrap_or(usize::MAX).min(wanted.len());
        let there = self.get(place - most as u64, most)?;
        Ok(there.iter().rev().zip(wanted.iter().rev()).take_while(|(one, other)| one == other).count())
    }

    fn get(&mut self, place: u64, length: usize) -> io::Result<&[u8]> {
        let is_there = place >= self.start && place + length as u64 <= self.start + self.bytes.len() as u64;
        if !is_there {
            // Some bytes before it too: they are looked at when a match is made longer.
            self.start = place.saturating_sub(WINDOW as u64 / 8);
            let size = (self.space.length() - self.start).min((WINDOW + length) as u64);
            self.bytes.resize(usize::try_from(size).unwrap_or(WINDOW), 0);
            self.space.read_at(&mut self.bytes, self.start)?;
        }
        let from = (place - self.start) as usize;
        Ok(&self.bytes[from..from + length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_both_ways_and_not_beyond_their_stream() {
        let mut space = Space::new(Vec::new()).unwrap();
        for (start, bytes) in [(0, &b"abcdef"[..]), (6, b"ghij")] {
            space.write_at(bytes, start).unwrap();
            space.push(Stream { blob: Digest::of(bytes), diff_id: None, start, size: bytes.len() as u64 });
        }
        let mut view = space.view();
        assert_eq!(view.same_after(2, 6, b"cdXX").unwrap(), 2);
        assert_eq!(view.same_after(4, 6, b"efgh").unwrap(), 2, "the stream ends");
        assert_eq!(view.same_before(5, 0, b"XXcde").unwrap(), 3);
        assert_eq!(view.same_before(8, 6, b"efgh").unwrap(), 2, "the stream begins");
        assert_eq!(view.same_before(6, 6, b"f").unwrap(), 0);
        assert_eq!((space.stream_at(5), space.stream_at(6), space.stream_at(10)), (Some(0), Some(1), None));
    }
}
