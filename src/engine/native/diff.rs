//! What a layer holds: the entries in which an instruction's tree differs from the one below.
//!
//! First BuildKit's reading of overlayfs (which entries of the upper directory are changes), then containerd's change
//! writer (parents before their entries, hard links by inode, whiteouts).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::content::Content;
use super::filesystem::{Filesystem, InodeId, Kind, LayerId, Mtime, Tree};
use super::path;
use super::problem::Problem;
use crate::epoch::Epoch;
use crate::escape;
use crate::layer::tar;

/// One entry of a layer, with the file's content if it has any.
#[derive(Clone, Debug)]
pub(super) struct LayerEntry {
    pub(super) entry: tar::Entry,
    pub(super) content: Option<Content>,
}

/// The entries of the layer that turned `lower` (none is no layer at all) into `upper`.
///
/// Every time after the epoch becomes the epoch.
pub(super) fn diff(
    files: &Filesystem,
    lower: Option<Tree>,
    upper: Tree,
    epoch: Epoch,
) -> Result<Vec<LayerEntry>, Problem> {
    let layer = files.get(upper.root).layer;
    let mut diff = Diff::empty(files, upper, layer, epoch);
    diff.upper_directory(upper.root, lower.map(|tree| tree.root), b"")?;
    Ok(diff.out)
}

struct Diff<'a> {
    files: &'a Filesystem,
    upper: Tree,
    layer: LayerId,
    epoch: Epoch,
    out: Vec<LayerEntry>,
    /// Directories that have been written.
    written: HashSet<Vec<u8>>,
    /// Under which name each inode has been written.
    names: HashMap<InodeId, Vec<u8>>,
    /// Unchanged names of inodes that have not been written.
    waiting: HashMap<InodeId, Vec<Vec<u8>>>,
}

/// How an entry of the upper tree relates to the lower one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Changed,
    Unchanged,
}

impl<'a> Diff<'a> {
    fn empty(files: &'a Filesystem, upper: Tree, layer: LayerId, epoch: Epoch) -> Self {
        let (out, written, names, waiting) = Default::default();
        Self { files, upper, layer, epoch, out, written, names, waiting }
    }

    fn children(&self, directory: Option<InodeId>) -> Vec<(Arc<[u8]>, InodeId)> {
        directory.map(|id| self.files.entries(id)).unwrap_or_default()
    }

