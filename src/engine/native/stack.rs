//! One tree over another: base layers as overlayfs stacks them, and what `--link` makes.

use std::collections::HashSet;

use super::filesystem::{Filesystem, Inode, InodeId, Kind, Mtime, Tree};
use super::mount::Mount;
use super::problem::Problem;

/// A device with these numbers hides what is below, as in overlayfs.
pub(super) const WHITEOUT: Kind = Kind::CharacterDevice { major: 0, minor: 0 };

/// `upper` over `lower`: entries of `upper` win, directories are merged and have the upper one's attributes.
///
/// Whiteouts in `upper` remove what is below; the directories in `opaque` hide everything below.
pub(super) fn stack(
    files: &mut Filesystem,
    lower: Option<Tree>,
    upper: Tree,
    opaque: &HashSet<InodeId>,
) -> Result<Tree, Problem> {
    let mut mount = Mount::new(files, lower)?;
    let root = mount.tree.root;
    let over = Over { opaque, is_lowest: lower.is_none() };
    over.put(&mut mount, root, upper.root)?;
    let owner = mount.files.get(upper.root).owner;
    let inode = mount.files.get_mut(root);
    (inode.mtime, inode.owner) = (Mtime::Now, owner);
    Ok(mount.tree)
}

/// How a layer lies over what is below.
struct Over<'a> {
    opaque: &'a HashSet<InodeId>,
    /// The lowest layer's whiteouts are taken at their word when it is unpacked, so that none is ever listed.
    is_lowest: bool,
}

impl Over<'_> {
    /// Puts everything in the upper directory into a directory of the mount.
    fn put(&self, mount: &mut Mount<'_>, directory: InodeId, upper: InodeId) -> Result<(), Problem> {
        for (name, id) in mount.files.entries(upper) {
            let is_directory = mount.files.get(id).is_directory();
            let there = mount.files.entry(directory, &name).filter(|there| mount.files.get(*there).is_directory());
            let merged = match there {
                _ if is_whiteout(mount.files, id) => None,
                Some(there) if is_directory && !self.opaque.contains(&id) => {
                    let own = mount.copy_up(directory, &name, there)?;
                    self.put(mount, own, id)?;
                    copy_attributes(mount, id, own);
                    Some(own)
                }
                _ if is_directory => {
                    // Whiteouts inside must go even though there is nothing below.
                    let own = mount.add_directory()?;
                    self.put(mount, own, id)?;
                    copy_attributes(mount, id, own);
                    self.leave_ghost(mount, id, own);
                    Some(own)
                }
                _ => Some(id),
            };
            if let Kind::Directory(directory) = &mut mount.files.get_mut(directory).kind {
                match merged {
                    Some(merged) => directory.entries.insert(name, merged),
                    None => directory.entries.remove(&name),
                };
            }
        }
        Ok(())
    }

    /// Remembers the first whiteout of a directory that is not merged with another.
    fn leave_ghost(&self, mount: &mut Mount<'_>, upper: InodeId, own: InodeId) {
        if self.is_lowest {
            return;
        }
        let entries = mount.files.entries(upper);
        let whiteout = entries.into_iter().find(|(_, id)| is_whiteout(mount.files, *id));
        if let Kind::Directory(directory) = &mut mount.files.get_mut(own).kind {
            directory.ghost = whiteout.map(|(name, _)| name);
        }
    }
}

fn is_whiteout(files: &Filesystem, id: InodeId) -> bool {
    matches!(files.get(id).kind, Kind::CharacterDevice { major: 0, minor: 0 })
}

fn copy_attributes(mount: &mut Mount<'_>, from: InodeId, to: InodeId) {
    let Inode { mode, owner, mtime, capability, .. } = mount.files.get(from).clone();
    let inode = mount.files.get_mut(to);
    (inode.mode, inode.owner, inode.mtime, inode.capability) = (mode, owner, mtime, capability);
}
