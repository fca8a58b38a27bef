//! Where an archive or a layout goes: it is there whole, or nothing is.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::contents::Contents;
use crate::digest::Digest;
use crate::store::{Replacement, StoreError, make_directory};

/// A place for an archive or a layout.
#[derive(Clone, Debug)]
pub enum Sink {
    /// An archive, which takes the place of a file.
    Archive(PathBuf),
    /// A layout, in a directory that is new or empty.
    Layout(PathBuf),
}

/// An archive in which some blobs stand already, checked, each where it starts; it may become the one that is written.
pub struct Standing<'a> {
    /// The archive.
    pub archive: &'a Path,
    /// Where blobs start.
    pub places: BTreeMap<Digest, u64>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file can't be replaced.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A blob can't be had or is not what it should be, or the place takes no more.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl Sink {
    /// The path that is written to.
    pub fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Layout(path) => path,
        }
    }

    /// Writes `contents`; around what is `standing`, if that has the right places and this file system.
    pub fn write(&self, contents: &Contents<'_>, standing: Option<Standing<'_>>) -> Result<(), SinkError> {
        let path = match self {
            Self::Archive(path) => path,
            Self::Layout(path) => return Ok(make_directory(path, |directory| contents.write_layout(directory))?),
        };
        if let Some(Standing { archive, places }) = standing
            && contents.has_places(&places)?
            && let Ok(mut taken) = Replacement::take(archive, path)
        {
            contents.write_around(taken.file(), &places)?;
            return Ok(taken.finish_unsynced()?);
        }
        let mut replacement = Replacement::start(path)?;
        let mut out = BufWriter::with_capacity(1 << 17, &mut replacement);
        contents.write_archive(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(if contents.is_only_copy { replacement.finish() } else { replacement.finish_unsynced() }?)
    }
}