    /// Names in either directory, in order.
    fn union(&self, upper: InodeId, lower: Option<InodeId>) -> Vec<Arc<[u8]>> {
        let names = |id| self.children(id).into_iter().map(|(name, _)| name);
        names(Some(upper)).chain(names(lower)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Walks a directory that shows the lower one's entries as well.
    fn upper_directory(&mut self, upper: InodeId, lower: Option<InodeId>, path: &[u8]) -> Result<(), Problem> {
        for name in self.union(upper, lower) {
            let below = lower.and_then(|lower| self.files.entry(lower, &name));
            let path = if path.is_empty() { name.to_vec() } else { [path, b"/", &*name].concat() };
            let Some(id) = self.files.entry(upper, &name) else {
                self.whiteout(&path)?;
                continue;
            };
            if self.files.get(id).layer != self.layer {
                continue;
            }
            if below.map_or(Ok(false), |below| self.same(below, id, &path))? {
                // Only on the way to a change; written if that is.
            } else {
                self.write(Change::Changed, &path, id)?;
            }
            let identity = |id: InodeId| self.files.get(id).directory().map(|directory| directory.identity);
            match (identity(id), below) {
                (None, _) => {}
                (Some(own), Some(below)) if identity(below) == Some(own) => {
                    self.upper_directory(id, Some(below), &path)?;
                }
                (Some(_), below) => self.new_directory(id, below, &path)?,
            }
        }
        Ok(())
    }

    /// Walks a directory that was made anew and hides the lower one of its name.
    fn new_directory(&mut self, upper: InodeId, lower: Option<InodeId>, path: &[u8]) -> Result<(), Problem> {
        let lower = lower.filter(|lower| self.files.get(*lower).is_directory());
        for name in self.union(upper, lower) {
            let below = lower.and_then(|lower| self.files.entry(lower, &name));
            let path = [path, b"/", &*name].concat();
            let Some(id) = self.files.entry(upper, &name) else {
                self.whiteout(&path)?;
                continue;
            };
            let same = below.map_or(Ok(false), |below| self.same(below, id, &path))?;
            let is_directory = self.files.get(id).is_directory();
            if !same {
                self.write(Change::Changed, &path, id)?;
            } else if !is_directory {
                self.write(Change::Unchanged, &path, id)?;
            }
            if is_directory {
                self.new_directory(id, below, &path)?;
            }
        }
        Ok(())
    }

    /// Whether two entries count as the same.
    ///
    /// Times with nanoseconds that are equal prove equality without a look at the contents.
    fn same(&self, lower: InodeId, upper: InodeId, path: &[u8]) -> Result<bool, Problem> {
        let (a, b) = (self.files.get(lower), self.files.get(upper));
        let device = |kind: &Kind| match *kind {
            Kind::CharacterDevice { major, minor } | Kind::BlockDevice { major, minor } => (major, minor),
            _ => (0, 0),
        };
        let has_mode = !matches!(a.kind, Kind::Symlink(_));
        let alike = a.kind.is_like(&b.kind)
            && (!has_mode || a.mode == b.mode)
            && a.owner == b.owner
            && device(&a.kind) == device(&b.kind)
            && a.capability == b.capability;
        if !alike {
            return Ok(false);
        }
        let same_content = || match (&a.kind, &b.kind) {
            (Kind::File(a), Kind::File(b)) => a.equals(b),
            (Kind::Symlink(a), Kind::Symlink(b)) => Ok(a == b),
            _ => Ok(true),
        };
        let same_size = match (&a.kind, &b.kind) {
            (Kind::Directory(_), _) => return Ok(true),
            (Kind::File(a), Kind::File(b)) => a.size == b.size,
            (Kind::Symlink(a), Kind::Symlink(b)) => a.len() == b.len(),
            _ => true,
        };
        if !same_size {
            return Ok(false);
        }
        match (a.mtime, b.mtime) {
            (Mtime::At { seconds: s, nanoseconds: n }, Mtime::At { seconds: t, nanoseconds: m }) => {
                if s != t {
                    Ok(false)
                } else if n == 0 && m == 0 {
                    same_content()
                } else {
                    Ok(n == m)
                }
            }
            (Mtime::Staged, Mtime::Staged) => same_content(),
            (Mtime::Inline(a), Mtime::Inline(b)) if a == b => Ok(true),
            (Mtime::Inline(_), Mtime::Inline(_)) => Err(may_be_lost("inline files", path)),
            (Mtime::CheckedOut { checkout: a, file: x }, Mtime::CheckedOut { checkout: b, file: y }) => {
                if a != b || x == y { Ok(a == b) } else { Err(may_be_lost("files of one git checkout", path)) }
            }
            _ => Ok(false),
        }
    }

    fn whiteout(&mut self, path: &[u8]) -> Result<(), Problem> {
        let (directory, name) = path::split(path);
        self.parents(path)?;
        let entry = tar::Entry::file([directory, WHITEOUT, name].concat(), 0, 0);
        self.out.push(LayerEntry { entry, content: None });
        Ok(())
    }

    /// Writes the directories above `path` that have not been written.
    fn parents(&mut self, path: &[u8]) -> Result<(), Problem> {
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return Ok(()) };
        let parent = &path[..slash];
        if !self.written.insert(parent.to_vec()) {
            return Ok(());
        }
        match self.files.lstat(self.upper, parent).inode(parent)? {
            Some(id) => self.write(Change::Changed, parent, id),
            None => Ok(()),
        }
    }

    fn write(&mut self, change: Change, path: &[u8], id: InodeId) -> Result<(), Problem> {
        if path::split(path).1.starts_with(WHITEOUT) {
            let shown = escape::bytes(path);
            return Err(Problem::Unproven(format!(
                "the name `/{shown}`: in an image it is no file, but hides the one without `.wh.`"
            )));
        }
        let inode = self.files.get(id);
        let mut content = None;
        let mut extra = Vec::new();
        let mut kind = match &inode.kind {
            Kind::Directory(_) => tar::Kind::Directory,
            Kind::File(file) => {
                content = Some(file.clone());
                tar::Kind::File
            }
            Kind::Symlink(target) => tar::Kind::Symlink { target: target.to_vec() },
            Kind::Fifo => tar::Kind::Fifo,
            Kind::CharacterDevice { major, minor } => tar::Kind::CharacterDevice { major: *major, minor: *minor },
            Kind::BlockDevice { major, minor } => tar::Kind::BlockDevice { major: *major, minor: *minor },
        };
        let is_directory = inode.is_directory();
        if !is_directory {
            if let Some(target) = self.names.get(&id) {
                kind = tar::Kind::HardLink { target: target.clone() };
                content = None;
            } else if change == Change::Unchanged {
                self.waiting.entry(id).or_default().push(path.to_vec());
                return Ok(());
            } else {
                self.names.insert(id, path.to_vec());
                extra = self.waiting.remove(&id).unwrap_or_default();
            }
        }
        let is_symlink = matches!(inode.kind, Kind::Symlink(_));
        let mut entry = tar::Entry::new(path, kind, if is_symlink { 0o777 } else { inode.mode });
        (entry.uid, entry.gid) = (inode.owner.uid, inode.owner.gid);
        entry.mtime = self.time(inode.mtime);
        entry.size = content.as_ref().map_or(0, |content| content.size);
        if let Some(capability) = &inode.capability {
            entry.xattrs.insert(b"security.capability".to_vec(), capability.to_vec());
        }
        self.parents(path)?;
        if is_directory {
            self.written.insert(path.to_vec());
        }
        self.out.push(LayerEntry { entry: entry.clone(), content });
        for name in extra {
            self.parents(&name)?;
            let link = tar::Entry {
                kind: tar::Kind::HardLink { target: path.to_vec() },
                size: 0,
                path: name,
                ..entry.clone()
            };
            self.out.push(LayerEntry { entry: link, content: None });
        }
        Ok(())
    }

    fn time(&self, mtime: Mtime) -> i64 {
        let epoch = i64::try_from(self.epoch.seconds()).unwrap_or(i64::MAX);
        match mtime {
            Mtime::At { seconds, .. } => seconds.min(epoch),
            Mtime::Staged | Mtime::Inline(_) | Mtime::CheckedOut { .. } | Mtime::Now => epoch,
        }
    }
}

/// What the names of files in layers start with that hide others.
const WHITEOUT: &[u8] = b".wh.";

/// Files that were made in the same moment: BuildKit takes the second for the first if their sizes are equal.
fn may_be_lost(what: &str, path: &[u8]) -> Problem {
    Problem::Unproven(format!(
        "two different {what} of equal size are written to `/{}` in different layers, of which BuildKit may lose the \
         second",
        escape::bytes(path)
    ))
}
