//! The members of a base image's archive, by name, as Python's `tarfile` finds them.
//!
//! The archive is read once for the list of its members and then, from a member on, as often as the order of what is
//! wanted asks for; nothing of it is kept.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::header;
use super::member::{self, Member};
use super::text::Text;
use crate::layer::decompress::{Compression, Decompressor};
use crate::limits::{LimitExceeded, Limits};

const BLOCK: usize = member::BLOCK as usize;

/// Why an archive can't be read; `base` names it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{0}")]
    Malformed(String),
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    #[error("{0}")]
    Read(#[from] io::Error),
}

/// A member, and where its content is.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the headers say.
    pub member: Member,
    offset: u64,
    is_sparse: bool,
}

/// An archive with its list of members.
pub struct Archive {
    source: Source,
    entries: Vec<Entry>,
    /// The last member of each name.
    names: HashMap<Text, usize>,
}

impl Archive {
    /// Reads the list of members.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut scan = Scan { source: Source::open(path, limits)?, limits, headers: 0 };
        let mut entries = Vec::new();
        let mut globals = Vec::new();
        while let Some(entry) = scan.next(&mut globals)? {
            entries.push(entry);
        }
        let names = entries.iter().enumerate().map(|(at, entry)| (entry.member.name.clone(), at)).collect();
        Ok(Self { source: scan.source, entries, names })
    }

    /// The last member called `name`.
    pub fn find(&self, name: &Text) -> Option<Entry> {
        // Nobody names a directory here, but slashes at the end are dropped all the same.
        let name = Text::from_bytes(header::trimmed(&name.bytes()?));
        self.names.get(&name).map(|at| self.entries[*at].clone())
    }

    /// The content of a regular file of at most `json-bytes`.
    pub fn document(&mut self, name: &Text, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
        let missing = || ArchiveError::Malformed(format!("no file `{}` in it", name.shown()));
        let entry = self.find(name).filter(Entry::is_plain).ok_or_else(missing)?;
        let size = u64::try_from(entry.member.size).unwrap_or(u64::MAX);
        if size > limits.json_bytes {
            return Err(LimitExceeded { name: "json-bytes", limit: limits.json_bytes, object: name.shown() }.into());
        }
        let mut content = Vec::new();
        self.content(&entry)?.read_to_end(&mut content)?;
        if (content.len() as u64) < size { Err(truncated()) } else { Ok(content) }
    }

    /// Reads the content of a regular file.
    pub fn content(&mut self, entry: &Entry) -> Result<impl Read, ArchiveError> {
        self.source.go(entry.offset)?;
        Ok((&mut self.source).take(u64::try_from(entry.member.size).unwrap_or_default()))
    }

    /// Whether a link ends at a member, as Python follows it.
    pub fn has_target(&self, entry: &Entry) -> bool {
        let mut at = entry.clone();
        for _ in 0..40 {
            let (name, target) = (at.member.name.bytes(), at.member.target.bytes());
            let (Some(name), Some(target)) = (name, target) else { return false };
            let parent = match name.iter().rposition(|byte| *byte == b'/') {
                Some(end) if at.member.kind == member::LINK => &name[..end],
                _ => b"",
            };
            let wanted = simple(&[parent, &target].join(&b'/'), parent.is_empty());
            // A hard link leads to what stands before it.
            let before = if at.member.kind == member::LINK { u64::MAX } else { at.offset };
            let matches = |entry: &&Entry| {
                let name = entry.member.name.bytes().unwrap_or_default();
                entry.offset < before && simple(&name, false) == wanted
            };
            match self.entries.iter().rev().find(matches) {
                Some(found) if matches!(found.member.kind, b'1' | b'2') => at = found.clone(),
                found => return found.is_some(),
            }
        }
        false
    }
}

impl Entry {
    /// Whether this is a regular file, its content in one piece.
    pub fn is_plain(&self) -> bool {
        header::is_regular(self.member.kind) && !self.is_sparse && self.member.size >= 0
    }

    /// Whether this is a link without content.
    pub fn is_link(&self) -> bool {
        matches!(self.member.kind, b'1' | b'2') && self.member.size == 0
    }
}

fn truncated() -> ArchiveError {
    ArchiveError::Malformed("it ends in the middle".to_owned())
}

/// A path without `.`, `..` and double slashes, as `normpath` makes it.
fn simple(path: &[u8], skips_first: bool) -> Vec<u8> {
    let path = if skips_first { path.strip_prefix(b"/").unwrap_or(path) } else { path };
    let is_absolute = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")) {
        match parts.last() {
            Some(last) if part == b".." && *last != b".." => _ = parts.pop(),
            None if part == b".." && is_absolute => {}
            _ => parts.push(part),
        }
    }
    let mut simple = if is_absolute { b"/".to_vec() } else { Vec::new() };
    simple.extend(parts.join(&b'/'));
    simple
}

/// A header that changes the one after it.
enum Before {
    Records(Vec<(Text, Text)>),
    Name(Vec<u8>),
    Target(Vec<u8>),
}

struct Scan<'a> {
    source: Source,
    limits: &'a Limits,
    headers: u64,
}

