//! What the index has otherwise than the checked-out commit.

use std::collections::BTreeMap;

use super::committed::{Kind, entries};
use super::{Error, ObjectId, Repository, Tracked, TrackedKind, objects};

impl Repository {
    /// The paths below a directory (empty: the root) at which index and checked-out commit differ, and whether each is in
    /// the index. A directory that only the commit has is one path.
    pub fn staged(&self, directory: &[u8]) -> Result<BTreeMap<Vec<u8>, bool>, Error> {
        let mut prefix = directory.to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let tracked = self.tracked_once()?;
        let mut left: BTreeMap<&[u8], &Tracked> = tracked
            .iter()
            .filter(|tracked| tracked.path.starts_with(&prefix))
            .map(|tracked| (tracked.path.as_slice(), tracked))
            .collect();
        let mut differing = BTreeMap::new();
        // Only directories that the index has are looked into, so that a commit can't make this endless.
        let mut open: Vec<(Vec<u8>, ObjectId)> =
            self.committed_tree(directory)?.map(|tree| (prefix.clone(), tree)).into_iter().collect();
        while let Some((prefix, tree)) = open.pop() {
            let tree = self.object(tree, objects::ObjectKind::Tree)?;
            for entry in entries(&tree, self.format()) {
                let path = [&prefix, entry.name].concat();
                if entry.kind == Kind::Directory {
                    let below = [&path, b"/".as_slice()].concat();
                    let at = tracked.partition_point(|tracked| tracked.path < below);
                    if tracked.get(at).is_some_and(|tracked| tracked.path.starts_with(&below)) {
                        open.push((below, entry.id));
                    } else {
                        differing.insert(path, false);
                    }
                    continue;
                }
                match left.get(path.as_slice()) {
                    Some(tracked) if is_same(tracked, entry.kind, entry.id) => drop(left.remove(path.as_slice())),
                    Some(_) => {}
                    None => drop(differing.insert(path, false)),
                }
            }
        }
        differing.extend(left.into_keys().map(|path| (path.to_vec(), true)));
        Ok(differing)
    }
}

fn is_same(tracked: &Tracked, kind: Kind, id: ObjectId) -> bool {
    let is_kind = match (tracked.kind, kind) {
        (TrackedKind::File { executable }, Kind::File { executable: committed }) => executable == committed,
        (TrackedKind::Symlink, Kind::Link) | (TrackedKind::Submodule, Kind::Submodule) => true,
        _ => false,
    };
    is_kind && tracked.id == id && !tracked.unmerged && !tracked.intent_to_add
}
