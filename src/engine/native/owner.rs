//! `--chown` and `USER`: numbers as they are, names looked up in the tree's `/etc/passwd` and `/etc/group`.

use super::filesystem::{Filesystem, Kind, Owner, Tree};
use super::lookup::Found;
use super::problem::{Problem, failed};

/// Bytes of `/etc/passwd` and `/etc/group` that are read.
const LARGEST: u64 = 10 << 20;

/// A user or group as written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Id(u64),
    Name(Vec<u8>),
}

/// Who shall own something, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedOwner {
    user: Wanted,
    group: Option<Wanted>,
}

impl WantedOwner {
    /// Reads `U`, `U:G` or `:G`.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut parts = text.splitn(2, |byte| *byte == b':');
        let user = parts.next().map_or(Wanted::Id(0), wanted);
        Self { user, group: parts.next().map(wanted) }
    }

    /// The ids, as they are in `tree` at this moment; no tree is one that nothing was ever put into.
    ///
    /// Unknown names are nobody's violation: such a user is 0:0, such a group leaves the user's.
    pub(super) fn resolve(&self, files: &Filesystem, tree: Option<Tree>) -> Result<Owner, Problem> {
        let is_name = |wanted: &Wanted| matches!(wanted, Wanted::Name(_));
        let Some(tree) = tree else {
            if is_name(&self.user) || self.group.as_ref().is_some_and(is_name) {
                return failed("invalid user index: -1");
            }
            return self.resolve_with(|_, _| Ok(None));
        };
        self.resolve_with(|file, name| find(files, tree, file, name))
    }

    fn resolve_with(
        &self,
        find: impl Fn(&str, &[u8]) -> Result<Option<Vec<Vec<u8>>>, Problem>,
    ) -> Result<Owner, Problem> {
        let mut owner = Owner::default();
        match &self.user {
            Wanted::Id(id) => owner = Owner { uid: *id, gid: *id },
            Wanted::Name(name) => {
                if let Some(fields) = find("/etc/passwd", name)? {
                    owner = Owner { uid: number(&fields, 2), gid: number(&fields, 3) };
                }
            }
        }
        match &self.group {
            None => {}
            Some(Wanted::Id(id)) => owner.gid = *id,
            Some(Wanted::Name(name)) => {
                if let Some(fields) = find("/etc/group", name)? {
                    owner.gid = number(&fields, 2);
                }
            }
        }
        Ok(owner)
    }
}

/// A number that fits 32 bits with sign, `root`, or a name. Nothing at all is 0.
fn wanted(text: &[u8]) -> Wanted {
    let plain = std::str::from_utf8(text).ok();
    match plain.map(str::parse::<i32>) {
        _ if text.is_empty() || text == b"root" => Wanted::Id(0),
        Some(Ok(id)) => Wanted::Id(u64::from(id.cast_unsigned())),
        _ => Wanted::Name(text.to_vec()),
    }
}

/// The fields of the first line for `name` in one of the files.
fn find(files: &Filesystem, tree: Tree, file: &str, name: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let path = match files.root_path(tree, file.as_bytes()) {
        Ok(path) => path,
        Err(Problem::Failed(message)) if message.ends_with("not a directory") => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let Found::Inode(id) = files.lstat(tree, &path) else { return Ok(None) };
    let Kind::File(content) = &files.get(id).kind else { return failed(format!("{file} is not a regular file")) };
    let Some(text) = content.read_all(LARGEST)? else { return failed(format!("\"{file}\" exceeds {LARGEST} bytes")) };
    let line = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| {
        let comment = file == "/etc/group" && line.starts_with(b"#");
        !line.is_empty() && !comment && line.split(|byte| *byte == b':').next() == Some(name)
    });
    Ok(line.map(|line| line.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect()))
}

/// A field as a number, of which the kernel takes 32 bits; anything else is 0, for such files misbehave.
fn number(fields: &[Vec<u8>], index: usize) -> u64 {
    let text = fields.get(index).and_then(|field| std::str::from_utf8(field).ok()).unwrap_or_default();
    let number = text.parse::<i64>().unwrap_or_else(|error| match error.kind() {
        std::num::IntErrorKind::PosOverflow => i64::MAX,
        std::num::IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    });
    number.cast_unsigned() & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::native::content::Content;
    use crate::engine::native::mount::Mount;

    #[test]
    fn names_are_looked_up_and_numbers_are_not() {
        let mut files = Filesystem::default();
        let mut mount = Mount::new(&mut files, None).unwrap();
        mount.make_directory(b"/etc", 0o755).unwrap();
        let mut put = |path: &[u8], text: &[u8]| {
            mount.create(path, Kind::File(Content::bytes(Arc::from(text))), 0o644).unwrap();
        };
        put(b"/etc/passwd", b"root:x:0:0\n  app:x:1000:1001:::\napp:x:5:5\nodd:x:many\n7:x:8:9\nneg:x:-5:4294967298\n");
        put(b"/etc/group", b"#app:x:1:\nteam:x:2000:a,b\n");
        let tree = mount.tree;
        for (text, uid, gid) in [
            ("5", 5, 5),
            ("5:6", 5, 6),
            (":6", 0, 6),
            ("5:", 5, 0),
            ("app", 1000, 1001),
            ("app:team", 1000, 2000),
            ("app:nobody", 1000, 1001),
            ("root:root", 0, 0),
            ("nobody", 0, 0),
            ("odd", 0, 0),
            ("neg", 4_294_967_291, 2),
            ("7", 7, 7),
            ("4294967295", 0, 0),
            ("2147483647", 2_147_483_647, 2_147_483_647),
        ] {
            let owner = WantedOwner::parse(text.as_bytes()).resolve(&files, Some(tree)).unwrap();
            assert_eq!(owner, Owner { uid, gid }, "{text}");
        }
        assert!(WantedOwner::parse(b"app").resolve(&files, None).is_err());
        assert!(WantedOwner::parse(b"1:team").resolve(&files, None).is_err());
        assert_eq!(WantedOwner::parse(b"1:2").resolve(&files, None).unwrap(), Owner { uid: 1, gid: 2 });
    }
}
