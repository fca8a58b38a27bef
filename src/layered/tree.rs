//! What a layer holds of one path: the path, and all below it, in the order of Python's `sorted`.
//!
//! Python compares paths by their components, and those by code points, so a directory's content follows it at once, and
//! a walk that sorts each directory's names gives the order without holding the tree.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use super::error::LayeredError;
use super::root::Root;
use super::text::code_points;

/// One file, directory, link or device.
pub struct Found<'a> {
    /// The path as Python prints it: no `//`, no `.`, no slash at the end.
    pub name: &'a [u8],
    /// Where it is.
    pub place: &'a Path,
    /// Of itself, not of what it links to.
    pub metadata: &'a Metadata,
}

/// Shows `path` and all below it; links are not entered.
///
/// # Errors
/// What can't be read, and those of `see`.
pub fn walk(
    root: &Root,
    path: &[u8],
    see: &mut dyn FnMut(&Found<'_>) -> Result<(), LayeredError>,
) -> Result<(), LayeredError> {
    let mut name = normal(path);
    let mut place = root.place(OsStr::from_bytes(&name)).map_err(LayeredError::read("find", &name))?;
    let mut open: Vec<IntoIter<OsString>> = Vec::new();
    loop {
        let metadata = fs::symlink_metadata(&place).map_err(LayeredError::read("read", &name))?;
        see(&Found { name: &name, place: &place, metadata: &metadata })?;
        if metadata.is_dir() {
            open.push(names(&place).map_err(LayeredError::read("list", &name))?.into_iter());
        } else {
            leave(&mut name, &mut place, open.len());
        }
        loop {
            let Some(names) = open.last_mut() else { return Ok(()) };
            if let Some(next) = names.next() {
                enter(&mut name, &mut place, &next);
                break;
            }
            open.pop();
            leave(&mut name, &mut place, open.len());
        }
    }
}

fn enter(name: &mut Vec<u8>, place: &mut PathBuf, next: &OsStr) {
    match name.as_slice() {
        b"." => name.clear(),
        [] | [.., b'/'] => {}
        _ => name.push(b'/'),
    }
    name.extend_from_slice(next.as_bytes());
    place.push(next);
}

/// Goes up, unless this is the walk's first path.
fn leave(name: &mut Vec<u8>, place: &mut PathBuf, depth: usize) {
    if depth > 0 {
        let end = name.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        name.truncate(end);
        place.pop();
    }
}

fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable_by(|a, b| code_points(a.as_bytes()).cmp(code_points(b.as_bytes())));
    Ok(names)
}

/// As `pathlib` simplifies a path.
pub fn normal(path: &[u8]) -> Vec<u8> {
    let slashes = path.iter().take_while(|byte| **byte == b'/').count();
    // Exactly two slashes have a meaning of their own to POSIX, and stay.
    let mut normal = vec![b'/'; if slashes == 2 { 2 } else { slashes.min(1) }];
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    normal.extend(parts.collect::<Vec<_>>().join(&b'/'));
    if normal.is_empty() { b".".to_vec() } else { normal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_simplified_as_pathlib_does() {
        for (path, want) in [
            ("/nix/store/a", "/nix/store/a"),
            ("/nix//store/./a/", "/nix/store/a"),
            ("//nix", "//nix"),
            ("///nix/../a", "/nix/../a"),
            ("./a", "a"),
            ("", "."),
            ("/", "/"),
        ] {
            assert_eq!(normal(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }

    #[test]
    fn a_directory_is_followed_by_its_content_and_names_are_ordered_by_code_points() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path();
        fs::create_dir_all(top.join("s/a")).expect("directories");
        std::os::unix::fs::symlink("a", top.join("s/link")).expect("a link");
        let names: [&[u8]; 6] =
            [b"s/a/x", b"s/a-b", b"s/.h", b"s/\xff", "s/\u{e000}".as_bytes(), "s/\u{1f40b}".as_bytes()];
        for name in names {
            fs::write(top.join(OsStr::from_bytes(name)), "").expect("a file");
        }
        let mut seen = Vec::new();
        let mut see = |found: &Found<'_>| {
            seen.push(found.name.to_vec());
            assert_eq!(found.metadata.is_symlink(), found.name == b"/s/link");
            Ok(())
        };
        walk(&Root::below(top), b"/s/", &mut see).expect("a walk");
        let want: [&[u8]; 9] = [
            b"/s",
            b"/s/.h",
            b"/s/a",
            b"/s/a/x",
            b"/s/a-b",
            b"/s/link",
            b"/s/\xff",
            "/s/\u{e000}".as_bytes(),
            "/s/\u{1f40b}".as_bytes(),
        ];
        assert_eq!(seen, want);
    }
}
