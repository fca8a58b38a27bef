//! Everything that one commit holds, without the commits before it.

use std::collections::BTreeSet;

use super::committed::{self, Kind};
use super::object_store::Objects;
use super::objects::ObjectKind;
use super::{Error, ObjectId};

impl Objects {
    /// The commit, its trees and its blobs: the commit first, then by id. Submodules are others' commits and left out.
    pub fn snapshot(&self, commit: ObjectId) -> Result<Vec<ObjectId>, Error> {
        let text = self.of_kind(commit, ObjectKind::Commit)?;
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let tree = line.strip_prefix(b"tree ").and_then(ObjectId::from_hex);
        let tree = tree.ok_or_else(|| Error::object(self.repository(), commit, "it names no tree"))?;
        let mut found = BTreeSet::from([tree]);
        let mut trees = vec![tree];
        while let Some(tree) = trees.pop() {
            for entry in committed::entries(&self.of_kind(tree, ObjectKind::Tree)?, tree.format()) {
                let is_new = entry.kind != Kind::Submodule && found.insert(entry.id);
                if is_new && entry.kind == Kind::Directory {
                    trees.push(entry.id);
                }
            }
        }
        Ok(std::iter::once(commit).chain(found).collect())
    }
}
