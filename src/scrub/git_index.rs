//! Git's index without what differs from build to build (`docs/formats.md`, "Scrubbed git index").
//!
//! Git keeps there what the file system said of each file, to see without reading it whether it is still the same. Where
//! that is nothing, the next `git status` reads the files and fills it in.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const SIGNATURE: &[u8] = b"DIRC";
const HEADER: usize = 12;
/// Of an entry: times of change and modification, device and inode; then the mode; then user and group.
const TIMES_TO_INODE: usize = 24;
const OWNER: std::ops::Range<usize> = 28..36;
/// Of an entry before its object's name.
const STAT: usize = 40;
const IS_EXTENDED: u8 = 1 << 6;

/// The index with zeros for times, device, inode and owner of each entry, and a checksum that fits; what is no index of
/// version 2 to 4 stays as it is.
pub fn forget_stat(content: &[u8]) -> Vec<u8> {
    let fits = |id: usize| {
        let body = content.len().checked_sub(id)?;
        let (body, checksum) = content.split_at(body);
        // With `index.skipHash` there is none.
        let is_left_out = checksum.iter().all(|byte| *byte == 0);
        (is_left_out || checksum_of(body, id) == checksum).then_some((id, is_left_out))
    };
    let forms = [20, 32].into_iter().filter_map(fits);
    forms.into_iter().find_map(|(id, is_left_out)| edited(content, id, is_left_out)).unwrap_or_else(|| content.to_vec())
}

fn checksum_of(body: &[u8], id: usize) -> Vec<u8> {
    if id == 20 { Sha1::digest(body).to_vec() } else { Sha256::digest(body).to_vec() }
}

/// The edited index, whose objects have names of `id` bytes; none if it is not of that form.
fn edited(content: &[u8], id: usize, is_left_out: bool) -> Option<Vec<u8>> {
    let end = content.len().checked_sub(id)?;
    let number = |at: usize| Some(u32::from_be_bytes(content.get(at..at + 4)?.try_into().ok()?));
    let version = number(4)?;
    if content.get(..4)? != SIGNATURE || !(2..=4).contains(&version) {
        return None;
    }
    let mut out = content.to_vec();
    let mut at = HEADER;
    for _ in 0..number(8)? {
        let flags = at + STAT + id;
        let more = if content.get(flags)? & IS_EXTENDED != 0 { 2 } else { 0 };
        let name = flags + 2 + more;
        let length = content.get(name..end)?.iter().position(|byte| *byte == 0)?;
        // A name begins in version 4 with how much of the one before it is cut, in bytes of which all but the last have
        // their highest bit set; such a byte is no zero, and a last one that is ends no name.
        let next = match version {
            4 => {
                let first = name + content.get(name..end)?.iter().position(|byte| byte & 0x80 == 0)? + 1;
                first + content.get(first..end)?.iter().position(|byte| *byte == 0)? + 1
            }
            _ => at + (name + length - at) / 8 * 8 + 8,
        };
        if next > end {
            return None;
        }
        out[at..at + TIMES_TO_INODE].fill(0);
        out[at + OWNER.start..at + OWNER.end].fill(0);
        at = next;
    }
    // What follows are extensions, each with its length.
    while at < end {
        at = (at + 8).checked_add(usize::try_from(number(at + 4)?).ok()?)?;
    }
    if at != end {
        return None;
    }
    if !is_left_out {
        let checksum = checksum_of(&out[..end], id);
        out[end..].copy_from_slice(&checksum);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").current_dir(directory);
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"];
        let output = git.args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn two_clones_have_one_index_that_git_reads_and_fills_again() {
        for (version, format) in [("2", "sha1"), ("3", "sha1"), ("4", "sha1"), ("2", "sha256"), ("4", "sha256")] {
            let directory = tempfile::tempdir().unwrap();
            let origin = directory.path().join("origin");
            std::fs::create_dir(&origin).unwrap();
            git(&origin, &["init", "-q", &format!("--object-format={format}")]);
            for name in ["a", "ab", "dir-with-a-long-name-that-is-shared", "zzzzzzz", "zzzzzzzz"] {
                std::fs::create_dir_all(origin.join(name)).unwrap();
                std::fs::write(origin.join(name).join("file"), name).unwrap();
            }
            git(&origin, &["add", "."]);
            git(&origin, &["commit", "-q", "-m", "one"]);
            let mut indexes = Vec::new();
            for clone in ["one", "two"] {
                git(directory.path(), &["clone", "-q", "origin", clone]);
                let clone = directory.path().join(clone);
                if version == "3" {
                    git(&clone, &["update-index", "--skip-worktree", "ab/file"]);
                }
                git(&clone, &["update-index", &format!("--index-version={version}")]);
                let path = clone.join(".git/index");
                let before = std::fs::read(&path).unwrap();
                let listed = git(&clone, &["ls-files", "--stage"]);
                let after = forget_stat(&before);
                assert_ne!(after, before);
                assert_eq!(forget_stat(&after), after, "twice changes nothing more");
                std::fs::write(&path, &after).unwrap();
                assert_eq!(git(&clone, &["ls-files", "--stage"]), listed);
                assert_eq!(git(&clone, &["status", "--porcelain"]), "");
                assert_ne!(std::fs::read(&path).unwrap(), after, "it was filled in again");
                indexes.push(after);
            }
            assert_eq!(indexes[0], indexes[1], "{version} {format}");
        }
    }

    #[test]
    fn what_is_no_index_stays() {
        let whole = [&b"DIRC\0\0\0\x02\0\0\0\x01"[..], &[1; 40], &[2; 20], b"\0\x01a", &[0; 1], &[0; 20]].concat();
        let edited = forget_stat(&whole);
        assert_eq!((&edited[12..36], &edited[36..40], &edited[40..48]), (&[0; 24][..], &[1; 4][..], &[0; 8][..]));
        assert_eq!(edited[48..], whole[48..], "the size stays, and no checksum is made up");
        for at in 0..whole.len() {
            assert_eq!(forget_stat(&whole[..at]), whole[..at]);
        }
        let many = [&whole[..8], &[0xff; 4], &whole[12..]].concat();
        let extension = [&whole[..whole.len() - 20], b"TREE\xff\xff\xff\xff", &[0; 20]].concat();
        let newer = [b"DIRC\0\0\0\x05", &whole[8..]].concat();
        for text in [many, extension, newer, b"text".to_vec(), Vec::new()] {
            assert_eq!(forget_stat(&text), text);
        }
    }
}
