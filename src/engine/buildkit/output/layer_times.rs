//! The times inside a new layer: none may lie after the epoch, and downloads keep the locked one.

use std::io::Read;

use crate::bounds::Bounds;
use crate::cancel::Cancelled;
use crate::digest::{Hasher, Hashing};
use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;
use crate::layer::tar::{End, Kind, Reader, TarError};
use crate::layer::whiteout::Whiteout;
use crate::process::ProcessError;

/// Regular files that are remembered one by one: more than any `ADD` of a URL makes.
const FILES: usize = 64;

/// What a layer's entries say of their times, in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerTimes {
    /// The entry with the latest time.
    pub newest: Option<(Vec<u8>, i64)>,
    /// The first regular files and their times.
    pub files: Vec<(Vec<u8>, i64)>,
    /// How many regular files there are.
    pub file_count: u64,
}

/// Why a layer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableLayer {
    #[error(transparent)]
    Tar(#[from] TarError),
    #[error("it ends without two blocks of zeros")]
    Short,
    #[error("the name {0}: in an image it is no file, but hides the one without `.wh.`")]
    Whiteout(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl UnreadableLayer {
    pub fn into_failure(self, engine: &'static str, object: &str) -> BuildKitError {
        match self {
            Self::Cancelled(cancelled) => ProcessError::from(cancelled).into(),
            error => BuildKitError::Malformed { engine, object: object.to_owned(), reason: error.to_string() },
        }
    }
}

/// Reads an uncompressed layer to its end: its times, and the hash of all its bytes.
pub fn read_new_layer(layer: impl Read, bounds: Bounds<'_>) -> Result<(LayerTimes, Hasher), UnreadableLayer> {
    let mut reader = Reader::new(Hashing::new(layer), bounds.limits);
    let mut times = LayerTimes::default();
    while let Some(member) = reader.next()? {
        bounds.cancel.check()?;
        let name = member.key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let is_plain = member.entry.kind == Kind::File && member.entry.size == 0;
        match Whiteout::parse(name) {
            Ok(None) => {}
            Ok(Some(_)) if is_plain => {}
            _ => return Err(UnreadableLayer::Whiteout(escape::name(&member.entry.path))),
        }
        let entry = member.entry;
        // Between two whole seconds counts as the later one.
        let time = entry.mtime.saturating_add(i64::from(member.nanoseconds > 0));
        if times.newest.as_ref().is_none_or(|(_, newest)| time > *newest) {
            times.newest = Some((entry.path.clone(), time));
        }
        if entry.kind == Kind::File {
            times.file_count += 1;
            if times.files.len() < FILES {
                times.files.push((entry.path, entry.mtime));
            }
        }
    }
    if reader.end() != Some(End::Complete) {
        return Err(UnreadableLayer::Short);
    }
    Ok((times, reader.into_inner().into_parts().1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::digest::DiffId;
    use crate::limits::Limits;

    fn read(bytes: &[u8]) -> Result<(LayerTimes, DiffId), String> {
        let read = read_new_layer(bytes, Bounds { limits: &Limits::default(), cancel: &Cancel::default() });
        read.map(|(times, hasher)| (times, hasher.diff_id())).map_err(|error| error.to_string())
    }

    fn layer(entries: &[(&str, tar::EntryType, u64)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, time) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_mtime(*time);
            let content: &[u8] = if kind.is_file() { b"abc" } else { b"" };
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn the_newest_entry_and_the_files_are_told_and_all_bytes_hashed() {
        use tar::EntryType::{Directory, Regular};
        let bytes = layer(&[("d/", Directory, 9), ("d/a", Regular, 5), ("d/b", Regular, 7)]);
        let (times, diff_id) = read(&bytes).unwrap();
        assert_eq!(diff_id, DiffId::of(&bytes));
        assert_eq!(times.newest, Some((b"d/".to_vec(), 9)));
        assert_eq!(times.files, [(b"d/a".to_vec(), 5), (b"d/b".to_vec(), 7)]);
        let empty = vec![0; 1024];
        assert_eq!(read(&empty).unwrap(), (LayerTimes::default(), DiffId::of(&empty)));
    }

    #[test]
    fn names_of_whiteouts_that_are_none_are_refused() {
        use tar::EntryType::{Directory, Regular};
        for (name, kind) in [("d/.wh.x", Regular), ("d/.wh.x/", Directory), (".wh.", Regular), ("a/.wh..wh.b", Regular)]
        {
            let error = read(&layer(&[(name, kind, 5)])).unwrap_err();
            assert!(error.starts_with("the name ") && error.contains(".wh."), "{error}");
        }
        let mut empty = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        empty.append_data(&mut header, "d/.wh.x", &b""[..]).unwrap();
        assert!(read(&empty.into_inner().unwrap()).is_ok());
    }

    #[test]
    fn cut_and_continued_layers_are_refused() {
        let bytes = layer(&[("a", tar::EntryType::Regular, 5)]);
        assert!(read(&bytes[..600]).is_err());
        assert_eq!(read(&bytes[..1536]).unwrap_err(), "it ends without two blocks of zeros");
        let mut longer = bytes.clone();
        longer.extend_from_slice(&[1; 512]);
        assert!(read(&longer).is_err());
    }
}
