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
    put(&mut mount, root, upper.root, opaque)?;
    let owner = mount.files.get(upper.root).owner;
    let inode = mount.files.get_mut(root);
    (inode.mtime, inode.owner) = (Mtime::Now, owner);
    Ok(mount.tree)
}

/// Puts everything in the upper directory into a directory of the mount.
fn put(mount: &mut Mount<'_>, directory: InodeId, upper: InodeId, opaque: &HashSet<InodeId>) -> Result<(), Problem> {
    for (name, id) in mount.files.entries(upper) {
        let is_whiteout = matches!(mount.files.get(id).kind, Kind::CharacterDevice { major: 0, minor: 0 });
        let is_directory = mount.files.get(id).is_directory();
        let there = mount.files.entry(directory, &name).filter(|there| mount.files.get(*there).is_directory());
        let merged = match there {
            _ if is_whiteout => None,
            Some(there) if is_directory && !opaque.contains(&id) => {
                let own = mount.copy_up(directory, &name, there)?;
                put(mount, own, id, opaque)?;
                copy_attributes(mount, id, own);
                Some(own)
            }
            _ if is_directory => {
                // Whiteouts inside must go even though there is nothing below.
                let own = mount.add_directory()?;
                put(mount, own, id, opaque)?;
                copy_attributes(mount, id, own);
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

fn copy_attributes(mount: &mut Mount<'_>, from: InodeId, to: InodeId) {
    let Inode { mode, owner, mtime, capability, .. } = mount.files.get(from).clone();
    let inode = mount.files.get_mut(to);
    (inode.mode, inode.owner, inode.mtime, inode.capability) = (mode, owner, mtime, capability);
}
