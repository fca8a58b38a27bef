//! The contents of files that differ, kept while both sides are read for the first time.
//!
//! Two builds of one image are much alike and are read at one pace. So a file's content is mostly still at hand on one side
//! when the other comes by the same path: where both have the same, it is forgotten, else both are kept. What was missed
//! is read once more by [`fetch`](super::fetch()).

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::layer::Contents;

/// The largest file that is kept.
const MOST_FILE: u64 = 1 << 20;
/// Bytes of contents that wait, on each side, for the other side.
const MOST_WAITING: usize = 16 << 20;
/// Bytes of contents that are kept.
const MOST_KEPT: usize = 32 << 20;

/// Contents that both sides have at one path and that are not the same.
#[derive(Default)]
pub struct Unlike {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    waiting: [Waiting; 2],
    kept: HashMap<Digest, Arc<[u8]>>,
    kept_bytes: usize,
}

/// What one side has read and the other has not.
#[derive(Default)]
struct Waiting {
    files: HashMap<Vec<u8>, (Digest, Vec<u8>)>,
    /// Paths as they came; some are gone.
    order: VecDeque<Vec<u8>>,
    bytes: usize,
}

/// One side of them.
pub struct OfSide<'a> {
    unlike: &'a Unlike,
    side: usize,
}

impl Unlike {
    /// Who takes the contents of that side, 0 or 1.
    pub fn side(&self, side: usize) -> OfSide<'_> {
        OfSide { unlike: self, side: side.min(1) }
    }

    /// The content with that digest, if it was kept.
    pub fn get(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.lock().kept.get(digest).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents for OfSide<'_> {
    fn most(&self) -> u64 {
        MOST_FILE
    }

    fn take(&self, path: &[u8], digest: &Digest, content: Vec<u8>) {
        let mut known = self.unlike.lock();
        match known.waiting[1 - self.side].remove(path) {
            Some((other, _)) if other == *digest => {}
            Some((other, its)) => {
                known.keep(other, its);
                known.keep(*digest, content);
            }
            None => known.waiting[self.side].insert(path.to_vec(), *digest, content),
        }
    }
}

impl Known {
    fn keep(&mut self, digest: Digest, content: Vec<u8>) {
        if self.kept_bytes + content.len() <= MOST_KEPT && !self.kept.contains_key(&digest) {
            self.kept_bytes += content.len();
            self.kept.insert(digest, content.into());
        }
    }
}

impl Waiting {
    fn remove(&mut self, path: &[u8]) -> Option<(Digest, Vec<u8>)> {
        let found = self.files.remove(path)?;
        self.bytes -= found.1.len();
        Some(found)
    }

    fn insert(&mut self, path: Vec<u8>, digest: Digest, content: Vec<u8>) {
        self.remove(&path);
        self.bytes += content.len();
        self.order.push_back(path.clone());
        self.files.insert(path, (digest, content));
        while self.bytes > MOST_WAITING || self.order.len() > 4 * self.files.len() + 1024 {
            let Some(oldest) = self.order.pop_front() else { return };
            self.remove(&oldest);
        }
    }
}

impl fmt::Debug for Unlike {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} contents that are not alike", self.lock().kept.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(unlike: &Unlike, side: usize, path: &str, content: &[u8]) {
        unlike.side(side).take(path.as_bytes(), &Digest::of(content), content.to_vec());
    }

    #[test]
    fn contents_are_kept_where_both_sides_have_a_path_and_not_the_same() {
        let unlike = Unlike::default();
        for (side, path, content) in
            [(0, "a", "same"), (1, "b", "two"), (1, "a", "same"), (0, "b", "one"), (0, "only", "first")]
        {
            take(&unlike, side, path, content.as_bytes());
        }
        let kept = |content: &str| unlike.get(&Digest::of(content.as_bytes())).map(|bytes| bytes.to_vec());
        assert_eq!((kept("one"), kept("two")), (Some(b"one".to_vec()), Some(b"two".to_vec())));
        assert_eq!((kept("same"), kept("first")), (None, None));
    }

    #[test]
    fn what_waits_too_long_is_forgotten() {
        let unlike = Unlike::default();
        let large = vec![7; MOST_FILE as usize];
        for at in 0..=MOST_WAITING / large.len() {
            take(&unlike, 0, &at.to_string(), &large);
        }
        take(&unlike, 1, "0", b"other");
        take(&unlike, 1, "1", b"another");
        assert_eq!(unlike.get(&Digest::of(b"other")), None);
        assert!(unlike.get(&Digest::of(b"another")).is_some());
    }

    #[test]
    fn no_more_is_held_than_may_be() {
        let unlike = Unlike::default();
        for at in 0..100_u8 {
            for side in 0..2_u8 {
                take(&unlike, side.into(), &at.to_string(), &vec![at * 2 + side; MOST_FILE as usize]);
            }
        }
        let known = unlike.lock();
        assert_eq!(known.kept_bytes, MOST_KEPT);
        assert!(known.waiting.iter().all(|waiting| waiting.bytes == 0 && waiting.order.len() <= 1024));
    }
}
