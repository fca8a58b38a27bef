//! One member: whether it may be there, and what its content is.

use std::io::{self, Read};
use std::ops::Bound;

use super::{Archive, Content, Held, HeldFile, Surroundings, algorithm_of};
use crate::digest::{Algorithm, Checksums, Digest};
use crate::escape;
use crate::image::findings::Findings;
use crate::layer::tar::{Kind, Member};
use crate::layer::{Examination, Workspace};

/// Everything up to this size is kept, whatever it is.
const SMALL: u64 = 64 << 10;

/// Where members are put: the shared parts of an archive, while its map of members is filled by one thread.
#[derive(Clone, Copy)]
pub(super) struct Keeping<'a> {
    pub(super) archive: &'a Archive,
    pub(super) around: &'a Surroundings<'a>,
}

/// What a member's content is, by its size and its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// A document, or small enough not to matter.
    Kept,
    /// Perhaps a layer.
    Layer,
}

impl Nature {
    /// How many first bytes decide.
    pub(super) const START: u64 = 4096;

    pub(super) fn of(size: u64, start: &[u8], around: &Surroundings<'_>) -> Self {
        let mut text = start.iter().skip_while(|byte| b" \t\r\n".contains(byte));
        let is_document = matches!(text.next(), Some(b'{' | b'[')) && size <= around.limits.json_bytes;
        if size <= SMALL || is_document { Self::Kept } else { Self::Layer }
    }
}

impl Keeping<'_> {
    /// Reads the content of a file of `size` bytes, of which `start` were read already.
    ///
    /// # Errors
    /// `UnexpectedEof` when there is less, and those of the stream.
    pub(super) fn read(self, name: &[u8], size: u64, start: &[u8], rest: impl Read) -> io::Result<HeldFile> {
        let rest = Exactly { inner: rest, left: size.saturating_sub(start.len() as u64), around: self.around };
        let algorithm = if self.around.sums_both { Algorithm::Sha512 } else { algorithm_of(name) };
        if Nature::of(size, start, self.around) == Nature::Kept {
            return self.keep(algorithm, start, rest);
        }
        if size > self.around.limits.blob {
            let limit = self.around.limits.blob;
            let what = crate::limits::LimitExceeded { name: "blob", limit, object: format!("{size} bytes") };
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        if self.around.is_fast {
            return Ok(HeldFile { size, sums: None, content: Content::Skipped });
        }
        let how = examination(&self.archive.workspace, self.around, algorithm);
        let examined = how.run(start, rest)?;
        let sums = Some(examined.stored.clone());
        Ok(HeldFile { size, sums, content: Content::Layer(Box::new(examined)) })
    }

    fn keep(self, algorithm: Algorithm, start: &[u8], mut rest: impl Read) -> io::Result<HeldFile> {
        let mut bytes = start.to_vec();
        rest.read_to_end(&mut bytes)?;
        let sums = match algorithm {
            Algorithm::Sha512 => Checksums::of(&bytes),
            Algorithm::Sha256 => Checksums { sha256: Digest::of(&bytes), sha512: None, length: bytes.len() as u64 },
        };
        let mut documents = self.archive.documents();
        if documents.length() + bytes.len() as u64 > self.around.limits.archive_documents {
            let limit = self.around.limits.archive_documents;
            let what = crate::limits::LimitExceeded { name: "archive-documents", limit, object: "archive".into() };
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let place = documents.append(&bytes)?;
        Ok(HeldFile { size: sums.length, sums: Some(sums), content: Content::Bytes(place) })
    }
}

/// How the layers of an archive are examined.
pub(super) fn examination<'a>(
    workspace: &'a Workspace,
    around: &'a Surroundings<'_>,
    algorithm: Algorithm,
) -> Examination<'a> {
    Examination { workspace, limits: around.limits, algorithm, listed: around.listed, contents: around.contents }
}

/// Reads exactly as many bytes as there must be.
struct Exactly<'a, R> {
    inner: R,
    left: u64,
    around: &'a Surroundings<'a>,
}

impl<R: Read> Read for Exactly<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        self.around.cancel.check().map_err(io::Error::other)?;
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Takes in the header of a member; true when it is a file whose content is to be read.
pub(super) fn admit(archive: &mut Archive, member: &Member) -> bool {
    let object = format!("archive member {}", escape::name(&member.entry.path));
    let held = match &member.entry.kind {
        Kind::Directory => Held::Directory,
        Kind::Symlink { target } if is_legacy_layer(&member.key) => Held::Link { target: target.clone() },
        Kind::File if member.sparse_size.is_some() => refuse(&mut archive.findings, &object, "a sparse file"),
        Kind::File => Held::Refused,
        other => {
            refuse(&mut archive.findings, &object, &format!("a {}: only files and directories are read", other.name()))
        }
    };
    if member.entry.path.starts_with(b"/") {
        archive.findings.violation("V3", &object, "the name is absolute");
    }
    let is_file = member.entry.kind == Kind::File && member.sparse_size.is_none();
    let is_admitted = place(archive, &member.key, held, &object);
    is_admitted && is_file
}

fn refuse(findings: &mut Findings, object: &str, what: &str) -> Held {
    findings.violation("V3", object, what);
    Held::Refused
}

/// `<directory>/layer.tar`, where docker archives of the old kind may have links.
fn is_legacy_layer(key: &[u8]) -> bool {
    key.strip_suffix(b"/layer.tar").is_some_and(|directory| !directory.is_empty() && !directory.contains(&b'/'))
}

/// Puts a member at its name; false when the name is taken.
pub(super) fn place(archive: &mut Archive, key: &[u8], held: Held, object: &str) -> bool {
    if key.is_empty() {
        return matches!(held, Held::Directory);
    }
    let is_directory = matches!(held, Held::Directory);
    if let Some(before) = archive.members.get(key) {
        if is_directory && matches!(before, Held::Directory) {
            return true;
        }
        archive.findings.violation("V12", object, "the name occurs twice in the archive");
        return false;
    }
    let parents = key.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| &key[..end]);
    for parent in parents {
        if archive.members.get(parent).is_some_and(|held| !matches!(held, Held::Directory)) {
            archive.findings.violation("V12", object, "it lies below something that is no directory");
            return false;
        }
    }
    if !is_directory {
        let below = [key, b"/"].concat();
        let mut after = archive.members.range::<[u8], _>((Bound::Excluded(below.as_slice()), Bound::Unbounded));
        if after.next().is_some_and(|(name, _)| name.starts_with(&below)) {
            archive.findings.violation("V12", object, "other members lie below it");
        }
    }
    archive.members.insert(key.to_vec(), held);
    true
}

/// Whether there are too many members now; tells it once.
pub(super) fn are_too_many(archive: &mut Archive, around: &Surroundings<'_>) -> bool {
    let limit = around.limits.archive_members;
    let are = archive.members.len() as u64 > limit;
    if are {
        let exceeded = crate::limits::LimitExceeded { name: "archive-members", limit, object: "archive".into() };
        archive.findings.violation("limit", "archive", exceeded);
    }
    are
}
