//! Which tapes were pushed from here, remembered in the cache's directory, so that builds need not ask the registry each time.

use std::fs;
use std::path::PathBuf;

use super::super::machine::Machine;
use crate::digest::Digest;
use crate::store::replace_file;

/// Bytes of one note.
const LARGEST: u64 = 64 << 10;

/// Whether what has this digest is known to be in `repository`, or in any if none is named.
pub fn is_known(machine: &Machine, digest: Digest, repository: Option<&str>) -> bool {
    let known = read(machine, digest);
    repository.map_or(!known.is_empty(), |repository| known.iter().any(|known| known == repository))
}

/// Remembers that what has this digest is in `repository`; a directory that can't be written makes no difference.
pub fn remember(machine: &Machine, digest: Digest, repository: &str) {
    let mut known = read(machine, digest);
    if !known.iter().any(|known| known == repository) {
        known.push(repository.to_owned());
        known.sort();
        let text: String = known.into_iter().map(|repository| repository + "\n").collect();
        if let Some(path) = path(machine, digest)
            && path.parent().is_some_and(|directory| fs::create_dir_all(directory).is_ok())
        {
            let _ = replace_file(&path, text.as_bytes());
        }
    }
}

fn path(machine: &Machine, digest: Digest) -> Option<PathBuf> {
    Some(machine.cache_directory().ok()?.join("pushed").join(digest.hex()))
}

fn read(machine: &Machine, digest: Digest) -> Vec<String> {
    let path = path(machine, digest).filter(|path| path.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST));
    let text = path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
