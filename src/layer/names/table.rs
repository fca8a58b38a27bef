//! A number for each path of one layer: in memory while there are few, in a temporary file when there are many.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::os::unix::fs::FileExt;

use super::Workspace;

/// So many paths stay in memory: 9 MiB in a table that is at most seven eighths full.
const IN_MEMORY: usize = (1 << 19) / 8 * 7;
/// Slots of the first file, as a power of two.
const FIRST_FILE: u32 = 21;
/// One slot of a file: hash and number, of which none is zero when it is taken.
const SLOT: usize = 16;
/// Slots that are read at once.
const RUN: usize = 8;

/// Numbers by hash.
pub(super) struct Table {
    memory: HashMap<u64, u64, BuildHasherDefault<Identity>>,
    most: usize,
    file: Option<Slots>,
}

impl Default for Table {
    fn default() -> Self {
        Self::with_most(IN_MEMORY)
    }
}

impl Table {
    fn with_most(most: usize) -> Self {
        Self { memory: HashMap::default(), most, file: None }
    }

    pub(super) fn get(&self, hash: u64) -> io::Result<Option<u64>> {
        match &self.file {
            None => Ok(self.memory.get(&hash).copied()),
            Some(slots) => slots.find(hash).map(|(_, number)| number),
        }
    }

    /// Sets a number that is not zero, and gives the one before.
    pub(super) fn insert(&mut self, hash: u64, number: u64) -> io::Result<Option<u64>> {
        if self.file.is_none() && self.memory.len() >= self.most {
            let mut slots = Slots::new(FIRST_FILE)?;
            for (hash, number) in std::mem::take(&mut self.memory) {
                slots.insert(hash, number)?;
            }
            self.file = Some(slots);
        }
        match &mut self.file {
            None => Ok(self.memory.insert(hash, number)),
            Some(slots) => slots.insert(hash, number),
        }
    }

    /// What remains of the layer once it was read.
    pub(super) fn finish(self, workspace: &Workspace) -> io::Result<Names> {
        if let Some(slots) = self.file {
            return Ok(Names(Kept::Slots(slots)));
        }
        let mut sorted: Vec<(u64, u64)> = self.memory.into_iter().collect();
        sorted.sort_unstable();
        let bytes: Vec<u8> = sorted.iter().flat_map(|(hash, number)| slot(*hash, *number)).collect();
        let start = workspace.spool().append(&bytes)?;
        Ok(Names(Kept::Sorted { start, count: sorted.len() as u64 }))
    }
}

/// What stands at the paths of one layer that was read.
#[derive(Debug)]
pub struct Names(Kept);

#[derive(Debug)]
enum Kept {
    /// Slots in the workspace, by hash.
    Sorted {
        start: u64,
        count: u64,
    },
    Slots(Slots),
}

impl Names {
    pub(super) fn get(&self, hash: u64, workspace: &Workspace) -> io::Result<Option<u64>> {
        let (start, count) = match &self.0 {
            Kept::Slots(slots) => return slots.find(hash).map(|(_, number)| number),
            Kept::Sorted { start, count } => (*start, *count),
        };
        let spool = workspace.spool();
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = [0; SLOT];
            spool.read_at(start + middle * SLOT as u64, &mut bytes)?;
            let (found, number) = read_slot(&bytes);
            match found.cmp(&hash) {
                std::cmp::Ordering::Equal => return Ok(Some(number)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}

/// An open-addressed table in an unnamed file.
#[derive(Debug)]
struct Slots {
    file: File,
    /// Number of slots, as a power of two.
    log: u32,
    taken: u64,
}

impl Slots {
    fn new(log: u32) -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        // A hole reads as zeros, which are free slots; one run more lets the last one be read whole.
        file.set_len(((1_u64 << log) + RUN as u64) * SLOT as u64)?;
        Ok(Self { file, log, taken: 0 })
    }

    /// The slot of `hash`, or the free one where it belongs, and its number.
    fn find(&self, hash: u64) -> io::Result<(u64, Option<u64>)> {
        let slots = 1_u64 << self.log;
        let mut at = hash & (slots - 1);
        let mut run = [0; SLOT * RUN];
        loop {
            self.file.read_exact_at(&mut run, at * SLOT as u64)?;
            for bytes in run.chunks_exact(SLOT) {
                let (found, number) = read_slot(bytes);
                if number == 0 && at < slots {
                    return Ok((at, None));
                }
                if found == hash && number != 0 {
                    return Ok((at, Some(number)));
                }
                at += 1;
                if at >= slots {
                    break;
                }
            }
            at &= slots - 1;
        }
    }

    fn insert(&mut self, hash: u64, number: u64) -> io::Result<Option<u64>> {
        if self.taken >= (1 << self.log) / 4 * 3 {
            self.grow()?;
        }
        let (at, before) = self.find(hash)?;
        self.file.write_all_at(&slot(hash, number), at * SLOT as u64)?;
        self.taken += u64::from(before.is_none());
        Ok(before)
    }

    fn grow(&mut self) -> io::Result<()> {
        let mut larger = Self::new(self.log + 2)?;
        let mut part = vec![0; SLOT << 12];
        let whole = (1_u64 << self.log) * SLOT as u64;
        let mut start = 0;
        while start < whole {
            let count = part.len().min((whole - start) as usize);
            self.file.read_exact_at(&mut part[..count], start)?;
            for bytes in part[..count].chunks_exact(SLOT) {
                let (hash, number) = read_slot(bytes);
                if number != 0 {
                    larger.insert(hash, number)?;
                }
            }
            start += count as u64;
        }
        *self = larger;
        Ok(())
    }
}

fn slot(hash: u64, number: u64) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&hash.to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn read_slot(bytes: &[u8]) -> (u64, u64) {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    (number(&bytes[..8]), number(&bytes[8..SLOT]))
}

/// The keys are hashes already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread over all bits, never repeating.
    fn hash(number: u64) -> u64 {
        (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_table_says_the_same_in_memory_and_in_the_file() {
        let workspace = Workspace::default();
        for most in [10, 1000] {
            let mut table = Table::with_most(most);
            for number in 0..500 {
                assert_eq!(table.insert(hash(number), number * 8 + 1).unwrap(), None);
            }
            assert_eq!(table.file.is_some(), most == 10);
            assert_eq!(table.insert(hash(7), 4).unwrap(), Some(57));
            assert_eq!((table.get(hash(7)).unwrap(), table.get(hash(600)).unwrap()), (Some(4), None));
            let names = table.finish(&workspace).unwrap();
            for number in 0..500 {
                let want = if number == 7 { 4 } else { number * 8 + 1 };
                assert_eq!(names.get(hash(number), &workspace).unwrap(), Some(want));
            }
            assert_eq!(names.get(hash(600), &workspace).unwrap(), None);
        }
    }

    #[test]
    fn a_file_that_fills_up_grows_and_loses_nothing() {
        let mut slots = Slots::new(4).unwrap();
        // Many hashes of one slot, and those of the last slots, which go on at the first.
        let hashes: Vec<u64> = (0..40).map(|number| number << 32 | 14).chain((0..300).map(hash)).collect();
        for (number, hash) in hashes.iter().enumerate() {
            assert_eq!(slots.insert(*hash, number as u64 + 1).unwrap(), None);
        }
        assert!(slots.log > 4);
        for (number, hash) in hashes.iter().enumerate() {
            assert_eq!(slots.find(*hash).unwrap().1, Some(number as u64 + 1));
        }
    }
}
