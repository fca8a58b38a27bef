//! Hard links into lower layers: is there a file, and does it show?

use std::io;
use std::ops::Range;

use super::table::Names;
use super::tree::MAX_LINKS;
use super::{Node, Workspace};
use crate::layer::whiteout::{OPAQUE, PREFIX};

/// What one layer says about a path.
enum Response {
    /// A file stands there.
    File,
    /// A directory stands there.
    Directory,
    /// Something else stands there, or the layer hides what is below.
    Nothing,
    /// The path leads over a symbolic link to another one, in which `..` may stand.
    Elsewhere(Vec<u8>),
    /// The layer says nothing; ask the one below.
    Below,
}

/// Whether `target` is a file in the layers `lower`, the topmost last; none when that takes more than `steps`, of which
/// every look at a name takes one.
pub fn find_outer(target: &[u8], lower: &[&Names], workspace: &Workspace, steps: &mut u64) -> io::Result<Option<bool>> {
    let mut target = target.to_vec();
    let mut followed = 0;
    // A path that leads over a link is looked up anew from the topmost layer.
    while followed <= MAX_LINKS {
        // `..` leads up from where what stands before it has led to, so that is asked for first.
        let up = find_up(&target);
        if up.as_ref().is_some_and(|up| up.start == 0) {
            return Ok(Some(false));
        }
        let asked = up.as_ref().map_or(target.as_slice(), |up| &target[..up.start]);
        let mut found = Response::Nothing;
        for names in lower.iter().rev() {
            // Three looks at each component, at most.
            let looks = 3 * (2 + asked.iter().filter(|byte| **byte == b'/').count() as u64);
            let Some(left) = steps.checked_sub(looks) else { return Ok(None) };
            *steps = left;
            match ask(names, asked, up.is_some(), workspace)? {
                Response::Below => {}
                response => {
                    found = response;
                    break;
                }
            }
        }
        match (found, up) {
            (Response::File, None) => return Ok(Some(true)),
            (Response::Elsewhere(mut path), up) => {
                path.extend_from_slice(up.map_or(b"", |up| &target[up.start..]));
                target = path;
                followed += 1;
            }
            (Response::Directory, Some(up)) => {
                let above = target[..up.start].iter().rposition(|&byte| byte == b'/').map_or(0, |border| border + 1);
                target.drain(above..up.end);
            }
            _ => return Ok(Some(false)),
        }
    }
    Ok(Some(false))
}

/// The first `/..` of a path, with the slash behind it; a path that starts with `..` leaves the root.
fn find_up(path: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    for component in path.split(|&byte| byte == b'/') {
        let end = start + component.len();
        if component == b".." {
            return Some(start.saturating_sub(1)..(end + 1).min(path.len()));
        }
        start = end + 1;
    }
    None
}

fn ask(names: &Names, target: &[u8], wants_directory: bool, workspace: &Workspace) -> io::Result<Response> {
    let get = |path: &[u8]| Ok::<_, io::Error>(names.get(workspace.hash(path), workspace)?.map(Node::of_number));
    let led = |start: usize, end: usize, place: u64| {
        let link = workspace.text(place)?;
        Ok::<_, io::Error>(follow(target, start, end, &link).map_or(Response::Nothing, Response::Elsewhere))
    };
    match get(target)? {
        Some(Node::File | Node::OuterLink) => return Ok(Response::File),
        Some(Node::Directory | Node::Implied) => return Ok(Response::Directory),
        Some(Node::Symlink(place)) if wants_directory => {
            let start = target.iter().rposition(|&byte| byte == b'/').map_or(0, |border| border + 1);
            return led(start, target.len(), place);
        }
        Some(_) => return Ok(Response::Nothing),
        None => {}
    }
    let mut start = 0;
    let mut is_hidden = get(OPAQUE)?.is_some();
    while start <= target.len() {
        let end = target[start..].iter().position(|&byte| byte == b'/').map_or(target.len(), |next| start + next);
        let (directory, name, path) = (&target[..start], &target[start..end], &target[..end]);
        is_hidden |= get(&[directory, PREFIX, name].concat())?.is_some();
        if end < target.len() {
            match get(path)? {
                Some(Node::Symlink(place)) => return led(start, end, place),
                None | Some(Node::Directory | Node::Implied) => {}
                Some(_) => return Ok(Response::Nothing),
            }
            is_hidden |= get(&[path, b"/", OPAQUE].concat())?.is_some();
        }
        start = end + 1;
    }
    Ok(if is_hidden { Response::Nothing } else { Response::Below })
}

