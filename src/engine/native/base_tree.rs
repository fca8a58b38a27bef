//! A base image's layers as a tree: unpacked the way containerd unpacks for overlayfs, into memory.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use super::capability;
use super::content::Content;
use super::filesystem::{Filesystem, InodeId, Kind, Mtime, Owner, Tree};
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use super::spool::Spool;
use super::stack::{WHITEOUT, stack};
use crate::bounds::Bounds;
use crate::digest::{DiffId, Digest};
use crate::escape;
use crate::layer::decompress::Compression;
use crate::layer::tar::{self, Member, TarError};
use crate::layer::whiteout::{OPAQUE, PREFIX, Whiteout};
use crate::layer::{NameRules, Workspace, visit_layer};

/// A stored base layer and what it must turn out to be.
pub(super) struct StoredLayer<'a> {
    /// The stored bytes.
    pub(super) stored: Box<dyn Read>,
    /// How they are packed.
    pub(super) compression: Compression,
    /// Digest of the stored bytes.
    pub(super) digest: Digest,
    /// Digest of the tar.
    pub(super) diff_id: DiffId,
    /// The tar's stream, for contents.
    pub(super) archive: &'a Arc<Spool>,
}

/// The layers of a base image that were put over each other so far.
#[derive(Default)]
pub(super) struct Layers {
    /// All of them as one.
    pub(super) tree: Option<Tree>,
    /// Each by itself, with its whiteouts, the lowest first.
    alone: Vec<Tree>,
}

