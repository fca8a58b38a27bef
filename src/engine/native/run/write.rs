//! Trees in memory written to the disk: whole, or what a layer changes, in overlayfs's terms.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, linkat, lsetxattr,
    makedev, mkdirat, mknodat, symlinkat, utimensat,
};

use super::times::Times;
use crate::cancel::Cancel;
use crate::engine::native::filesystem::{Filesystem, InodeId, Kind, Mtime, Tree};
use crate::engine::native::problem::Problem;

/// The attribute of a directory that hides what is below it.
pub(super) const OPAQUE: &str = "trusted.overlay.opaque";
/// The only attribute of an image's files that shows.
pub(super) const CAPABILITY: &str = "security.capability";

/// Writes trees of one build.
pub(super) struct Writer<'a> {
    pub(super) files: &'a mut Filesystem,
    pub(super) times: &'a mut Times,
    pub(super) cancel: &'a Cancel,
    /// Where each inode was put in this directory.
    names: HashMap<InodeId, PathBuf>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(files: &'a mut Filesystem, times: &'a mut Times, cancel: &'a Cancel) -> Self {
        Self { files, times, cancel, names: HashMap::new() }
    }

    /// Writes into the empty directory `at` what makes `upper` of `lower`; all of it if there is none.
    ///
    /// Every directory on the way was made here, so no link is ever followed.
    pub(super) fn write(mut self, lower: Option<Tree>, upper: Tree, at: &Path) -> Result<(), Problem> {
        self.entries(upper.root, lower.map(|tree| tree.root), at)?;
        self.attributes(upper.root, at)
    }

    fn entries(&mut self, upper: InodeId, lower: Option<InodeId>, at: &Path) -> Result<(), Problem> {
        self.cancel.check()?;
        if let Some(lower) = lower {
            for (name, _) in self.files.entries(lower) {
                if self.files.entry(upper, &name).is_none() {
                    whiteout(&at.join(OsStr::from_bytes(&name))).map_err(writing(at))?;
                }
            }
        }
        for (name, id) in self.files.entries(upper) {
            let below = lower.and_then(|lower| self.files.entry(lower, &name));
            if below != Some(id) {
                self.entry(id, below, &at.join(OsStr::from_bytes(&name)))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, id: InodeId, below: Option<InodeId>, at: &Path) -> Result<(), Problem> {
        if !self.files.get(id).is_directory() {
            return self.file(id, at);
        }
        mkdirat(CWD, at, Mode::from_raw_mode(0o700)).map_err(writing(at))?;
        let identity = |id: InodeId| self.files.get(id).directory().map(|directory| directory.identity);
        let below = below.filter(|below| self.files.get(*below).is_directory());
        let merged = below.filter(|below| identity(*below) == identity(id));
        if below.is_some() && merged.is_none() {
            lsetxattr(at, OPAQUE, b"y", XattrFlags::empty()).map_err(writing(at))?;
        }
        self.entries(id, merged, at)?;
        self.attributes(id, at)
    }

    fn file(&mut self, id: InodeId, at: &Path) -> Result<(), Problem> {
        if let Some(first) = self.names.get(&id) {
            return linkat(CWD, first, CWD, at, AtFlags::empty()).map_err(writing(at));
        }
        let node = |kind, major, minor| mknodat(CWD, at, kind, Mode::from_raw_mode(0o600), makedev(major, minor));
        match self.files.get(id).kind.clone() {
            Kind::Directory(_) => return Ok(()),
            Kind::File(content) => {
                let written = || -> io::Result<()> {
                    let mut file = File::options().write(true).create_new(true).mode(0o600).open(at)?;
                    io::copy(&mut content.open()?, &mut file).map(|_| ())
                };
                written().map_err(writing(at))?;
            }
            Kind::Symlink(target) => symlinkat(&*target, CWD, at).map_err(writing(at))?,
            Kind::Fifo => node(FileType::Fifo, 0, 0).map_err(writing(at))?,
            Kind::CharacterDevice { major, minor } => {
                node(FileType::CharacterDevice, major, minor).map_err(writing(at))?;
            }
            Kind::BlockDevice { major, minor } => node(FileType::BlockDevice, major, minor).map_err(writing(at))?,
        }
        self.names.insert(id, at.to_owned());
        self.attributes(id, at)
    }

    /// Owner first: a change of it takes away set-user-id and capabilities.
    fn attributes(&mut self, id: InodeId, at: &Path) -> Result<(), Problem> {
        let inode = self.files.get(id);
        let digest = match &inode.kind {
            Kind::File(content) => content.digest(),
            _ => None,
        };
        let (seconds, nanoseconds) = self.times.on_disk(inode.mtime, digest.as_ref());
        let set = || -> rustix::io::Result<()> {
            let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
            let (uid, gid) = (Uid::from_raw(id(inode.owner.uid)), Gid::from_raw(id(inode.owner.gid)));
            chownat(CWD, at, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
            if !matches!(inode.kind, Kind::Symlink(_)) {
                chmodat(CWD, at, Mode::from_raw_mode(inode.mode), AtFlags::empty())?;
            }
            if let Some(capability) = &inode.capability {
                lsetxattr(at, CAPABILITY, capability, XattrFlags::empty())?;
            }
            let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
            utimensat(CWD, at, &Timestamps { last_access: time, last_modification: time }, AtFlags::SYMLINK_NOFOLLOW)
        };
        set().map_err(writing(at))?;
        if inode.mtime == Mtime::Now {
            // What was made during the build is of this instant from now on.
            self.files.get_mut(id).mtime = Mtime::At { seconds, nanoseconds };
        }
        Ok(())
    }
}

fn whiteout(at: &Path) -> io::Result<()> {
    Ok(mknodat(CWD, at, FileType::CharacterDevice, Mode::empty(), makedev(0, 0))?)
}

/// Gives what is of "some time during the build" in memory the time that it has at `at`, where the tree was written before.
pub(super) fn settle_times(files: &mut Filesystem, tree: Tree, at: &Path) -> Result<(), Problem> {
    let mut open = vec![(tree.root, at.to_owned())];
    while let Some((id, path)) = open.pop() {
        if files.get(id).mtime == Mtime::Now {
            let there = rustix::fs::lstat(&path).map_err(writing(&path))?;
            let nanoseconds = u32::try_from(there.st_mtime_nsec).unwrap_or_default();
            files.get_mut(id).mtime = Mtime::At { seconds: there.st_mtime, nanoseconds };
        }
        let below = files.entries(id).into_iter();
        open.extend(below.map(|(name, id)| (id, path.join(OsStr::from_bytes(&name)))));
    }
    Ok(())
}

/// An error of the disk about a path of a tree.
pub(super) fn writing<E: Into<io::Error>>(at: &Path) -> impl FnOnce(E) -> Problem {
    let what = fs_name(at);
    move |error| Problem::Io { what, source: error.into() }
}

fn fs_name(at: &Path) -> String {
    crate::escape::name(at.as_os_str().as_encoded_bytes())
}

/// Makes an empty directory for this user alone.
pub(super) fn private(at: &Path) -> Result<(), Problem> {
    let made = fs::create_dir(at).and_then(|()| Ok(chmodat(CWD, at, Mode::RWXU, AtFlags::empty())?));
    made.map_err(writing(at))
}
