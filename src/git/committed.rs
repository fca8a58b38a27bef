//! What the checked-out commit holds at a path, and which branch that is.

use super::{Error, ObjectFormat, ObjectId, Repository, objects, read_small};

/// What a commit holds at a path that is no directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The blob.
    pub id: ObjectId,
    /// Whether it is the target of a symbolic link.
    pub is_link: bool,
}

/// What an entry of a tree is, by its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File { executable: bool },
    Link,
    Submodule,
}

impl Repository {
    /// The tree that the checked-out commit holds at a `/`-separated path below the work tree's root (empty: its own).
    pub(super) fn committed_tree(&self, path: &[u8]) -> Result<Option<ObjectId>, Error> {
        let mut tree = self.head()?.tree;
        for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            match find(&self.object(tree, objects::ObjectKind::Tree)?, part, self.format) {
                Some((Kind::Directory, id)) => tree = id,
                _ => return Ok(None),
            }
        }
        Ok(Some(tree))
    }

    /// What the checked-out commit holds at a `/`-separated path below the work tree's root; none if no file or link.
    pub fn committed(&self, path: &[u8]) -> Result<Option<Committed>, Error> {
        let mut tree = self.head()?.tree;
        let mut parts = path.split(|&byte| byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let bytes = self.object(tree, objects::ObjectKind::Tree)?;
            match (find(&bytes, part, self.format), parts.peek().is_some()) {
                (Some((Kind::Directory, id)), true) => tree = id,
                (Some((Kind::File { .. }, id)), false) => return Ok(Some(Committed { id, is_link: false })),
                (Some((Kind::Link, id)), false) => return Ok(Some(Committed { id, is_link: true })),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The branch that is checked out; none where `HEAD` names a commit itself.
    pub fn branch(&self) -> Option<String> {
        let head = read_small(&self.git_dir.join("HEAD")).ok()?;
        let name = head.trim_end().strip_prefix("ref:")?.trim_start().strip_prefix("refs/heads/")?;
        Some(name.to_owned())
    }
}

/// The entry called `name` of a tree object.
fn find(tree: &[u8], name: &[u8], format: ObjectFormat) -> Option<(Kind, ObjectId)> {
    entries(tree, format).find(|entry| entry.name == name).map(|entry| (entry.kind, entry.id))
}

/// One entry of a tree object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TreeEntry<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: Kind,
    pub(super) id: ObjectId,
}

/// The entries of a tree object, up to where it makes no sense: a mode in octal, a blank, the name, NUL and the raw id,
/// one after another.
pub(super) fn entries(tree: &[u8], format: ObjectFormat) -> impl Iterator<Item = TreeEntry<'_>> {
    let length = format.length();
    let mut rest = tree;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|&byte| byte == 0)?;
        let blank = rest[..end].iter().position(|&byte| byte == b' ')?;
        let id = rest.get(end + 1..end + 1 + length)?;
        let kind = match &rest[..blank] {
            b"40000" | b"040000" => Kind::Directory,
            b"120000" => Kind::Link,
            b"160000" => Kind::Submodule,
            mode => Kind::File { executable: mode.ends_with(b"755") },
        };
        let entry = TreeEntry { name: &rest[blank + 1..end], kind, id: ObjectId::from_bytes(id)? };
        rest = &rest[end + 1 + length..];
        Some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_tree_is_found_by_its_whole_name() {
        let mut tree = Vec::new();
        for (mode, name, byte) in [("100644", "a", 1), ("40000", "ab", 2), ("120000", "b", 3), ("160000", "m", 4)] {
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(&[byte; 20]);
        }
        for (name, want) in [
            ("a", Some((Kind::File { executable: false }, 1))),
            ("ab", Some((Kind::Directory, 2))),
            ("b", Some((Kind::Link, 3))),
            ("m", Some((Kind::Submodule, 4))),
            ("", None),
            ("abc", None),
        ] {
            assert_eq!(
                find(&tree, name.as_bytes(), ObjectFormat::Sha1),
                want.map(|(kind, byte)| (kind, ObjectId::Sha1([byte; 20]))),
                "{name}"
            );
        }
        for end in 0..tree.len() - 1 {
            assert_eq!(find(&tree[..end], b"m", ObjectFormat::Sha1), None, "{end}");
        }
    }
}
