//! The archive that an engine wrote: where its members are. Nothing is unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::build::Blob;
use crate::digest::Digest;
use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;

const BLOCK: u64 = 512;
/// Members of one archive: blobs, `index.json`, `oci-layout` and directories.
const MEMBERS: usize = 10_000;
/// What may follow the last member: end blocks and the padding of a record.
const PADDING: u64 = 1 << 20;

/// The members of an image archive by name.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    engine: &'static str,
    members: BTreeMap<String, Member>,
}

/// Where a member's content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Offset in the archive.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

impl Archive {
    /// Lists the members of the archive at `path`, which `engine` wrote.
    ///
    /// Only what image archives need is accepted: regular files and directories with plain headers, each name once, the
    /// last member followed by zeros.
    pub fn open(path: &Path, engine: &'static str) -> Result<Self, BuildKitError> {
        let failed = BuildKitError::io;
        let malformed =
            |object: &str, reason: String| BuildKitError::Malformed { engine, object: object.to_owned(), reason };
        let mut file = File::open(path).map_err(failed(path))?;
        let metadata = file.metadata().map_err(failed(path))?;
        if !metadata.is_file() {
            return Err(malformed("the archive", "it is not a regular file".to_owned()));
        }
        let size = metadata.len();
        let mut members = BTreeMap::new();
        let mut at = 0;
        loop {
            let mut block = [0; BLOCK as usize];
            file.seek(SeekFrom::Start(at)).map_err(failed(path))?;
            if file.read_exact(&mut block).is_err() {
                return Err(malformed("the archive", format!("it ends at byte {size} without end blocks")));
            }
            if block == [0; BLOCK as usize] {
                break;
            }
            let (name, kind, length) = header(&block)
                .ok_or_else(|| malformed(&format!("header at byte {at}"), "it is no plain tar header".to_owned()))?;
            let shown = escape::name(name.as_bytes());
            let offset = at + BLOCK;
            let end = offset.checked_add(length).filter(|end| *end <= size);
            let end =
                end.ok_or_else(|| malformed(&shown, format!("{length} bytes, which is more than the archive holds")))?;
            match kind {
                b'0' if members.insert(name, Member { offset, length }).is_some() => {
                    return Err(malformed(&shown, "it occurs twice".to_owned()));
                }
                b'0' => {}
                b'5' if length == 0 => {}
                _ => return Err(malformed(&shown, "it is neither a regular file nor a directory".to_owned())),
            }
            if members.len() > MEMBERS {
                return Err(malformed("the archive", format!("it has more than {MEMBERS} members")));
            }
            at = end.next_multiple_of(BLOCK);
        }
        let mut rest = Vec::new();
        file.seek(SeekFrom::Start(at)).map_err(failed(path))?;
        file.take(PADDING + 1).read_to_end(&mut rest).map_err(failed(path))?;
        if rest.len() as u64 > PADDING || rest.len() < 2 * BLOCK as usize || rest.iter().any(|byte| *byte != 0) {
            return Err(malformed(
                "the archive",
                format!("after byte {at} there are no end blocks, or more than these"),
            ));
        }
        Ok(Self { path: path.to_owned(), engine, members })
    }

    /// Where the member called `name` is.
    pub fn member(&self, name: &str) -> Result<Member, BuildKitError> {
        self.members.get(name).copied().ok_or_else(|| BuildKitError::Malformed {
            engine: self.engine,
            object: name.to_owned(),
            reason: "it is missing".to_owned(),
        })
    }

    /// Where the blob with `digest` is.
    pub fn blob(&self, digest: Digest) -> Result<Member, BuildKitError> {
        self.member(&format!("blobs/sha256/{}", digest.hex()))
    }

    /// Reads at most `limit` + 1 bytes of a small member.
    pub fn read(&self, member: Member, limit: u64) -> Result<Vec<u8>, BuildKitError> {
        let mut bytes = Vec::new();
        let reader = self.reader(member)?;
        reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(BuildKitError::io(&self.path))?;
        Ok(bytes)
    }

