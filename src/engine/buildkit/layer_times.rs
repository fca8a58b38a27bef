//! The times inside a new layer: none may lie after the epoch, and downloads keep the locked one.

use std::io::{self, Read};

use super::failure::BuildKitError;
use crate::cancel::Cancel;
use crate::digest::{Hasher, Hashing};
use crate::limits::{LimitExceeded, Limits};
use crate::process::ProcessError;

/// Regular files that are remembered one by one: more than any `ADD` of a URL makes.
const FILES: usize = 64;

/// What a layer's entries say of their times, in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LayerTimes {
    /// The entry with the latest time.
    pub newest: Option<(Vec<u8>, u64)>,
    /// The first regular files and their times.
    pub files: Vec<(Vec<u8>, u64)>,
    /// How many regular files there are.
    pub file_count: u64,
}

/// Why a layer could not be read.
pub(super) enum UnreadableLayer {
    Malformed(io::Error),
    Limit(LimitExceeded),
    Process(ProcessError),
}

impl UnreadableLayer {
    pub fn into_failure(self, engine: &'static str, object: &str) -> BuildKitError {
        match self {
            Self::Malformed(error) => {
                BuildKitError::Malformed { engine, object: object.to_owned(), reason: error.to_string() }
            }
            Self::Limit(limit) => limit.into(),
            Self::Process(error) => error.into(),
        }
    }
}

impl From<io::Error> for UnreadableLayer {
    fn from(error: io::Error) -> Self {
        Self::Malformed(error)
    }
}

/// Reads an uncompressed layer to its end: its times, and the hash of all its bytes.
pub(super) fn read_new_layer(
    layer: impl Read,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<(LayerTimes, Hasher), UnreadableLayer> {
    let mut archive = tar::Archive::new(Hashing::new(io::BufReader::with_capacity(256 << 10, layer)));
    let mut times = LayerTimes::default();
    let mut count = 0;
    for entry in archive.entries()? {
        cancel.check().map_err(|error| UnreadableLayer::Process(error.into()))?;
        let mut entry = entry?;
        count += 1;
        if count > limits.tar_entries {
            let object = "a new layer".to_owned();
            return Err(UnreadableLayer::Limit(LimitExceeded {
                name: "tar-entries",
                limit: limits.tar_entries,
                object,
            }));
        }
        let mut time = entry.header().mtime()?;
        for extension in entry.pax_extensions()?.into_iter().flatten() {
            let extension = extension?;
            if extension.key_bytes() == b"mtime" {
                // Negative times are below every epoch.
                let text = extension.value().unwrap_or_default();
                time = text.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(0);
            }
        }
        let is_file = entry.header().entry_type().is_file();
        let is_newest = times.newest.as_ref().is_none_or(|(_, newest)| time > *newest);
        if is_file {
            times.file_count += 1;
        }
        if is_newest || (is_file && times.files.len() < FILES) {
            let path = entry.path_bytes().into_owned();
            if is_newest {
                times.newest = Some((path.clone(), time));
            }
            if is_file && times.files.len() < FILES {
                times.files.push((path, time));
            }
        }
    }
    let mut rest = archive.into_inner();
    let mut buffer = [0; 8 << 10];
    loop {
        let count = rest.read(&mut buffer)?;
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Err(io::Error::other("there is something after the end of the archive").into());
        }
        if count == 0 {
            break;
        }
    }
    Ok((times, rest.into_parts().1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DiffId;

    fn read(bytes: &[u8]) -> Result<(LayerTimes, DiffId), String> {
        match read_new_layer(bytes, &Limits::default(), &Cancel::default()) {
            Ok((times, hasher)) => Ok((times, hasher.diff_id())),
            Err(error) => Err(error.into_failure("buildctl", "layer").to_string()),
        }
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
    fn cut_and_continued_layers_are_refused() {
        let bytes = layer(&[("a", tar::EntryType::Regular, 5)]);
        assert!(read(&bytes[..600]).is_err());
        let mut longer = bytes.clone();
        longer.extend_from_slice(&[1; 512]);
        let error = read(&longer).unwrap_err();
        assert!(error.ends_with("there is something after the end of the archive"), "{error}");
    }
}
