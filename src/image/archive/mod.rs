//! What an image archive or a layout holds: every member read once, hashed, and layers checked on the way.
//!
//! A file is walked by its headers and its members are then read by all cores; a pipe is read once from its start to its
//! end, with the members handed on to the cores; a layout is like a file whose members are files. In each case a member
//! becomes a [`Held`]: its sums, and either its bytes (documents and everything small, in a [`Spool`]) or what the
//! examination of a layer found. Blobs can come in any order, so nothing is compared with any document here: that is
//! [`super::validate`].

mod again;
mod directory;
mod file;
mod member;
mod pipe;
mod pool;
mod source;
mod stream;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cancel::Cancel;
use crate::digest::{Algorithm, Checksums};
use crate::layer::{Contents, Examined, Listed, Workspace};
use crate::limits::Limits;
use crate::store::Spool;

use super::findings::Findings;

pub use pipe::Pipe;
pub use source::{Opener, Source};

/// Bytes of documents that stay in memory.
const DOCUMENTS_IN_MEMORY: usize = 8 << 20;

/// What all readers of one archive share.
pub struct Surroundings<'a> {
    /// The limits.
    pub limits: &'a Limits,
    /// Tells when to stop.
    pub cancel: &'a Cancel,
    /// How many threads may work.
    pub threads: usize,
    /// Whether to leave the contents of layers alone.
    pub is_fast: bool,
    /// What of the entries of layers is kept.
    pub listed: Listed,
    /// Who gets the contents of the files in layers, where these are listed.
    pub contents: Option<&'a dyn Contents>,
    /// Whether sha512 is computed of everything, not only of blobs that are named by it.
    pub sums_both: bool,
}

/// Everything that an archive or a layout holds.
pub struct Archive {
    /// The members by name, `./` taken away.
    pub members: BTreeMap<Vec<u8>, Held>,
    /// What is wrong with the archive itself.
    pub findings: Findings,
    /// Shared by the layers.
    pub workspace: Workspace,
    documents: Mutex<Spool>,
    /// Where members can be read again, as far as they can.
    sources: BTreeMap<Vec<u8>, Source>,
}

/// One member.
#[derive(Debug)]
pub enum Held {
    /// A regular file.
    File(Box<HeldFile>),
    /// A symbolic link, which only docker archives may have, at `<directory>/layer.tar`.
    Link {
        /// Where it points, as it stands there.
        target: Vec<u8>,
    },
    /// A directory.
    Directory,
    /// Something that must not be there; a violation says so.
    Refused,
}

/// A regular file.
#[derive(Debug)]
pub struct HeldFile {
    /// How many bytes it has.
    pub size: u64,
    /// What they hash to; none if they were left alone.
    pub sums: Option<Checksums>,
    /// What they are.
    pub content: Content,
}

/// What was kept of a file.
#[derive(Debug)]
pub enum Content {
    /// All bytes, at this place.
    Bytes(u64),
    /// What its examination as a layer found.
    Layer(Box<Examined>),
    /// Nothing: it was left alone.
    Skipped,
}

impl Archive {
    fn new(limits: &Limits) -> Self {
        Self {
            members: BTreeMap::new(),
            findings: Findings::new(limits.report_items),
            workspace: Workspace::default(),
            documents: Mutex::new(Spool::new(DOCUMENTS_IN_MEMORY)),
            sources: BTreeMap::new(),
        }
    }

    fn documents(&self) -> MutexGuard<'_, Spool> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The regular file of that name.
    pub fn file(&self, name: &[u8]) -> Option<&HeldFile> {
        match self.members.get(name) {
            Some(Held::File(file)) => Some(file),
            _ => None,
        }
    }

    /// The bytes of a file that was kept.
    pub fn bytes(&self, file: &HeldFile) -> io::Result<Option<Vec<u8>>> {
        match file.content {
            Content::Bytes(place) => self.documents().get(place, file.size).map(Some),
            _ => Ok(None),
        }
    }
}

/// The algorithm that a member's name asks for.
fn algorithm_of(name: &[u8]) -> Algorithm {
    if name.starts_with(b"blobs/sha512/") { Algorithm::Sha512 } else { Algorithm::Sha256 }
}
