//! A content as instructions: what of it the bases have, and what they lack.

use std::io::{self, Read, Write};

use super::chunks::{Chunks, MOST};
use super::index::Index;
use super::instruction::Writer;
use super::space::{Space, View};
use crate::cancel::Cancel;

/// New bytes wait until so many have gathered: the next match may begin among them.
const PENDING: usize = 256 << 10;

/// How much of a content was found, and how much is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shares {
    /// Bytes of the whole.
    pub(super) content: u64,
    /// Bytes that are copied.
    pub(super) copied: u64,
}

/// Writes contents as instructions.
pub(super) struct Coder<'a> {
    space: &'a Space,
    index: &'a Index,
    /// For each stream of the space, whether anything is copied from it.
    pub(super) used: Vec<bool>,
}

impl<'a> Coder<'a> {
    pub(super) fn new(space: &'a Space, index: &'a Index) -> Self {
        Self { space, index, used: vec![false; space.streams().len()] }
    }

    /// Writes the instructions that give `content`.
    pub(super) fn code<W: Write>(&mut self, content: impl Read, out: W, cancel: &Cancel) -> io::Result<(W, Shares)> {
        let mut chunks = Chunks::new(content, self.index.bits());
        let (space, used) = (self.space, &mut self.used);
        let (view, writer) = (space.view(), Writer::new(out));
        let mut coding =
            Coding { space, used, view, writer, copy: None, pending: Vec::new(), shares: Shares::default() };
        while let Some(chunk) = chunks.next()? {
            cancel.check().map_err(io::Error::other)?;
            coding.chunk(chunk, self.index)?;
        }
        coding.end_copy()?;
        coding.take(0)?;
        Ok((coding.writer.into_inner(), coding.shares))
    }
}

/// A copy that may still get longer.
#[derive(Clone, Copy)]
struct Copy {
    place: u64,
    length: u64,
    /// Where its stream ends.
    limit: u64,
}

struct Coding<'a, W> {
    space: &'a Space,
    used: &'a mut Vec<bool>,
    view: View<'a>,
    writer: Writer<W>,
    /// The last instruction, if nothing new came after it.
    copy: Option<Copy>,
    /// New bytes that were not written yet.
    pending: Vec<u8>,
    shares: Shares,
}

impl<W: Write> Coding<'_, W> {
    fn chunk(&mut self, chunk: &[u8], index: &Index) -> io::Result<()> {
        self.shares.content += chunk.len() as u64;
        let mut rest = chunk;
        if let Some(copy) = &mut self.copy {
            let same = self.view.same_after(copy.place + copy.length, copy.limit, chunk)?;
            if same == chunk.len() {
                copy.length += same as u64;
                return Ok(());
            }
            // A chunk that is somewhere as a whole is better taken from there.
            let there = self.look_up(index, chunk)?;
            if let Some(place) = there {
                return self.begin_copy(place, chunk);
            }
            if let Some(copy) = &mut self.copy {
                copy.length += same as u64;
            }
            self.end_copy()?;
            rest = &chunk[same..];
        } else if let Some(place) = self.look_up(index, chunk)? {
            return self.begin_copy(place, chunk);
        }
        self.pending.extend_from_slice(rest);
        if self.pending.len() >= PENDING { self.take(MOST) } else { Ok(()) }
    }

    /// Where the whole chunk is in the space.
    fn look_up(&mut self, index: &Index, chunk: &[u8]) -> io::Result<Option<u64>> {
        let Some(place) = index.find(chunk) else { return Ok(None) };
        let end = self.space.stream_at(place).map_or(place, |number| self.space.streams()[number].end());
        Ok((self.view.same_after(place, end, chunk)? == chunk.len()).then_some(place))
    }

    /// Copies a chunk, and what of the new bytes before it stands before it there too.
    fn begin_copy(&mut self, place: u64, chunk: &[u8]) -> io::Result<()> {
        self.end_copy()?;
        let Some(number) = self.space.stream_at(place) else { return Ok(()) };
        let stream = &self.space.streams()[number];
        let before = self.view.same_before(place, stream.start, &self.pending)?;
        self.pending.truncate(self.pending.len() - before);
        self.take(0)?;
        self.used[number] = true;
        let length = (chunk.len() + before) as u64;
        self.copy = Some(Copy { place: place - before as u64, length, limit: stream.end() });
        Ok(())
    }

    fn end_copy(&mut self) -> io::Result<()> {
        let Some(copy) = self.copy.take() else { return Ok(()) };
        self.shares.copied += copy.length;
        self.writer.copy(copy.place, copy.length)
    }

    /// Writes new bytes but for the last `kept`.
    fn take(&mut self, kept: usize) -> io::Result<()> {
        let count = self.pending.len().saturating_sub(kept);
        if count > 0 {
            self.writer.take(&self.pending[..count])?;
            self.pending.drain(..count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunks::random;
    use super::super::instruction::{Instruction, Parser};
    use super::super::space::Stream;
    use super::*;
    use crate::digest::Digest;

    /// The instructions for `content` with a base, their bytes, and whether the base is used.
    fn coded(base: &[u8], content: &[u8]) -> (Vec<Instruction>, usize, Shares) {
        let mut space = Space::new(Vec::new()).unwrap();
        space.write_at(base, 0).unwrap();
        space.push(Stream { blob: Digest::of(base), diff_id: None, start: 0, size: base.len() as u64 });
        let cancel = Cancel::default();
        let index = Index::of(&space, &cancel).unwrap();
        let mut coder = Coder::new(&space, &index);
        let (bytes, shares) = coder.code(content, Vec::new(), &cancel).unwrap();
        let (mut parser, mut rest, mut given, mut all) = (Parser::default(), bytes.as_slice(), Vec::new(), Vec::new());
        while !rest.is_empty() {
            let instruction = parser.next(&mut rest).unwrap();
            match instruction {
                Instruction::Copy { place, length } => {
                    given.extend_from_slice(&base[place as usize..(place + length) as usize]);
                }
                Instruction::Take { length } => {
                    let (new, after) = rest.split_at(length as usize);
                    given.extend_from_slice(new);
                    rest = after;
                }
            }
            all.push(instruction);
        }
        assert!(given == content, "the instructions give other bytes");
        assert_eq!(shares.content, content.len() as u64);
        (all, bytes.len(), shares)
    }

    #[test]
    fn only_the_bytes_that_differ_are_taken() {
        let base = random(1, 100_000);
        let mut changed = base.clone();
        changed[50_000..50_007].copy_from_slice(b"1234567");
        let (instructions, size, shares) = coded(&base, &changed);
        assert_eq!(instructions.len(), 3, "{instructions:?}");
        assert!(size < 30 && shares.copied == 99_993, "{size} {shares:?}");
    }

    #[test]
    fn a_base_is_copied_from_in_any_order_and_as_often_as_wanted() {
        let base = random(2, 60_000);
        let content = [&base[30_000..], &base[..30_000], b"new", &base[10_000..50_000], &random(3, 5000)].concat();
        let (_, size, shares) = coded(&base, &content);
        assert!(size < 5200 && shares.copied > 99_000, "{size} {shares:?}");
    }

    #[test]
    fn without_a_base_everything_is_new() {
        let content = random(4, 700_000);
        let (instructions, _, shares) = coded(b"", &content);
        assert!(shares.copied == 0 && instructions.len() <= 4, "{instructions:?}");
        assert!(coded(b"x", b"").0.is_empty());
    }
}