/// `path` with the link at `start..end` replaced by its target, in which `..` stays; none if that leaves the root.
fn follow(path: &[u8], start: usize, end: usize, target: &[u8]) -> Option<Vec<u8>> {
    if target.starts_with(b"/") {
        return None;
    }
    let pieces = [&path[..start], target, &path[end..]];
    let parts = pieces.iter().flat_map(|piece| piece.split(|&byte| byte == b'/'));
    Some(parts.filter(|part| !part.is_empty() && *part != b".").collect::<Vec<_>>().join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::names::tree::Tree;
    use crate::layer::tar::{Entry, Kind, Reader, Writer};
    use crate::limits::Limits;

    fn names(entries: &[Entry], workspace: &Workspace) -> Names {
        let mut writer = Writer::new(Vec::new());
        entries.iter().for_each(|entry| writer.append_empty(entry).unwrap());
        let tar = writer.finish().unwrap();
        let mut reader = Reader::new(tar.as_slice(), &Limits::default());
        let mut tree = Tree::new(workspace);
        while let Some(member) = reader.next().unwrap() {
            tree.add(&member).unwrap();
        }
        tree.finish(|violation| panic!("{violation}")).unwrap().0
    }

    #[test]
    fn a_file_of_a_lower_layer_counts_unless_something_above_hides_it() {
        let workspace = Workspace::default();
        let file = |path: &str| Entry::file(path, 0o644, 0);
        let link = |path: &str, target: &str| Entry::new(path, Kind::Symlink { target: target.into() }, 0o777);
        let base = names(&[file("usr/lib/x"), Entry::directory("etc", 0o755), link("lib", "usr/lib")], &workspace);
        for (above, target, want) in [
            (vec![], "usr/lib/x", true),
            (vec![], "lib/x", true),
            (vec![], "usr/lib/y", false),
            (vec![], "etc", false),
            (vec![file("other")], "usr/lib/x", true),
            (vec![file("usr/lib/.wh.x")], "usr/lib/x", false),
            (vec![file(".wh.usr")], "usr/lib/x", false),
            (vec![file("usr/.wh..wh..opq")], "usr/lib/x", false),
            (vec![file(".wh..wh..opq")], "usr/lib/x", false),
            (vec![file("usr/.wh..wh..opq"), file("usr/lib/x")], "usr/lib/x", true),
            (vec![file("usr/lib")], "usr/lib/x", false),
            (vec![link("usr/lib/x", "y")], "usr/lib/x", false),
            (vec![link("usr", "/out")], "usr/lib/x", false),
            (vec![link("a", "lib")], "a/x", true),
            // From where the link has led to, not from where it stands.
            (vec![link("up", "lib/..")], "up/lib/x", true),
            (vec![link("up", "lib/..")], "up/usr/lib/x", false),
            (vec![link("d/up", "../lib/../../usr")], "d/up/lib/x", true),
            (vec![link("up", "..")], "up/usr/lib/x", false),
            (vec![link("up", "lib/../../..")], "up/usr/lib/x", false),
            (vec![link("up", "missing/../usr")], "up/lib/x", false),
            (vec![link("up", "usr/lib/x/../../lib")], "up/x", false),
        ] {
            let above = names(&above, &workspace);
            let found = find_outer(target.as_bytes(), &[&base, &above], &workspace, &mut 1000).unwrap();
            assert_eq!(found, Some(want), "{target}");
        }
        assert_eq!(find_outer(b"x", &[], &workspace, &mut 1000).unwrap(), Some(false));
        assert_eq!(find_outer(b"usr/lib/x", &[&base], &workspace, &mut 5).unwrap(), None);
    }
}
