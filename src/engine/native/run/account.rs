//! `USER` for a step: ids, groups and home as the tree's `/etc/passwd` and `/etc/group` have them (`run.md` 1).

use crate::engine::native::filesystem::{Filesystem, Kind, Tree};
use crate::engine::native::lookup::Found;
use crate::engine::native::problem::{Problem, failed};
use crate::escape;
use crate::sandbox::Identity;

/// Bytes of `/etc/passwd` and `/etc/group` that are read.
const LARGEST: u64 = 10 << 20;
/// The largest id that Linux's files may name.
const LAST: i64 = (1 << 31) - 1;

/// Who runs a step, and where that one lives.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) identity: Identity,
    pub(super) home: Vec<u8>,
}

/// A line of `/etc/passwd`.
struct User {
    name: Vec<u8>,
    uid: i64,
    gid: i64,
    home: Vec<u8>,
}

/// A line of `/etc/group`.
struct Group {
    name: Vec<u8>,
    gid: i64,
    members: Vec<Vec<u8>>,
}

impl Account {
    /// The account that `user` (`U` or `U:G`, empty for root) names in `tree`.
    pub(super) fn find(files: &Filesystem, tree: Option<Tree>, user: &[u8]) -> Result<Self, Problem> {
        let users = lines(files, tree, "/etc/passwd")?.map(|lines| lines.iter().map(|line| User::of(line)).collect());
        let groups = lines(files, tree, "/etc/group")
            .map(|lines| lines.unwrap_or_default().iter().map(|line| Group::of(line)).collect());
        find(&users.unwrap_or_else(Vec::new), groups, user)
    }
}

/// The account in these lines; a list of groups that can't be read only matters where it is asked.
fn find(users: &[User], groups: Result<Vec<Group>, Problem>, wanted: &[u8]) -> Result<Account, Problem> {
    let mut parts = wanted.splitn(2, |byte| *byte == b':');
    let user = parts.next().filter(|user| !user.is_empty()).unwrap_or(b"0");
    let group = parts.next().filter(|group| !group.is_empty());
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
    let id = |number: i64| match u32::try_from(number) {
        Ok(id) if number <= LAST => Ok(id),
        _ => failed(format!("uids and gids must be in range 0-{LAST}")),
    };
    let listed = users.iter().find(|line| line.name == user || number(user) == Some(line.uid));
    let (uid, mut gid) = match (listed, number(user)) {
        (Some(line), _) => (line.uid, line.gid),
        (None, Some(uid)) => (uid, 0),
        (None, None) => {
            let name = escape::bytes(user);
            return failed(format!("unable to find user {name}: no matching entries in passwd file"));
        }
    };
    let mut others: Vec<i64> = Vec::new();
    match (group, listed) {
        (Some(group), _) => {
            let groups = groups?;
            let line = groups.iter().find(|line| line.name == group || number(group) == Some(line.gid));
            gid = match line.map(|line| line.gid).or_else(|| number(group)) {
                Some(gid) => gid,
                None => {
                    let name = escape::bytes(group);
                    return failed(format!("unable to find group {name}: no matching entries in group file"));
                }
            };
        }
        (None, Some(user)) => {
            let groups = groups?;
            let is_member = |line: &&Group| line.members.contains(&user.name);
            others.extend(groups.iter().filter(is_member).map(|line| line.gid));
        }
        (None, None) => {}
    }
    if !others.contains(&gid) {
        others.insert(0, gid);
    }
    let home = match listed {
        Some(line) if !line.home.is_empty() => line.home.clone(),
        _ => b"/".to_vec(),
    };
    let groups = others.into_iter().map(id).collect::<Result<_, _>>()?;
    Ok(Account { identity: Identity { uid: id(uid)?, gid: id(gid)?, groups }, home })
}

impl User {
    fn of(line: &[u8]) -> Self {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        Self { name: field(0).to_vec(), uid: as_number(field(2)), gid: as_number(field(3)), home: field(5).to_vec() }
    }
}

impl Group {
    fn of(line: &[u8]) -> Self {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let members = field(3).split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
        Self { name: field(0).to_vec(), gid: as_number(field(2)), members }
    }
}

/// A field as a number; anything else is 0.
fn as_number(field: &[u8]) -> i64 {
    std::str::from_utf8(field).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The lines of a file that name somebody; none if there is no such file. A directory in its place can be opened, and not
/// read: that is an error, for BuildKit's runtime too.
fn lines(files: &Filesystem, tree: Option<Tree>, file: &str) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let Some(tree) = tree else { return Ok(None) };
    let Found::Inode(id) = files.stat(tree, file.as_bytes()) else { return Ok(None) };
    let content = match &files.get(id).kind {
        Kind::File(content) => content,
        Kind::Directory(..) => return failed(format!("read {file}: is a directory")),
        _ => return Ok(None),
    };
    let Some(text) = content.read_all(LARGEST)? else { return failed(format!("\"{file}\" exceeds {LARGEST} bytes")) };
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let kept = lines.filter(|line| !(line.is_empty() || file == "/etc/group" && line.starts_with(b"#")));
    Ok(Some(kept.map(<[u8]>::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_found_by_name_and_number() {
        let users = ["root:x:0:0:r:/root:/bin/sh", "app:x:1000:1000::/home/app:", "web:x:33:50::/srv:"];
        let groups = ["root:x:0:", "staff:x:50:app,web", "rgrp:x:70:root", "app:x:1000:"];
        let users: Vec<User> = users.iter().map(|line| User::of(line.as_bytes())).collect();
        let groups = || Ok(groups.iter().map(|line| Group::of(line.as_bytes())).collect());
        for (wanted, want) in [
            ("", Some((0, 0, vec![0, 70], "/root"))),
            ("root", Some((0, 0, vec![0, 70], "/root"))),
            ("app", Some((1000, 1000, vec![1000, 50], "/home/app"))),
            ("1000", Some((1000, 1000, vec![1000, 50], "/home/app"))),
            ("app:", Some((1000, 1000, vec![1000, 50], "/home/app"))),
            ("app:staff", Some((1000, 50, vec![50], "/home/app"))),
            ("1000:70", Some((1000, 70, vec![70], "/home/app"))),
            ("4242", Some((4242, 0, vec![0], "/"))),
            ("7:8", Some((7, 8, vec![8], "/"))),
            ("web", Some((33, 50, vec![50], "/srv"))),
            ("nobody-here", None),
            ("app:nogroup", None),
            ("-1", None),
        ] {
            let found = find(&users, groups(), wanted.as_bytes()).ok();
            let want = want.map(|(uid, gid, groups, home): (_, _, _, &str)| Account {
                identity: Identity { uid, gid, groups },
                home: home.as_bytes().to_vec(),
            });
            assert_eq!(found, want, "{wanted}");
        }
        let nobody = find(&[], Ok(Vec::new()), b"7:8").unwrap();
        assert_eq!((nobody.identity.gid, nobody.home), (8, b"/".to_vec()));
        assert_eq!(find(&[], Ok(Vec::new()), b"").unwrap().home, b"/");
        // Who is listed, or a group, asks for the groups; nobody else does.
        let unreadable = || failed("read /etc/group: is a directory".to_owned());
        assert!(find(&users, unreadable(), b"4242").is_ok());
        assert!(find(&users, unreadable(), b"app").is_err() && find(&[], unreadable(), b"7:8").is_err());
    }
}
