//! Hard links into lower layers: is there a file, and does it show?

use std::io;

use super::table::Names;
use super::tree::MAX_LINKS;
use super::{Node, Workspace, follow};
use crate::layer::whiteout::{OPAQUE, PREFIX};

/// What one layer says about a path.
enum Answer {
    /// A file stands there.
    File,
    /// Something else stands there, or the layer hides what is below.
    Nothing,
    /// The path leads over a symbolic link to another one.
    Elsewhere(Vec<u8>),
    /// The layer says nothing; ask the one below.
    Below,
}

/// Whether `target` is a file in the layers `lower`, the topmost last; none when that takes more than `steps`, of which
/// every look at a name takes one.
pub fn find_outer(target: &[u8], lower: &[&Names], workspace: &Workspace, steps: &mut u64) -> io::Result<Option<bool>> {
    let mut target = target.to_vec();
    // A path that leads over a link is looked up anew from the topmost layer.
    for _ in 0..MAX_LINKS {
        let mut next = None;
        for names in lower.iter().rev() {
            // Three looks at each component, at most.
            let looks = 3 * (2 + target.iter().filter(|byte| **byte == b'/').count() as u64);
            let Some(left) = steps.checked_sub(looks) else { return Ok(None) };
            *steps = left;
            match ask(names, &target, workspace)? {
                Answer::File => return Ok(Some(true)),
                Answer::Nothing => return Ok(Some(false)),
                Answer::Elsewhere(path) => {
                    next = Some(path);
                    break;
                }
                Answer::Below => {}
            }
        }
        match next {
            Some(path) => target = path,
            None => return Ok(Some(false)),
        }
    }
    Ok(Some(false))
}

fn ask(names: &Names, target: &[u8], workspace: &Workspace) -> io::Result<Answer> {
    let get = |path: &[u8]| Ok::<_, io::Error>(names.get(workspace.hash(path), workspace)?.map(Node::of_number));
    match get(target)? {
        Some(Node::File | Node::OuterLink) => return Ok(Answer::File),
        Some(_) => return Ok(Answer::Nothing),
        None => {}
    }
    let mut start = 0;
    let mut is_hidden = get(OPAQUE)?.is_some();
    while start <= target.len() {
        let end = target[start..].iter().position(|&byte| byte == b'/').map_or(target.len(), |next| start + next);
        let (folder, name, path) = (&target[..start], &target[start..end], &target[..end]);
        is_hidden |= get(&[folder, PREFIX, name].concat())?.is_some();
        if end < target.len() {
            match get(path)? {
                Some(Node::Symlink(place)) => {
                    let link = workspace.text(place)?;
                    let followed = follow(target, start, end, &link);
                    return Ok(followed.map_or(Answer::Nothing, Answer::Elsewhere));
                }
                None | Some(Node::Directory | Node::Implied) => {}
                Some(_) => return Ok(Answer::Nothing),
            }
            is_hidden |= get(&[path, b"/", OPAQUE].concat())?.is_some();
        }
        start = end + 1;
    }
    Ok(if is_hidden { Answer::Nothing } else { Answer::Below })
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
        tree.finish(|fault| panic!("{fault}")).unwrap().0
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
        ] {
            let above = names(&above, &workspace);
            let found = find_outer(target.as_bytes(), &[&base, &above], &workspace, &mut 1000).unwrap();
            assert_eq!(found, Some(want), "{target}");
        }
        assert_eq!(find_outer(b"x", &[], &workspace, &mut 1000).unwrap(), Some(false));
        assert_eq!(find_outer(b"usr/lib/x", &[&base], &workspace, &mut 5).unwrap(), None);
    }
}
