//! Hashing on a thread of its own, beside what else is done with the bytes.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use super::Hasher;

/// Pieces that may wait to be hashed.
const WAITING: usize = 4;

/// A [`Hasher`] on a thread of its own, for bytes of which there are so many that a copy costs less than the wait.
pub struct AsideHasher {
    pieces: SyncSender<Vec<u8>>,
    /// Buffers to be filled again.
    hashed: Receiver<Vec<u8>>,
    thread: JoinHandle<Hasher>,
    length: u64,
}

impl AsideHasher {
    /// Starts the thread.
    ///
    /// # Errors
    /// That of the system if there can be no more threads.
    pub fn start() -> io::Result<Self> {
        let (pieces, waiting) = sync_channel::<Vec<u8>>(WAITING);
        let (back, hashed) = channel();
        let hash = move || {
            let mut hasher = Hasher::default();
            for piece in waiting {
                hasher.update(&piece);
                // Nobody takes buffers back any more once all pieces are sent.
                let _ = back.send(piece);
            }
            hasher
        };
        let thread = thread::Builder::new().name("sha256".to_owned()).spawn(hash)?;
        Ok(Self { pieces, hashed, thread, length: 0 })
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut piece = self.hashed.try_recv().unwrap_or_default();
        piece.clear();
        piece.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        // The thread takes pieces until there are no more, so this fails only after it panicked, which `finish` tells.
        let _ = self.pieces.send(piece);
    }

    /// How many bytes were taken in.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until all is hashed.
    pub fn finish(self) -> Hasher {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn pieces_of_all_sizes_give_the_digest_of_the_whole() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let mut hasher = AsideHasher::start().unwrap();
        let mut rest = bytes.as_slice();
        for size in (0..).map(|number| number * number % 977) {
            let (piece, left) = rest.split_at(size.min(rest.len()));
            hasher.update(piece);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(hasher.length(), 200_000);
        assert_eq!(hasher.finish().digest(), Digest::of(&bytes));
        assert_eq!(AsideHasher::start().unwrap().finish().digest(), Digest::of(b""));
    }
}
