//! Members that are read once more: layers that were left alone at first, and contents that a comparison asks for.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use super::pool::Job;
use super::source::{At, Opener, Source, open_regular};
use super::{Archive, Content, Held, HeldFile, Surroundings};

impl Archive {
    /// Examines members that were left alone.
    ///
    /// # Errors
    /// When a file or a temporary one can't be read, or the archive came through a pipe; everything else is a finding.
    pub fn examine(&mut self, names: &BTreeSet<Vec<u8>>, around: &Surroundings<'_>) -> io::Result<()> {
        let mut jobs = Vec::new();
        for name in names {
            let Some(Held::File(file)) = self.members.get(name) else { continue };
            if matches!(file.content, Content::Skipped) {
                let place = self.sources.get(name).cloned().ok_or(io::ErrorKind::NotSeekable)?;
                jobs.push(Job { name: name.clone(), size: file.size, place });
            }
        }
        self.read_jobs(jobs, around)
    }

    /// Whether the bytes of a member are kept, or can be read again.
    pub fn holds(&self, name: &[u8]) -> bool {
        let is_kept = |file: &HeldFile| matches!(file.content, Content::Bytes(_));
        self.sources.contains_key(name) || self.file(name).is_some_and(is_kept)
    }

    /// Says in which file the bytes of a member are, whose size only was known.
    pub fn provide(&mut self, name: &[u8], path: PathBuf) {
        self.sources.insert(name.to_vec(), Source::File(path));
    }

    /// What opens a regular file of the archive later on; none if it can't be read again.
    pub fn opener(&self, name: &[u8]) -> Option<Opener> {
        let file = self.file(name)?;
        match self.sources.get(name) {
            Some(source) => Some(Opener::new(source.clone(), file.size)),
            None => Some(Opener::of_bytes(self.bytes(file).ok()??)),
        }
    }

    /// Where the bytes of a regular file are.
    ///
    /// # Errors
    /// As of [`Archive::open`].
    pub fn source(&self, name: &[u8]) -> io::Result<Source> {
        let file = self.file(name).ok_or(io::ErrorKind::NotFound)?;
        match self.bytes(file)? {
            Some(bytes) => Ok(Source::Bytes(bytes)),
            None => self.sources.get(name).cloned().ok_or_else(|| io::ErrorKind::NotSeekable.into()),
        }
    }

    /// Opens a regular file of the archive.
    ///
    /// # Errors
    /// When it can't be read, there is none of that name, or the archive came through a pipe.
    pub fn open(&self, name: &[u8]) -> io::Result<Box<dyn Read + Send + '_>> {
        let file = self.file(name).ok_or(io::ErrorKind::NotFound)?;
        if let Some(bytes) = self.bytes(file)? {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        Ok(match self.sources.get(name) {
            Some(Source::Part { file: whole, offset, .. }) => {
                Box::new(At { file: whole, offset: *offset }.take(file.size))
            }
            Some(Source::File(path)) => Box::new(open_regular(path)?.take(file.size)),
            _ => return Err(io::ErrorKind::NotSeekable.into()),
        })
    }
}
