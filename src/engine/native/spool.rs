//! An archive's decompressed stream, kept in the work directory once a member's content is asked for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

type Open = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// A stream whose parts are wanted in another order than they come.
pub(super) struct Spool {
    open: Box<Open>,
    place: PathBuf,
    members_only: bool,
    spooled: OnceLock<PathBuf>,
    writing: Mutex<()>,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Spool {
    /// A stream that `open` gives, checked to its end; `place` is a file of the work directory that doesn't exist yet.
    pub(super) fn new(
        place: PathBuf,
        open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self::make(place, false, Box::new(open)))
    }

    /// The same for a stream that need be readable only as far as its members go.
    pub(super) fn of_members(
        place: PathBuf,
        open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self::make(place, true, Box::new(open)))
    }

    fn make(place: PathBuf, members_only: bool, open: Box<Open>) -> Self {
        Self { open, place, members_only, spooled: OnceLock::new(), writing: Mutex::new(()) }
    }

    /// The stream from its start.
    pub(super) fn stream(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.open)()
    }

    /// A file that holds the whole stream; the first call writes it.
    pub(super) fn path(&self) -> io::Result<&Path> {
        if let Some(path) = self.spooled.get() {
            return Ok(path);
        }
        let _writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.spooled.get().is_none() {
            let mut file = File::create_new(&self.place)?;
            match io::copy(&mut (self.open)()?, &mut file) {
                // What stands behind the end of an archive need not be readable.
                Err(_) if self.members_only => {}
                copied => drop(copied?),
            }
        }
        Ok(self.spooled.get_or_init(|| self.place.clone()))
    }
}