impl Scan<'_> {
    fn next(&mut self, globals: &mut Vec<(Text, Text)>) -> Result<Option<Entry>, ArchiveError> {
        let malformed = |what: &str| ArchiveError::Malformed(what.to_owned());
        let mut before = Vec::new();
        let (mut is_sparse, mut is_changed) = (false, false);
        loop {
            self.headers += 1;
            if self.headers > self.limits.archive_members {
                let object = "the archive's members".to_owned();
                return Err(
                    LimitExceeded { name: "archive-members", limit: self.limits.archive_members, object }.into()
                );
            }
            let is_first = self.source.at == 0;
            let block = self.source.block()?;
            let read = block.filter(|block| block.iter().any(|byte| *byte != 0)).map(|block| header::read(&block));
            let mut member = match read {
                Some(Ok(member)) => member,
                // Zeros end an archive, and so does anything after the first member that is none.
                _ if !is_first && !is_changed => return Ok(None),
                _ => return Err(malformed("it is no tar, plain or packed with gzip, bzip2 or xz")),
            };
            let wrong = |_: header::Malformed| malformed("a header is malformed");
            is_changed = true;
            match member.kind {
                b'x' | b'X' | b'g' => {
                    let content = self.meta(&member)?;
                    let mut records = globals.clone();
                    header::read_records(&content, &mut records).map_err(wrong)?;
                    is_sparse |=
                        records.iter().any(|(key, _)| key.utf8().is_some_and(|key| key.starts_with("GNU.sparse.")));
                    if member.kind == b'g' {
                        *globals = records;
                    } else {
                        before.push(Before::Records(records));
                    }
                }
                b'L' => before.push(Before::Name(header::until_nul(&self.meta(&member)?).to_vec())),
                b'K' => before.push(Before::Target(header::until_nul(&self.meta(&member)?).to_vec())),
                _ => {
                    let offset = self.source.at;
                    is_sparse |= member.kind == b'S';
                    let mut size = member.size;
                    header::apply(globals, &mut member).map_err(wrong)?;
                    for change in before.into_iter().rev() {
                        match change {
                            Before::Records(records) => {
                                header::apply(&records, &mut member).map_err(wrong)?;
                                if records.iter().any(|(key, _)| *key == Text::from("size")) {
                                    size = member.size;
                                }
                            }
                            Before::Name(name) => member.name = Text::from_bytes(&name),
                            Before::Target(target) => member.target = Text::from_bytes(&target),
                        }
                    }
                    if member.kind == member::DIRECTORY {
                        let name = member.name.bytes().unwrap_or_default();
                        member.name = Text::from_bytes(header::trimmed(&name));
                    }
                    if header::has_content(member.kind) && member.kind != b'S' {
                        let size = u64::try_from(size).map_err(|_| malformed("a size is negative"))?;
                        self.source.skip(size.next_multiple_of(member::BLOCK))?;
                    } else if member.kind == b'S' {
                        return Err(malformed("it holds a sparse file in GNU's old form"));
                    }
                    return Ok(Some(Entry { member, offset, is_sparse }));
                }
            }
        }
    }

    /// The content of a header that changes others.
    fn meta(&mut self, member: &Member) -> Result<Vec<u8>, ArchiveError> {
        let limit = self.limits.tar_meta_bytes;
        let size = u64::try_from(member.size).ok().filter(|size| *size <= limit).ok_or_else(|| {
            let object = format!("header `{}` of the archive", member.name.shown());
            LimitExceeded { name: "tar-meta-bytes", limit, object }
        })?;
        let size = size.next_multiple_of(member::BLOCK);
        let mut content = Vec::new();
        (&mut self.source).take(size).read_to_end(&mut content)?;
        if (content.len() as u64) < size { Err(truncated()) } else { Ok(content) }
    }
}

/// The archive's bytes, unpacked, from any place on.
struct Source {
    path: PathBuf,
    limits: Limits,
    reader: Reader,
    at: u64,
}

enum Reader {
    Plain(BufReader<File>),
    Packed(Box<dyn Read>),
}

impl Source {
    fn open(path: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut file = File::open(path)?;
        let mut magic = [0; 6];
        let count = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        let reader = match &magic[..count] {
            [b'B', b'Z', b'h', ..] => Reader::Packed(Box::new(bzip2::read::MultiBzDecoder::new(file))),
            b"\xfd7zXZ\0" => Reader::Packed(Box::new(lzma_rust2::XzReader::new(file, true))),
            start => match Compression::of_magic(start) {
                Compression::None => Reader::Plain(BufReader::new(file)),
                packed => Reader::Packed(Box::new(Decompressor::new(packed, file, limits)?)),
            },
        };
        Ok(Self { path: path.to_owned(), limits: limits.clone(), reader, at: 0 })
    }

    /// The next block; none where less is left.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        match self.read_exact(&mut block) {
            Ok(()) => Ok(Some(block)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn skip(&mut self, count: u64) -> Result<(), ArchiveError> {
        let target = self.at.checked_add(count).ok_or_else(truncated)?;
        if let Reader::Plain(reader) = &mut self.reader {
            if target > reader.get_ref().metadata()?.len() {
                return Err(truncated());
            }
            // A file that is smaller than that has no offset beyond.
            reader.seek_relative(i64::try_from(count).map_err(|_| truncated())?)?;
            self.at = target;
            return Ok(());
        }
        let skipped = io::copy(&mut (&mut *self).take(count), &mut io::sink())?;
        if skipped < count { Err(truncated()) } else { Ok(()) }
    }

    fn go(&mut self, offset: u64) -> Result<(), ArchiveError> {
        if offset < self.at {
            *self = Self::open(&self.path, &self.limits)?;
        }
        self.skip(offset - self.at)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.reader {
            Reader::Plain(reader) => reader.read(buffer)?,
            Reader::Packed(reader) => reader.read(buffer)?,
        };
        self.at += count as u64;
        if self.at > self.limits.image_bytes {
            let object = "the base image".to_owned();
            return Err(io::Error::other(LimitExceeded {
                name: "image-bytes",
                limit: self.limits.image_bytes,
                object,
            }));
        }
        Ok(count)
    }
}
