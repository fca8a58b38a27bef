//! Uploads: hashed as they come, renamed to their digest when all is there.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::hash::{BuildHasher, Hasher as _, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::answer::Refusal;
use crate::digest::{Digest, Hasher};
use crate::store::temporary_file;

/// Uploads at once.
const MOST: usize = 64;
/// An upload that nobody goes on with is forgotten after so long.
const IDLE: Duration = Duration::from_secs(600);
/// Where there are too many, one that rested for so long makes room.
const RESTING: Duration = Duration::from_secs(5);
const PIECE: usize = 128 << 10;

/// All uploads.
#[derive(Default)]
pub(super) struct Uploads(Mutex<BTreeMap<String, Shared>>);

/// One upload, which one request at a time goes on with.
pub(super) type Shared = Arc<Mutex<Upload>>;

/// One upload.
pub(super) struct Upload {
    file: NamedTempFile,
    hasher: Hasher,
    used: Instant,
}

impl Uploads {
    /// Begins an upload; gives its name.
    pub fn begin(&self, directory: &Path) -> Result<(String, Shared), Refusal> {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|_, upload| upload.try_lock().map_or(true, |upload| upload.used.elapsed() < IDLE));
        if uploads.len() >= MOST {
            // Whoever began the oldest has most likely gone away.
            let idle = |upload: &Shared| Some(upload.try_lock().ok()?.used.elapsed()).filter(|idle| *idle >= RESTING);
            let oldest = uploads.iter().filter_map(|(name, upload)| Some((idle(upload)?, name.clone()))).max();
            let (_, name) = oldest.ok_or(Refusal::TooMany)?;
            uploads.remove(&name);
        }
        let file = temporary_file(directory).map_err(|_| Refusal::Broken)?;
        let random = || RandomState::new().build_hasher().finish();
        let name = format!("{:016x}{:016x}", random(), random());
        let upload = Arc::new(Mutex::new(Upload { file, hasher: Hasher::default(), used: Instant::now() }));
        uploads.insert(name.clone(), Arc::clone(&upload));
        Ok((name, upload))
    }

    /// The upload of this name.
    pub fn get(&self, name: &str) -> Option<Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Forgets an upload.
    pub fn end(&self, name: &str) -> Option<Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }
}

impl Upload {
    /// Bytes that came so far.
    pub fn length(&self) -> u64 {
        self.hasher.length()
    }

    /// Takes what comes, up to `limit` bytes in all; what came before an end too early stays.
    pub fn take(&mut self, mut body: impl Read, limit: u64) -> Result<(), Refusal> {
        let mut piece = vec![0; PIECE];
        loop {
            self.used = Instant::now();
            let count = body.read(&mut piece).map_err(|_| Refusal::SizeInvalid)?;
            if count == 0 {
                return Ok(());
            }
            if self.length() + count as u64 > limit {
                return Err(Refusal::TooLarge);
            }
            self.file.write_all(&piece[..count]).map_err(|_| Refusal::Broken)?;
            self.hasher.update(&piece[..count]);
        }
    }

    /// Puts the bytes to where blobs of their digest are, if it is `expected`.
    pub fn keep(&mut self, expected: Digest, place: &Path) -> Result<(), Refusal> {
        if self.hasher.clone().digest() != expected {
            return Err(Refusal::DigestInvalid);
        }
        let keep = || -> io::Result<()> {
            self.file.as_file().set_permissions(Permissions::from_mode(0o644))?;
            std::fs::rename(self.file.path(), place)
        };
        keep().map_err(|_| Refusal::Broken)
    }
}
