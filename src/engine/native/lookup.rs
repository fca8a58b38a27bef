//! Finding inodes by path: as the kernel does, and as containerd resolves links inside a root.

use super::filesystem::{Filesystem, InodeId, Kind, Tree};
use super::path;
use super::problem::{Problem, failed};
use crate::escape;

/// As many links as containerd follows, one at a time.
const MOST_LINKS: usize = 255;
/// As many links as the kernel follows on one path.
const MOST_LINKS_ON_A_PATH: usize = 40;

/// What the kernel says after so many.
pub(super) const TOO_MANY_LINKS: &str = "too many levels of symbolic links";

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This inode.
    Inode(InodeId),
    /// Nothing.
    Nothing,
    /// Nothing, for something on the way is no directory.
    NotADirectory,
    /// Whatever is there, the kernel doesn't follow so many links.
    TooManyLinks,
}

impl Found {
    /// The inode; an error if the path leads through something that is no directory.
    pub(super) fn inode(self, path: &[u8]) -> Result<Option<InodeId>, Problem> {
        match self {
            Self::Inode(id) => Ok(Some(id)),
            Self::Nothing => Ok(None),
            Self::NotADirectory => failed(format!("lstat {}: not a directory", escape::bytes(path))),
            Self::TooManyLinks => failed(format!("lstat {}: {TOO_MANY_LINKS}", escape::bytes(path))),
        }
    }
}

impl Filesystem {
    /// What is at `path`, with links on the way followed but not the last one.
    pub(super) fn lstat(&self, tree: Tree, path: &[u8]) -> Found {
        self.walk(tree, path, false)
    }

    /// What is at `path`, with all links followed.
    pub(super) fn stat(&self, tree: Tree, path: &[u8]) -> Found {
        self.walk(tree, path, true)
    }

    fn walk(&self, tree: Tree, path: &[u8], follow_last: bool) -> Found {
        let mut left = MOST_LINKS_ON_A_PATH;
        let mut trail = vec![tree.root];
        let mut rest: Vec<Vec<u8>> = path::elements(path).map(<[u8]>::to_vec).collect();
        rest.reverse();
        while let Some(name) = rest.pop() {
            let Some(&here) = trail.last() else { return Found::Nothing };
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    if trail.len() > 1 {
                        trail.pop();
                    }
                    continue;
                }
                _ => {}
            }
            if !self.get(here).is_directory() {
                return Found::NotADirectory;
            }
            let Some(next) = self.entry(here, &name) else { return Found::Nothing };
            match &self.get(next).kind {
                Kind::Symlink(target) if follow_last || !rest.is_empty() => {
                    if left == 0 {
                        return Found::TooManyLinks;
                    }
                    left -= 1;
                    if target.starts_with(b"/") {
                        trail.truncate(1);
                    }
                    let mut parts: Vec<_> = path::elements(target).map(<[u8]>::to_vec).collect();
                    parts.reverse();
                    rest.extend(parts);
                }
                _ => trail.push(next),
            }
        }
        trail.last().map_or(Found::Nothing, |id| Found::Inode(*id))
    }

    /// `path` with all links resolved inside the tree; what doesn't exist counts as no link.
    ///
    /// The passes, and that a link's target is joined to what is resolved so far, are containerd's (`fs.RootPath`).
    pub(super) fn root_path(&self, tree: Tree, path: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut path = if path.is_empty() { b"/".to_vec() } else { path.to_vec() };
        if path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        if self.is_without_links(tree, &path) {
            return Ok(path);
        }
        let mut links = 0;
        loop {
            let before = links;
            path = self.resolve_pass(tree, &path, &mut links)?;
            if before == links {
                let clean = path::join(b"/", &path);
                if path == clean {
                    return Ok(clean);
                }
                path = clean;
            }
        }
    }

    /// Whether `path` is clean and leads through directories to something or nothing, in one walk.
    fn is_without_links(&self, tree: Tree, path: &[u8]) -> bool {
        if path::clean(path) != path || path.first() != Some(&b'/') {
            return false;
        }
        let mut here = tree.root;
        for name in path::elements(path) {
            if !self.get(here).is_directory() {
                return false;
            }
            match self.entry(here, name) {
                None => return true,
                Some(next) => here = next,
            }
        }
        !matches!(self.get(here).kind, Kind::Symlink(_))
    }

    fn resolve_pass(&self, tree: Tree, path: &[u8], links: &mut usize) -> Result<Vec<u8>, Problem> {
        // From the root down: each element is appended and, if that is a link, replaced.
        let rooted = path.starts_with(b"/");
        let mut resolved: Vec<u8> = if rooted { b"/".to_vec() } else { Vec::new() };
        for name in path::elements(path) {
            let directory = resolved;
            let candidate = path::join(b"/", &path::join(&directory, name));
            resolved = match self.read_link(tree, &candidate, links)? {
                None => candidate,
                Some(target) if target.starts_with(b"/") => target,
                Some(target) => path::join(if directory.is_empty() { b"" } else { &directory }, &target),
            };
        }
        Ok(if resolved.is_empty() { b"/".to_vec() } else { resolved })
    }

    fn read_link(&self, tree: Tree, path: &[u8], links: &mut usize) -> Result<Option<Vec<u8>>, Problem> {
        if *links > MOST_LINKS {
            return failed(format!("{}: too many links", escape::bytes(path)));
        }
        let Some(id) = self.lstat(tree, path).inode(path)? else { return Ok(None) };
        match &self.get(id).kind {
            Kind::Symlink(target) => {
                *links += 1;
                Ok(Some(target.to_vec()))
            }
            _ => Ok(None),
        }
    }

    /// Where a copy's source really is: all links followed, or all but the last.
    pub(super) fn source_path(&self, tree: Tree, path: &[u8], follow: bool) -> Result<Vec<u8>, Problem> {
        let path = path::join(b"/", path);
        if follow || path == b"/" {
            return self.root_path(tree, &path);
        }
        let (directory, name) = path::split(&path);
        Ok(path::join(&self.root_path(tree, directory)?, name))
    }
}
