//! What a step left in its upper directory, read back as a layer in memory (`run.md` 4).

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FileType, Stat, lgetxattr, lstat, major, minor, readlink};

use super::times::Times;
use super::write::{CAPABILITY, OPAQUE, writing};
use crate::bounds::Bounds;
use crate::engine::native::content::Content;
use crate::engine::native::filesystem::{Filesystem, Inode, InodeId, Kind, Mtime, Owner, Tree};
use crate::engine::native::mount::Mount;
use crate::engine::native::problem::Problem;
use crate::limits::LimitExceeded;

/// Bytes of the longest attribute that is looked at.
const LARGEST: usize = 64 << 10;
/// Bytes of the longest path on this machine that is followed.
const LONGEST: usize = 4_000;

/// The tree that `lower` becomes with what is in the directory `upper`.
pub(super) fn read_back(
    files: &mut Filesystem,
    lower: Option<Tree>,
    upper: &Path,
    times: &Times,
    bounds: Bounds<'_>,
) -> Result<Tree, Problem> {
    let mount = Mount::new(files, lower)?;
    let mut reading = Reading { mount, times, bounds, inodes: HashMap::new(), entries: 0, bytes: 0 };
    let root = reading.mount.tree.root;
    reading.directory(root, upper, false)?;
    Ok(reading.mount.tree)
}

struct Reading<'a> {
    mount: Mount<'a>,
    times: &'a Times,
    bounds: Bounds<'a>,
    /// Which inode a number of the disk is: several names are hard links.
    inodes: HashMap<u64, InodeId>,
    entries: u64,
    bytes: u64,
}

impl Reading<'_> {
    /// Reads the entries of a directory into `own`; in a new one nothing of the lower layers shows.
    fn directory(&mut self, own: InodeId, at: &Path, is_new: bool) -> Result<(), Problem> {
        self.bounds.cancel.check()?;
        if at.as_os_str().len() > LONGEST {
            return Err(Problem::Unproven("it leaves a path that is too long to be read back".to_owned()));
        }
        for entry in fs::read_dir(at).map_err(writing(at))? {
            let name = entry.map_err(writing(at))?.file_name();
            let path = at.join(&name);
            let name: Arc<[u8]> = Arc::from(name.as_bytes());
            let there = lstat(&path).map_err(writing(&path))?;
            self.count(&there, &path)?;
            let below = self.mount.files.entry(own, &name);
            let found = match FileType::from_raw_mode(there.st_mode) {
                FileType::Directory => {
                    let merged = below.filter(|below| !is_new && self.mount.files.get(*below).is_directory());
                    let merged = if is_opaque(&path) { None } else { merged };
                    let (id, is_new) = match merged {
                        Some(below) => (self.mount.copy_up(own, &name, below)?, is_new),
                        None => (self.mount.add_directory()?, true),
                    };
                    self.directory(id, &path, is_new)?;
                    self.attributes(id, &there, &path);
                    Some(id)
                }
                FileType::CharacterDevice if there.st_rdev == 0 => None,
                // Archives can't hold them.
                FileType::Socket => None,
                kind => Some(self.file(kind, &there, &path)?),
            };
            if let Kind::Directory(directory) = &mut self.mount.files.get_mut(own).kind {
                match found {
                    Some(id) => directory.entries.insert(name, id),
                    None => directory.entries.remove(&name),
                };
            }
        }
        Ok(())
    }

    fn file(&mut self, kind: FileType, there: &Stat, path: &Path) -> Result<InodeId, Problem> {
        if let Some(id) = self.inodes.get(&there.st_ino) {
            return Ok(*id);
        }
        let (major, minor) = (major(there.st_rdev), minor(there.st_rdev));
        let kind = match kind {
            FileType::RegularFile => {
                Kind::File(Content::left(path.to_owned(), u64::try_from(there.st_size).unwrap_or_default()))
            }
            FileType::Symlink => {
                Kind::Symlink(Arc::from(readlink(path, Vec::new()).map_err(writing(path))?.as_bytes()))
            }
            FileType::Fifo => Kind::Fifo,
            FileType::CharacterDevice => Kind::CharacterDevice { major, minor },
            FileType::BlockDevice => Kind::BlockDevice { major, minor },
            _ => return Err(Problem::Unproven("it leaves a file of an unknown kind".to_owned())),
        };
        // Takes the layer of what is being read.
        let layer = self.mount.files.get(self.mount.tree.root).layer;
        let owner = Owner::default();
        let inode = Inode { layer, kind, mode: 0, owner, mtime: Mtime::Now, capability: None };
        let id = self.mount.files.add(inode)?;
        self.attributes(id, there, path);
        self.inodes.insert(there.st_ino, id);
        Ok(id)
    }

    fn attributes(&mut self, id: InodeId, there: &Stat, path: &Path) {
        let nanoseconds = u32::try_from(there.st_mtime_nsec).unwrap_or_default();
        let mtime = self.times.in_memory((there.st_mtime, nanoseconds));
        let capability = attribute(path, CAPABILITY).map(Arc::from);
        let inode = self.mount.files.get_mut(id);
        inode.mode = there.st_mode & 0o7777;
        inode.owner = Owner { uid: there.st_uid.into(), gid: there.st_gid.into() };
        inode.mtime = mtime;
        inode.capability = capability;
    }

    /// Holds a step to the bounds of a layer.
    fn count(&mut self, there: &Stat, path: &Path) -> Result<(), Problem> {
        self.entries += 1;
        if FileType::from_raw_mode(there.st_mode) == FileType::RegularFile {
            self.bytes = self.bytes.saturating_add(u64::try_from(there.st_size).unwrap_or_default());
        }
        let limits = self.bounds.limits;
        for (name, found, limit) in
            [("tar-entries", self.entries, limits.tar_entries), ("layer-bytes", self.bytes, limits.layer_bytes)]
        {
            if found > limit {
                let object = crate::escape::name(path.file_name().unwrap_or(OsStr::new("")).as_bytes());
                return Err(Problem::Malformed(LimitExceeded { name, limit, object }.to_string()));
            }
        }
        Ok(())
    }
}

fn is_opaque(path: &Path) -> bool {
    attribute(path, OPAQUE).is_some_and(|value| value == b"y")
}

/// An attribute's value, if there is one.
fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    loop {
        match lgetxattr(path, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                return Some(value);
            }
            Err(rustix::io::Errno::RANGE) if value.len() < LARGEST => value.resize(LARGEST, 0),
            Err(_) => return None,
        }
    }
}