/// Puts a base layer over those below; gives the first rule about its names that it breaks, which unpacking passes over.
pub(super) fn apply(
    files: &mut Filesystem,
    below: &mut Layers,
    layer: StoredLayer<'_>,
    bounds: Bounds<'_>,
) -> Result<Option<TarError>, Problem> {
    let workspace = Workspace::default();
    let mut rules = NameRules::new(&workspace);
    let (digest, diff_id, archive) = (layer.digest, layer.diff_id, layer.archive);
    let mut unpacking =
        Unpacking { mount: Mount::new(files, None)?, below, opaque: HashSet::new(), directories: Vec::new(), archive };
    let mut problem = None;
    let visited = visit_layer(layer.stored, layer.compression, bounds.limits, |member, _| {
        rules.add(member)?;
        if problem.is_none() {
            problem = bounds.cancel.check().map_err(Problem::from).and_then(|()| unpacking.member(member)).err();
        }
        match &problem {
            None => Ok(()),
            Some(problem) => Err(TarError::from(std::io::Error::other(problem.to_string()))),
        }
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    let report = visited.map_err(|error| Problem::Malformed(format!("layer {digest}: {error}")))?;
    if report.digest != digest {
        return Err(Problem::Malformed(format!("layer {digest}: digest mismatch: computed {}", report.digest)));
    }
    if report.diff_id != diff_id {
        let computed = report.diff_id;
        return Err(Problem::Malformed(format!(
            "layer {digest}: diffID mismatch: computed {computed}, the config says {diff_id}"
        )));
    }
    unpacking.set_directory_times()?;
    let (upper, opaque) = (unpacking.mount.tree, unpacking.opaque);
    below.tree = Some(stack(files, below.tree, upper, &opaque)?);
    below.alone.push(upper);
    rules.finish().map_err(|source| Problem::Io { what: format!("layer {digest}"), source })
}

struct Unpacking<'a> {
    mount: Mount<'a>,
    below: &'a Layers,
    opaque: HashSet<InodeId>,
    /// Directories of the archive with their times, which are set last.
    directories: Vec<(Vec<u8>, Mtime)>,
    archive: &'a Arc<Spool>,
}

impl Unpacking<'_> {
    fn member(&mut self, member: &Member) -> Result<(), Problem> {
        let (directory, name) = path::split(&member.key);
        if name.is_empty() {
            return Ok(());
        }
        if Whiteout::parse(name).is_err() {
            return Err(Problem::Unproven(format!("the name {} in a layer", escape::name(&member.entry.path))));
        }
        let directory = self.mount.files.root_path(self.mount.tree, directory)?;
        self.imply(&directory)?;
        let target = path::join(&directory, name);
        if name == OPAQUE {
            // The kernel asks every directory but the root of a layer.
            if directory != b"/" {
                let id = self.mount.own(&directory)?;
                self.check_opaque(id, &directory, member)?;
                self.opaque.insert(id);
            }
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(PREFIX) {
            let hidden = path::join(&directory, hidden);
            if self.mount.lstat(&hidden)?.is_some() {
                // There is nothing below the lowest layer that a whiteout could stand for: it removes.
                if self.below.alone.is_empty() {
                    return self.mount.remove(&hidden);
                }
                let name = escape::bytes(name);
                return failed(format!("failed to convert whiteout file \"{name}\": file exists"));
            }
            self.mount.create(&hidden, WHITEOUT, 0)?;
            return Ok(());
        }
        let is_directory = member.entry.kind == tar::Kind::Directory;
        if let Some(there) = self.mount.lstat(&target)?
            && !(is_directory && self.mount.files.get(there).is_directory())
        {
            self.mount.remove(&target)?;
        }
        check_attributes(member)?;
        let mtime = time_of(member);
        let capability = capability::of_member(member, &target)?;
        put_entry(&mut self.mount, member, &target, self.archive)?;
        let inode = self.mount.change(&target)?;
        inode.owner = Owner::of_entry(&member.entry).instead_of(inode.owner);
        inode.mode = member.entry.mode;
        inode.mtime = mtime;
        // A change of owner takes the capability away from whatever is no directory.
        inode.capability = capability.or_else(|| inode.capability.take().filter(|_| is_directory));
        if is_directory {
            self.directories.push((path::join(b"/", &member.key), mtime));
        }
        Ok(())
    }

    /// Refuses an opaque directory of the lowest layer that already holds directories without an entry of their own:
    /// containerd empties it of these.
    fn check_opaque(&self, id: InodeId, path: &[u8], member: &Member) -> Result<(), Problem> {
        if !self.below.alone.is_empty() {
            return Ok(());
        }
        let mut waiting = vec![(id, path.to_vec())];
        while let Some((id, path)) = waiting.pop() {
            for (name, child) in self.mount.files.entries(id) {
                if self.mount.files.get(child).is_directory() {
                    let path = path::join(&path, &name);
                    if !self.directories.iter().any(|(known, _)| *known == path) {
                        let marker = escape::name(&member.entry.path);
                        return Err(Problem::Unproven(format!("{marker} in the lowest layer, after what it hides")));
                    }
                    waiting.push((child, path));
                }
            }
        }
        Ok(())
    }

    /// Makes the directories that the archive doesn't mention, with the attributes they have below.
    fn imply(&mut self, path: &[u8]) -> Result<(), Problem> {
        if let Some(there) = self.mount.lstat(path)? {
            if self.mount.files.get(there).is_directory() {
                return Ok(());
            }
            return failed(format!("mkparent {}: not a directory", escape::bytes(path)));
        }
        self.imply(&path::parent(path))?;
        let id = self.mount.make_directory(path, 0o755)?;
        // containerd sets the mode once more, which ends an inherited setgid; the group stays.
        self.mount.files.get_mut(id).mode = 0o755;
        // Links are followed within one layer, so that what they lead to in another has no say.
        for &layer in self.below.alone.iter().rev() {
            let place = self.mount.files.root_path(layer, path)?;
            let Some(there) = self.mount.files.lstat(layer, &place).inode(&place)? else { continue };
            let there = self.mount.files.get(there).clone();
            if matches!(there.kind, Kind::Directory(_)) {
                let inode = self.mount.files.get_mut(id);
                (inode.mode, inode.owner, inode.mtime) = (there.mode, there.owner, there.mtime);
                inode.capability = there.capability;
            }
            break;
        }
        Ok(())
    }

    fn set_directory_times(&mut self) -> Result<(), Problem> {
        for (path, mtime) in std::mem::take(&mut self.directories) {
            // Something else may stand there by now, or nothing.
            let path = self.mount.files.root_path(self.mount.tree, &path)?;
            if self.mount.lstat(&path)?.is_none() {
                return failed(format!("utimensat {}: no such file or directory", escape::bytes(&path)));
            }
            self.mount.change(&path)?.mtime = mtime;
        }
        Ok(())
    }
}

/// Refuses an attribute that decides about the modes of what is made later.
pub(super) fn check_attributes(member: &Member) -> Result<(), Problem> {
    match member.entry.xattrs.contains_key(b"system.posix_acl_default".as_slice()) {
        true => {
            let name = escape::name(&member.entry.path);
            Err(Problem::Unproven(format!("the default access list of {name} in an archive")))
        }
        false => Ok(()),
    }
}

/// The last time that unpacking knows: its nanoseconds since 1970 are the most that 64 bits with a sign hold.
const LAST: (i64, u32) = (9_223_372_036, 854_775_807);

/// The time that unpacking gives an entry: those before 1970 and those after the last become 1970.
pub(super) fn time_of(member: &Member) -> Mtime {
    let (seconds, nanoseconds) = (member.entry.mtime, member.nanoseconds);
    if seconds < 0 || (seconds, nanoseconds) > LAST {
        return Mtime::seconds(0);
    }
    Mtime::At { seconds, nanoseconds }
}

/// Makes the inode of an archive's entry at `target`, where nothing stands but maybe a directory for a directory.
pub(super) fn put_entry(
    mount: &mut Mount<'_>,
    member: &Member,
    target: &[u8],
    archive: &Arc<Spool>,
) -> Result<(), Problem> {
    if member.sparse_size.is_some() {
        let name = escape::name(&member.entry.path);
        return Err(Problem::Unproven(format!("the sparse file {name} in an archive")));
    }
    // Readers take a contiguous file for a file; BuildKit's unpackers don't know it.
    if member.headers.get(member.headers.len().saturating_sub(512) + 156) == Some(&b'7') {
        return failed(format!("unhandled tar header type {}", b'7'));
    }
    let kind = match &member.entry.kind {
        tar::Kind::Directory => {
            if mount.lstat(target)?.is_none() {
                mount.make_directory(target, member.entry.mode)?;
            }
            return Ok(());
        }
        tar::Kind::HardLink { target: link } => {
            let source = mount.files.root_path(mount.tree, path::split(&path::join(b"/", link)).0)?;
            let source = path::join(&source, path::base(link));
            let Some(there) = mount.lstat(&source)? else {
                return failed(format!("link {}: no such file or directory", escape::bytes(&source)));
            };
            if mount.files.get(there).is_directory() {
                return failed(format!("link {}: operation not permitted", escape::bytes(&source)));
            }
            let id = mount.own(&source)?;
            return mount.attach(target, id);
        }
        tar::Kind::File => {
            let offset = member.offset + member.headers.len() as u64;
            Kind::File(Content::member(Arc::clone(archive), offset, member.entry.size))
        }
        tar::Kind::Symlink { target } => Kind::Symlink(Arc::from(target.as_slice())),
        tar::Kind::Fifo => Kind::Fifo,
        tar::Kind::CharacterDevice { major, minor } => Kind::CharacterDevice { major: *major, minor: *minor },
        tar::Kind::BlockDevice { major, minor } => Kind::BlockDevice { major: *major, minor: *minor },
    };
    mount.create(target, kind, member.entry.mode).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_do_not_fit_64_bits_of_nanoseconds_become_1970() {
        let at = |seconds, nanoseconds| Mtime::At { seconds, nanoseconds };
        for (seconds, nanoseconds, want) in [
            (-1, 0, at(0, 0)),
            (-1, 999_999_999, at(0, 0)),
            (0, 1, at(0, 1)),
            (9_223_372_036, 854_775_807, at(9_223_372_036, 854_775_807)),
            (9_223_372_036, 854_775_808, at(0, 0)),
            (9_223_372_037, 0, at(0, 0)),
            (i64::MAX, 0, at(0, 0)),
        ] {
            let member = Member {
                entry: tar::Entry::file("f", 0o644, 0).at(seconds),
                key: b"f".to_vec(),
                nanoseconds,
                user: Vec::new(),
                group: Vec::new(),
                sparse_size: None,
                offset: 0,
                headers: Vec::new(),
            };
            assert_eq!(time_of(&member), want, "{seconds}.{nanoseconds}");
        }
    }
}
