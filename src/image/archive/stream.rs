//! Archives from a pipe: read once, with every member handed on to the cores while the next one comes.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::member::{Keeping, Nature, admit, are_too_many};
use super::pool::Outcome;
use super::{Archive, Surroundings};
use crate::layer::tar::Reader;

/// Bytes that are handed on at once.
const PIECE: usize = 256 << 10;
/// Pieces that may wait for a core, of one member.
const WAITING: usize = 4;

impl Archive {
    /// Reads the archive that `source` gives.
    ///
    /// # Errors
    /// When the stream or a temporary file fails; everything else is a finding.
    pub fn read_stream(mut source: impl Read, around: &Surroundings<'_>) -> io::Result<Self> {
        let mut archive = Self::new(around.limits);
        let mut start = Vec::new();
        source.by_ref().take(512).read_to_end(&mut start)?;
        if !archive.looks_like_tar(&start) {
            return Ok(archive);
        }
        let mut reader = Reader::of_image_archive(Cursor::new(start).chain(source), around.limits);
        let outcomes = Mutex::new(Vec::new());
        // What threads keep goes here, while the members are noted in `archive`.
        let kept = Self::new(around.limits);
        let keeping = Keeping { archive: &kept, around };
        let read = thread::scope(|scope| -> io::Result<()> {
            let (done, ended) = channel::<()>();
            let mut running = 0;
            loop {
                around.cancel.check().map_err(io::Error::other)?;
                let member = match reader.next() {
                    Ok(Some(member)) => member,
                    Ok(None) => return Ok(()),
                    Err(error) => return archive.broken(error),
                };
                let is_file = admit(&mut archive, &member);
                if are_too_many(&mut archive, around) {
                    return Ok(());
                }
                if !is_file {
                    continue;
                }
                let (name, size) = (member.key, member.entry.size);
                let mut content = reader.content();
                let mut start = Vec::new();
                let outcome = content.by_ref().take(size.min(Nature::START)).read_to_end(&mut start);
                if let Err(error) = outcome {
                    return archive.broken(error.into());
                }
                if Nature::of(size, &start, around) == Nature::Kept || around.is_fast {
                    let outcome = keeping.read(&name, size, &start, content);
                    let has_failed = outcome.is_err();
                    push(&outcomes, (name, outcome));
                    if has_failed {
                        return Ok(());
                    }
                    continue;
                }
                if running == around.threads.max(1) {
                    let _ = ended.recv();
                    running -= 1;
                }
                running += 1;
                let (pieces, incoming) = sync_channel(WAITING);
                let (spare, spares) = channel();
                let (outcomes, done) = (&outcomes, done.clone());
                scope.spawn(move || {
                    let handed = Handed { incoming, spare, piece: Vec::new(), at: 0 };
                    push(outcomes, (name.clone(), keeping.read(&name, size, &start, handed)));
                    let _ = done.send(());
                });
                if let Err(error) = hand_on(&mut content, &pieces, &spares) {
                    return archive.broken(error.into());
                }
            }
        });
        archive.note_end(reader.end());
        read?;
        archive.workspace = kept.workspace;
        archive.documents = kept.documents;
        let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        archive.take_in(outcomes)?;
        Ok(archive)
    }
}

fn push(outcomes: &Mutex<Vec<Outcome>>, outcome: Outcome) {
    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
}

/// Reads `content` to its end in pieces, into memory that comes back.
fn hand_on(content: &mut impl Read, pieces: &SyncSender<Vec<u8>>, spares: &Receiver<Vec<u8>>) -> io::Result<()> {
    loop {
        let mut piece: Vec<u8> = spares.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
        piece.resize(PIECE, 0);
        let mut filled = 0;
        while filled < PIECE {
            match content.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        piece.truncate(filled);
        // Whoever does not take it any more has failed, and says so itself.
        if filled == 0 || pieces.send(piece).is_err() {
            return Ok(());
        }
    }
}

/// Reads what another thread hands on.
struct Handed {
    incoming: Receiver<Vec<u8>>,
    spare: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Handed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            let Ok(next) = self.incoming.recv() else { return Ok(0) };
            let _ = self.spare.send(std::mem::replace(&mut self.piece, next));
            self.at = 0;
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