    /// Reads a member's content from its start.
    pub fn reader(&self, member: Member) -> Result<impl Read, BuildKitError> {
        let mut file = File::open(&self.path).map_err(BuildKitError::io(&self.path))?;
        file.seek(SeekFrom::Start(member.offset)).map_err(BuildKitError::io(&self.path))?;
        Ok(file.take(member.length))
    }

    /// The member as a part of the archive's file.
    pub fn slice(&self, member: Member) -> Blob {
        Blob::Slice { path: self.path.clone(), offset: member.offset, length: member.length }
    }
}

/// Name, type and size of a plain ustar header.
fn header(block: &[u8; BLOCK as usize]) -> Option<(String, u8, u64)> {
    let sum: u64 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    let is_plain = &block[257..265] == b"ustar\x0000" && octal(&block[148..156])? == sum;
    // Nothing in an image archive has a long name: no prefix, no extension.
    if !is_plain || block[345] != 0 {
        return None;
    }
    let end = block[..100].iter().position(|byte| *byte == 0).unwrap_or(100);
    let name = std::str::from_utf8(&block[..end]).ok().filter(|name| !name.is_empty())?;
    let kind = if block[156] == 0 { b'0' } else { block[156] };
    Some((name.to_owned(), kind, octal(&block[124..136])?))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    let is_octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    is_octal.then(|| u64::from_str_radix(text, 8).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{ExitStatus, Status};

    fn archive(members: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, content) in members {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn open(bytes: &[u8]) -> Result<Archive, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        std::fs::write(&path, bytes).unwrap();
        Archive::open(&path, "buildctl").map_err(|error| {
            assert_eq!(error.status(), Status::Malformed);
            error.to_string().replace("the archive that buildctl wrote is malformed: ", "")
        })
    }

    #[test]
    fn members_are_found_where_they_are() {
        use tar::EntryType::{Directory, Regular};
        let bytes =
            archive(&[("blobs/", Directory, b""), ("index.json", Regular, b"{}"), ("oci-layout", Regular, &[7; 513])]);
        let archive = open(&bytes).unwrap();
        let member = archive.member("oci-layout").unwrap();
        assert_eq!(member.length, 513);
        let start = usize::try_from(member.offset).unwrap();
        assert_eq!(bytes[start..start + 513], [7; 513]);
        assert_eq!(
            archive.member("other").unwrap_err().to_string(),
            "the archive that buildctl wrote is malformed: other: it is missing"
        );
    }

    #[test]
    fn anything_that_image_archives_do_not_need_is_refused() {
        use tar::EntryType::{Link, Regular, Symlink, XHeader};
        let good = archive(&[("index.json", Regular, b"{}")]);
        let mut sum = good.clone();
        sum[148] ^= 1;
        let mut trailing = good.clone();
        trailing.push(1);
        for (bytes, want) in [
            (Vec::new(), "the archive: it ends at byte 0 without end blocks"),
            (good[..1024].to_vec(), "the archive: it ends at byte 1024 without end blocks"),
            (good[..1536].to_vec(), "the archive: after byte 1024 there are no end blocks, or more than these"),
            (good[..513].to_vec(), "index.json: 2 bytes, which is more than the archive holds"),
            (trailing, "the archive: after byte 1024 there are no end blocks, or more than these"),
            (sum, "header at byte 0: it is no plain tar header"),
            (archive(&[("a", Regular, b""), ("a", Regular, b"")]), "a: it occurs twice"),
            (archive(&[("a", Symlink, b"")]), "a: it is neither a regular file nor a directory"),
            (archive(&[("a", Link, b"")]), "a: it is neither a regular file nor a directory"),
            (archive(&[("a", XHeader, b"")]), "a: it is neither a regular file nor a directory"),
        ] {
            assert_eq!(open(&bytes).unwrap_err(), want);
        }
    }
}
