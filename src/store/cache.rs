//! The content-addressed cache: blobs named by the digest that was computed from their bytes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::StoreError;
use crate::digest::{Digest, Hasher, Hashing};

/// A folder of blobs. Everything in it can be fetched again; a wrong blob is removed when it is met.
#[derive(Clone, Debug)]
pub struct Cache {
    blobs: PathBuf,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Number of blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Cache {
    /// The cache in `folder`, which is made when the first blob is written.
    pub fn new(folder: &Path) -> Self {
        Self { blobs: folder.join("blobs").join("sha256") }
    }

    /// Where the blob is, if it is there; its bytes are not checked.
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.place(digest);
        path.is_file().then_some(path)
    }

    /// Opens a blob for one checked reading from start to end; none if it is not there.
    pub fn open(&self, digest: &Digest) -> Result<Option<BlobReader>, StoreError> {
        let path = self.place(digest);
        match File::open(&path) {
            Ok(file) => {
                // For eviction by age; a read-only cache serves all the same.
                let _ = file.set_modified(SystemTime::now());
                Ok(Some(BlobReader { file, hasher: Some(Hasher::default()), expected: *digest, path }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::file("read", path)(error)),
        }
    }

    /// Reads the blob once and tells whether its bytes are right; a wrong one is removed.
    pub fn check(&self, digest: &Digest) -> Result<bool, StoreError> {
        let Some(mut reader) = self.open(digest)? else { return Ok(false) };
        match io::copy(&mut reader, &mut io::sink()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(error) => Err(StoreError::file("read", self.place(digest))(error)),
        }
    }

    /// Starts a new blob.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        fs::create_dir_all(&self.blobs).map_err(StoreError::file("create the folder", &self.blobs))?;
        let temporary = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.blobs)
            .map_err(StoreError::file("write in", &self.blobs))?;
        Ok(BlobWriter { file: Hashing::new(temporary), blobs: self.blobs.clone() })
    }

    /// Takes in the file at `path`, whose bytes have this digest and stay as they are, by a second name.
    pub fn adopt(&self, digest: &Digest, path: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(&self.blobs).map_err(StoreError::file("create the folder", &self.blobs))?;
        let place = self.place(digest);
        match fs::hard_link(path, &place) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::file("write", place)(error)),
            _ => Ok(()),
        }
    }

    /// How much the cache holds.
    pub fn usage(&self) -> Result<CacheUse, StoreError> {
        let mut usage = CacheUse::default();
        for (_, bytes, _) in self.list()? {
            usage.blobs += 1;
            usage.bytes += bytes;
        }
        Ok(usage)
    }

    /// Removes the least recently used blobs until at most `limit` bytes are left; tells what was removed.
    pub fn shrink(&self, limit: u64) -> Result<CacheUse, StoreError> {
        self.shrink_idle(limit, None)
    }

    /// Whether anything was written since `time`.
    pub fn has_grown_since(&self, time: SystemTime) -> bool {
        fs::metadata(&self.blobs).and_then(|folder| folder.modified()).is_ok_and(|modified| modified >= time)
    }

    /// Like [`Cache::shrink`], but leaves what was used at `busy` or later: another run may need it this moment.
    pub fn shrink_idle(&self, limit: u64, busy: Option<SystemTime>) -> Result<CacheUse, StoreError> {
        let mut blobs = self.list()?;
        blobs.sort_by_key(|(_, _, used)| *used);
        let mut total: u64 = blobs.iter().map(|(_, bytes, _)| bytes).sum();
        let mut removed = CacheUse::default();
        for (path, bytes, used) in blobs {
            if total <= limit || busy.is_some_and(|busy| used >= busy) {
                break;
            }
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::file("remove", path)(error)),
            }
            total -= bytes;
            removed.blobs += 1;
            removed.bytes += bytes;
        }
        Ok(removed)
    }

    fn place(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    fn list(&self) -> Result<Vec<(PathBuf, u64, SystemTime)>, StoreError> {
        let entries = match fs::read_dir(&self.blobs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::file("list", &self.blobs)(error)),
        };
        let mut blobs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::file("list", &self.blobs))?;
            // A blob that another run removes meanwhile counts as gone.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                blobs.push((entry.path(), metadata.len(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
            }
        }
        Ok(blobs)
    }
}

/// A new blob on its way into the cache; dropping it leaves nothing.
pub struct BlobWriter {
    file: Hashing<NamedTempFile>,
    blobs: PathBuf,
}

impl BlobWriter {
    /// Names the blob by its digest, which must be `expected` where that is known; gives digest and size.
    pub fn commit(self, expected: Option<&Digest>) -> Result<(Digest, u64), StoreError> {
        let (temporary, hasher) = self.file.into_parts();
        let size = hasher.length();
        let digest = hasher.digest();
        if let Some(expected) = expected
            && *expected != digest
        {
            return Err(StoreError::Mismatch { expected: *expected, found: digest });
        }
        let place = self.blobs.join(digest.hex());
        temporary.persist(&place).map_err(|error| StoreError::file("write", place)(error.error))?;
        Ok((digest, size))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads a cached blob; the end is an `InvalidData` error, and the blob removed, if the digest is wrong.
pub struct BlobReader {
    file: File,
    hasher: Option<Hasher>,
    expected: Digest,
    path: PathBuf,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..count]);
            }
            return Ok(count);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(hasher) = self.hasher.take() {
            let found = hasher.digest();
            if found != self.expected {
                let _ = fs::remove_file(&self.path);
                let error = StoreError::Mismatch { expected: self.expected, found };
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(cache: &Cache, bytes: &[u8]) -> Digest {
        let mut writer = cache.writer().unwrap();
        writer.write_all(bytes).unwrap();
        writer.commit(None).unwrap().0
    }

    #[test]
    fn a_blob_is_read_back_checked() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let digest = insert(&cache, b"body");
        let mut text = String::new();
        cache.open(&digest).unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "body");
        assert!(cache.open(&Digest::of(b"other")).unwrap().is_none());
    }

    #[test]
    fn a_blob_with_wrong_bytes_is_an_error_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let digest = insert(&cache, b"body");
        fs::write(cache.path(&digest).unwrap(), b"evil").unwrap();
        assert!(!cache.check(&digest).unwrap());
        assert_eq!(cache.path(&digest), None);
    }

    #[test]
    fn bytes_with_another_digest_than_expected_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let mut writer = cache.writer().unwrap();
        writer.write_all(b"evil").unwrap();
        assert!(matches!(writer.commit(Some(&Digest::of(b"good"))), Err(StoreError::Mismatch { .. })));
        assert_eq!(cache.usage().unwrap(), CacheUse::default());
    }

    #[test]
    fn shrinking_removes_the_least_recently_used_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let (old, new) = (insert(&cache, b"old"), insert(&cache, b"new"));
        let path = cache.path(&old).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(cache.shrink(3).unwrap(), CacheUse { blobs: 1, bytes: 3 });
        assert!(cache.path(&old).is_none() && cache.path(&new).is_some());
    }

    #[test]
    fn what_was_used_of_late_outlives_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let start = SystemTime::now() - std::time::Duration::from_secs(60);
        assert!(!cache.has_grown_since(start));
        let (old, new) = (insert(&cache, b"old"), insert(&cache, b"new"));
        let path = cache.path(&old).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(cache.has_grown_since(start));
        assert_eq!(cache.shrink_idle(0, Some(start)).unwrap(), CacheUse { blobs: 1, bytes: 3 });
        assert!(cache.path(&old).is_none() && cache.path(&new).is_some());
    }
}
