//! The entries of one layer, kept for a listing: their headers as they stand there, in bounded memory.

use std::io;

use super::tar::{Member, Reader};
use crate::limits::Limits;
use crate::store::Spool;

/// Bytes of headers that stay in memory, for each layer.
const MEMORY: usize = 64 << 10;

/// Entries in the order of their layer, up to a number of bytes.
#[derive(Debug)]
pub struct Listing {
    headers: Spool,
    most: u64,
    kept: u64,
    left_out: u64,
}

impl Listing {
    /// An empty one for at most `most` bytes of headers.
    pub fn new(most: u64) -> Self {
        Self { headers: Spool::new(MEMORY), most, kept: 0, left_out: 0 }
    }

    /// Keeps a member, or counts it when there is no room left.
    pub(super) fn add(&mut self, member: &Member) -> io::Result<()> {
        let length = member.headers.len() as u64;
        if self.left_out > 0 || self.headers.length() + length > self.most {
            self.left_out += 1;
            return Ok(());
        }
        self.headers.append(&length.to_le_bytes())?;
        self.headers.append(&member.headers)?;
        self.kept += 1;
        Ok(())
    }

    /// How many entries were only counted.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The kept members, read again from their headers.
    pub fn members(&self, limits: &Limits) -> impl Iterator<Item = io::Result<Member>> {
        let mut at = 0;
        (0..self.kept).map(move |_| {
            let mut length = [0; 8];
            self.headers.read_at(at, &mut length)?;
            let length = u64::from_le_bytes(length);
            let headers = self.headers.get(at + 8, length)?;
            at += 8 + length;
            // They were read once, so they are read now.
            Reader::new(headers.as_slice(), limits).next()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tar::{Entry, Writer};

    #[test]
    fn members_are_listed_as_they_were_read_and_beyond_the_most_counted() {
        let mut writer = Writer::new(Vec::new());
        for name in ["a".to_owned(), "b/".repeat(150) + "b", "c".to_owned()] {
            writer.append_empty(&Entry::file(name, 0o644, 0)).unwrap();
        }
        let tar = writer.finish().unwrap();
        let limits = Limits::default();
        for (most, want) in [(1 << 20, 3), (2500, 2), (0, 0)] {
            let (mut listing, mut all) = (Listing::new(most), Vec::new());
            let mut reader = Reader::new(tar.as_slice(), &limits);
            while let Some(member) = reader.next().unwrap() {
                listing.add(&member).unwrap();
                all.push(member);
            }
            let listed: Vec<Member> = listing.members(&limits).map(Result::unwrap).collect();
            assert_eq!((listed.len(), listing.left_out()), (want, 3 - want as u64));
            for (listed, read) in listed.iter().zip(&all) {
                assert_eq!((&listed.entry, &listed.headers), (&read.entry, &read.headers));
            }
        }
    }
}
