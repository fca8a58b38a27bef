//! Reads and hashes the files that were selected, in parallel, and notices when one changes meanwhile.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::{FileType, fstat};

use super::cache::Cache;
use super::directory::{Directory, Node, Stamp};
use super::error::{Error, below};
use super::identity::Identity;
use super::select::Kept;
use super::{Content, Entry, EntryKind, Surroundings, open};
use crate::cancel::Cancel;
use crate::digest::{Digest, Hasher};
use crate::escape;
use crate::git::{BlobHasher, ObjectFormat};
use crate::limits::LimitExceeded;

/// Bytes read at once.
const BUFFER: usize = 128 * 1024;
/// So many files with so many bytes are read on one thread.
const FEW: usize = 64;
const LITTLE: u64 = 1 << 20;

/// The entries of a plain directory.
pub(super) fn read(
    directory: &Directory,
    kept: Vec<Kept>,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Entry>, Error> {
    let firsts = first_names(&kept);
    let cache = surroundings.cache.map(|cache| Cache::open(cache, directory.path()));
    let files = Files {
        root: directory.root(),
        path: directory.path(),
        cancel: surroundings.cancel,
        cache: cache.as_ref(),
        format: ObjectFormat::Sha1,
    };
    let entries = read_all(kept, surroundings, |path, stamp| match firsts.get(&(stamp.device, stamp.inode)) {
        Some(first) if first != path => Ok(EntryKind::HardLink(first.clone())),
        _ => Ok(files.entry(path, stamp, stamp.executable, files.hash(path, stamp)?.digest)),
    })?;
    if let Some(cache) = cache {
        cache.save();
    }
    Ok(entries)
}

/// The entries of what was selected; `file` reads one regular file, called from several threads.
pub(super) fn read_all(
    kept: Vec<Kept>,
    surroundings: &Surroundings<'_>,
    file: impl Fn(&[u8], &Stamp) -> Result<EntryKind, Error> + Sync,
) -> Result<Vec<Entry>, Error> {
    check_size(&kept, surroundings.limits.context_bytes)?;
    let entry = |Kept { path, node }: Kept| {
        let kind = match node {
            Node::Directory => EntryKind::Directory,
            Node::Symlink(target) => EntryKind::Symlink(target),
            Node::File(stamp) => file(&path, &stamp)?,
            Node::Special(kind) => return Err(Error::Special { path: escape::name(&path), kind }),
            Node::Sparse => return Err(Error::Sparse { path: escape::name(&path) }),
        };
        Ok(Entry { path, kind })
    };
    // Waking the other threads takes longer than reading a few files.
    let size = |kept: &Kept| if let Node::File(stamp) = &kept.node { stamp.size } else { 0 };
    let is_small = kept.len() <= FEW && kept.iter().map(size).sum::<u64>() <= LITTLE;
    if is_small { kept.into_iter().map(entry).collect() } else { kept.into_par_iter().map(entry).collect() }
}

fn check_size(kept: &[Kept], limit: u64) -> Result<(), Error> {
    let mut total: u64 = 0;
    for Kept { path, node } in kept {
        if let Node::File(stamp) = node {
            total = total.saturating_add(stamp.size);
        }
        if total > limit {
            return Err(LimitExceeded { name: "context-bytes", limit, object: escape::name(path) }.into());
        }
    }
    Ok(())
}

/// The first name, by path bytes, of each file that has several.
fn first_names(kept: &[Kept]) -> HashMap<(u64, u64), Vec<u8>> {
    let mut firsts = HashMap::new();
    for Kept { path, node } in kept {
        if let Node::File(stamp) = node
            && stamp.links > 1
        {
            firsts.entry((stamp.device, stamp.inode)).or_insert_with(|| path.clone());
        }
    }
    firsts
}

/// The files below a context's root.
pub(super) struct Files<'a> {
    pub(super) root: &'a OwnedFd,
    pub(super) path: &'a Path,
    pub(super) cancel: &'a Cancel,
    pub(super) cache: Option<&'a Cache>,
    /// Which ids git gives here.
    pub(super) format: ObjectFormat,
}

impl Files<'_> {
    /// A file that is taken as it lies on disk.
    pub(super) fn entry(&self, path: &[u8], stamp: &Stamp, executable: bool, digest: Digest) -> EntryKind {
        let content = Content::File(below(self.path, path));
        EntryKind::File { executable, size: stamp.size, digest, content }
    }

    /// The identities of a file, from the cache or by reading it.
    pub(super) fn hash(&self, path: &[u8], listed: &Stamp) -> Result<Identity, Error> {
        let Some(cache) = self.cache else { return self.hash_anew(path, listed) };
        if let Some(identity) = cache.find(path, listed).filter(|identity| identity.id.format() == self.format) {
            return Ok(identity);
        }
        cache.prepare();
        let identity = self.hash_anew(path, listed)?;
        cache.learn(path, listed, identity);
        Ok(identity)
    }

    /// Hashes a file that must still be what it was when it was listed.
    fn hash_anew(&self, path: &[u8], listed: &Stamp) -> Result<Identity, Error> {
        let (mut digest, mut id) = (Hasher::default(), BlobHasher::new(listed.size, self.format));
        self.pass(path, listed, |bytes| {
            digest.update(bytes);
            id.update(bytes);
        })?;
        Ok(Identity { digest: digest.digest(), id: id.id() })
    }

    /// The bytes of a file that must still be what it was when it was listed.
    pub(super) fn bytes(&self, path: &[u8], listed: &Stamp) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        self.pass(path, listed, |bytes| all.extend_from_slice(bytes))?;
        Ok(all)
    }

    fn pass(&self, path: &[u8], listed: &Stamp, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let unreadable = |error| Error::unreadable(path, error);
        let mut file = open::open_file(self.root, path).map_err(|error| Error::listed(path, error))?;
        if stamp(&file, path)? != *listed {
            return Err(Error::changed(path));
        }
        let mut buffer = vec![0; BUFFER.min(listed.size as usize + 1)];
        let mut length = 0;
        while length <= listed.size {
            self.cancel.check()?;
            let count = file.read(&mut buffer).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            length += count as u64;
            take(&buffer[..count]);
        }
        if length != listed.size || stamp(&file, path)? != *listed {
            return Err(Error::changed(path));
        }
        Ok(())
    }
}

fn stamp(file: &File, path: &[u8]) -> Result<Stamp, Error> {
    let stat = fstat(file).map_err(|error| Error::unreadable(path, error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::changed(path));
    }
    Ok(Stamp::new(&stat))
}
