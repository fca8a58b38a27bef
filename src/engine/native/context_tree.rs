//! Contexts and single files as trees.

use std::sync::Arc;

use super::content::Content;
use super::filesystem::{Filesystem, Kind, Mtime, Tree};
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use crate::context;
use crate::escape;

/// A normalised context as BuildKit has it after the client has sent it: all root's, directories 0755.
pub(super) fn context_tree(files: &mut Filesystem, context: &context::Tree) -> Result<Tree, Problem> {
    let mut mount = Mount::new(files, None)?;
    for entry in &context.entries {
        let target = path::join(b"/", &entry.path);
        mount.make_directories(&path::parent(&target), 0o755, None, None)?;
        match &entry.kind {
            context::EntryKind::File { executable, size, digest, content } => {
                let content = match content {
                    context::Content::File(path) => Content::file(path.clone(), *size, *digest),
                    context::Content::Bytes(bytes) => Content::bytes(Arc::clone(bytes)),
                };
                let mode = if *executable { 0o755 } else { 0o644 };
                mount.create(&target, Kind::File(content), mode)?;
            }
            context::EntryKind::Symlink(link) => {
                mount.create(&target, Kind::Symlink(Arc::from(link.as_slice())), 0o777)?;
            }
            context::EntryKind::Directory => {
                mount.make_directories(&target, 0o755, None, None)?;
            }
            context::EntryKind::HardLink(first) => {
                let first = path::join(b"/", first);
                let Some(id) = mount.lstat(&first)? else {
                    let name = escape::name(&entry.path);
                    return failed(format!("the context's {name} is a hard link to nothing"));
                };
                mount.attach(&target, id)?;
            }
        }
    }
    stage_times(&mut mount);
    Ok(mount.tree)
}

/// Gives everything the time of staged files.
fn stage_times(mount: &mut Mount<'_>) {
    let mut open = vec![mount.tree.root];
    while let Some(id) = open.pop() {
        mount.files.get_mut(id).mtime = Mtime::Staged;
        open.extend(mount.files.entries(id).into_iter().map(|(_, id)| id));
    }
}

/// A tree that holds one file.
pub(super) fn single_file(
    files: &mut Filesystem,
    name: &[u8],
    content: Content,
    mode: u32,
    mtime: Mtime,
) -> Result<Tree, Problem> {
    let mut mount = Mount::new(files, None)?;
    let target = path::join(b"/", name);
    if target == b"/" || path::parent(&target) != b"/" {
        return failed(format!("open {}: no such file or directory", escape::bytes(&target)));
    }
    mount.create(&target, Kind::File(content), mode)?;
    mount.change(&target)?.mtime = mtime;
    Ok(mount.tree)
}
