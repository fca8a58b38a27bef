//! What `git archive` leaves out, as far as the files tell that it does not leave out.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::attributes::not_exported;
use super::wildmatch::Glob;
use crate::input::open_regular;

/// Bytes that are read of one file.
const MOST_BYTES: u64 = 1 << 20;

/// What is not there below `directory` because an archive lacks it: paths and patterns that its `.gitattributes` marks
/// with `export-ignore`, and the submodules of its `.gitmodules`, whose directories archives have empty.
pub fn left_out_of_archives(directory: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut left_out = Vec::new();
    for pattern in not_exported(&text(&directory.join(".gitattributes"))?) {
        let path = pattern.strip_prefix(b"/").unwrap_or(&pattern);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if !is_there(directory, path)? {
            left_out.push(path.to_vec());
        }
    }
    for line in text(&directory.join(".gitmodules"))?.split(|byte| *byte == b'\n') {
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { continue };
        let path = line[at + 1..].trim_ascii();
        if line[..at].trim_ascii() == b"path" && !path.is_empty() && is_empty(&directory.join(OsStr::from_bytes(path)))
        {
            left_out.push(path.to_vec());
        }
    }
    left_out.sort();
    left_out.dedup();
    Ok(left_out)
}

/// Whether a path is there, or something that a pattern matches right in the directory.
fn is_there(directory: &Path, pattern: &[u8]) -> io::Result<bool> {
    if !pattern.iter().any(|byte| b"*?[\\".contains(byte)) {
        return Ok(directory.join(OsStr::from_bytes(pattern)).symlink_metadata().is_ok());
    }
    let Some(glob) = Glob::new(pattern) else { return Ok(true) };
    for entry in fs::read_dir(directory)? {
        if glob.matches(entry?.file_name().as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_none())
}

/// The first bytes of a file; none if there is no such file.
fn text(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    match open_regular(path) {
        Ok(file) => file.take(MOST_BYTES).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_archive_lacks_is_named_as_long_as_it_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        assert_eq!(left_out_of_archives(directory.path()).unwrap(), Vec::<Vec<u8>>::new());
        write(
            ".gitattributes",
            "# c\n/docs/ export-ignore\nsecret.txt text export-ignore\n*.md export-ignore\n*.rs -export-ignore\n\
             there export-ignore\n\"a b\" export-ignore\n*.c export-ignore\nkept text\n",
        );
        write(".gitmodules", "[submodule \"x\"]\n\tpath = vendor/x\n\turl = https://h.example/x\n");
        write("there", "");
        write("main.c", "");
        let named = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
        let want = ["*.md", "a b", "docs", "secret.txt", "vendor/x"];
        assert_eq!(left_out_of_archives(directory.path()).unwrap(), named(&want));
        fs::create_dir_all(directory.path().join("vendor/x")).unwrap();
        assert_eq!(left_out_of_archives(directory.path()).unwrap(), named(&want), "an empty directory");
        write("vendor/x/file", "");
        assert_eq!(left_out_of_archives(directory.path()).unwrap(), named(&want[..4]));
    }
}
