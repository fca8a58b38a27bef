//! Reads and hashes the files that were selected, in parallel, and notices when one changes meanwhile.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use rayon::prelude::*;
use rustix::fs::{FileType, fstat};

use super::error::{Error, below};
use super::folder::{Folder, Node, Stamp};
use super::select::Kept;
use super::{Content, Entry, EntryKind, Surroundings, Tree, open};
use crate::cancel::Cancel;
use crate::digest::{Digest, Hasher};
use crate::limits::LimitExceeded;

/// Bytes read at once.
const BUFFER: usize = 128 * 1024;

/// Makes the tree of a plain folder.
pub(super) fn read(folder: &Folder, kept: Vec<Kept>, surroundings: &Surroundings<'_>) -> Result<Tree, Error> {
    check_size(&kept, surroundings.limits.context_bytes)?;
    let firsts = first_names(&kept);
    let entry = |Kept { path, node }: Kept| {
        let kind = match node {
            Node::Directory => EntryKind::Directory,
            Node::Symlink(target) => EntryKind::Symlink(target),
            Node::Special(kind) => return Err(Error::Special { path: crate::escape::name(&path), kind }),
            Node::File(stamp) => match firsts.get(&(stamp.device, stamp.inode)) {
                Some(first) if *first != path => EntryKind::HardLink(first.clone()),
                _ => EntryKind::File {
                    executable: stamp.executable,
                    size: stamp.size,
                    digest: hash(folder, &path, &stamp, surroundings.cancel)?,
                    content: Content::File(below(folder.path(), &path)),
                },
            },
        };
        Ok(Entry { path, kind })
    };
    let entries = kept.into_par_iter().map(entry).collect::<Result<_, _>>()?;
    Ok(Tree { entries })
}

fn check_size(kept: &[Kept], limit: u64) -> Result<(), Error> {
    let mut total: u64 = 0;
    for Kept { path, node } in kept {
        if let Node::File(stamp) = node {
            total = total.saturating_add(stamp.size);
        }
        if total > limit {
            return Err(LimitExceeded { name: "context-bytes", limit, object: crate::escape::name(path) }.into());
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

/// The digest of a file that must still be what it was when it was listed.
fn hash(folder: &Folder, path: &[u8], listed: &Stamp, cancel: &Cancel) -> Result<Digest, Error> {
    let mut file = open::open_file(folder.root(), path).map_err(|error| Error::unreadable(path, error))?;
    if stamp(&file, path)? != *listed {
        return Err(Error::changed(path));
    }
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; BUFFER.min(listed.size as usize + 1)];
    loop {
        cancel.check()?;
        let count = file.read(&mut buffer).map_err(|error| Error::unreadable(path, error))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        if hasher.length() > listed.size {
            break;
        }
    }
    if hasher.length() != listed.size || stamp(&file, path)? != *listed {
        return Err(Error::changed(path));
    }
    Ok(hasher.digest())
}

fn stamp(file: &File, path: &[u8]) -> Result<Stamp, Error> {
    let stat = fstat(file).map_err(|error| Error::unreadable(path, error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::changed(path));
    }
    Ok(Stamp::new(&stat))
}
