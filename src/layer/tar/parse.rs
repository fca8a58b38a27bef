//! Headers into entries: the rules about one entry.

use super::BLOCK;
use super::entry::{Entry, Kind};
use super::error::{Refusal, Severity, TarError};
use super::field::{self, Format};
use super::header;
use super::name::{self, Climbing};
use super::pax::{self, Records};
use super::sparse;
use crate::limits::Limits;

/// The bits of a mode that count; old writers put the file's type above them.
const MODE_BITS: u64 = 0o7777;
const MAX_MODE: u64 = 0o177_777;
/// A header can hold sizes below this in octal.
const OCTAL_SIZES: u64 = 1 << 33;

/// The extension headers before an entry.
#[derive(Default)]
pub(super) struct Extensions {
    records: Option<Records>,
    has_global: bool,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Extensions {
    /// What a header with this flag is called in messages.
    pub(super) fn name(flag: u8) -> &'static str {
        match flag {
            b'x' => "PAX header",
            b'g' => "global PAX header",
            b'L' => "GNU long name",
            _ => "GNU long link",
        }
    }

    pub(super) fn add(
        &mut self,
        flag: u8,
        format: Format,
        body: &[u8],
        offset: u64,
        limits: &Limits,
    ) -> Result<(), TarError> {
        let refuse =
            |(severity, rule, what): Refusal| TarError::object(severity, rule, offset, Self::name(flag).into(), what);
        let ambiguous = |what| Err(refuse((Severity::Unsafe, 3, what)));
        if format == Format::V7 {
            return ambiguous("an extension header in the old format");
        }
        let has_gnu = self.long_name.is_some() || self.long_link.is_some();
        let is_mixed = match flag {
            b'x' => has_gnu,
            b'g' => has_gnu || self.records.is_some(),
            _ => self.records.is_some(),
        };
        if is_mixed {
            return ambiguous("extension headers of two kinds before one entry");
        }
        let is_second = match flag {
            b'x' => self.records.replace(Records::parse(body, limits.xattr).map_err(refuse)?).is_some(),
            b'g' => {
                pax::check_global(body).map_err(refuse)?;
                std::mem::replace(&mut self.has_global, true)
            }
            b'L' => self.long_name.replace(long_text(body).map_err(refuse)?).is_some(),
            _ => self.long_link.replace(long_text(body).map_err(refuse)?).is_some(),
        };
        if is_second { ambiguous("two extension headers of one kind before one entry") } else { Ok(()) }
    }

    /// At the end of the archive no extension header may wait for its entry.
    pub(super) fn check_end(&self, offset: u64) -> Result<(), TarError> {
        let (records, name, link) = (self.records.is_some(), self.long_name.is_some(), self.long_link.is_some());
        if records || name || link || self.has_global {
            let what = "the archive ends with an extension header that has no entry";
            return Err(TarError::object(Severity::Unsafe, 3, offset, "archive".into(), what));
        }
        Ok(())
    }

    fn are_none(&self) -> bool {
        self.records.is_none() && self.long_name.is_none() && self.long_link.is_none()
    }
}

/// The text of a GNU long name, which ends with one NUL or none.
fn long_text(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = body.strip_suffix(b"\0").unwrap_or(body);
    if text.contains(&0) {
        return Err((Severity::Unsafe, 8, "a long name contains a NUL byte"));
    }
    Ok(text.to_vec())
}

/// An entry as its headers say; the map of a sparse file is not read yet.
pub(super) struct Parsed {
    pub(super) entry: Entry,
    pub(super) key: Vec<u8>,
    pub(super) nanoseconds: u32,
    pub(super) user: Vec<u8>,
    pub(super) group: Vec<u8>,
    pub(super) sparse_size: Option<u64>,
    /// Where the map of a PAX sparse file stands.
    pub(super) sparse_place: Option<sparse::Place>,
}

impl Parsed {
    pub(super) fn of(
        block: &[u8; BLOCK],
        format: Format,
        extensions: Extensions,
        climbing: Climbing,
        offset: u64,
        limits: &Limits,
    ) -> Result<Self, TarError> {
        let has_extensions = !extensions.are_none();
        let mut records = extensions.records.unwrap_or_default();
        let path = records.sparse.name.take().or(records.path).or(extensions.long_name);
        let path = path.unwrap_or_else(|| header_name(block, format));
        let refuse = |(severity, rule, what): Refusal| TarError::entry(severity, rule, offset, &path, what);
        if has_extensions && format == Format::V7 {
            return Err(refuse((Severity::Unsafe, 3, "an extension header before a header in the old format")));
        }
        let number = |range: std::ops::Range<usize>| {
            field::number(&block[range]).map_err(|what| refuse((Severity::Malformed, 2, what)))
        };
        let time = |range: std::ops::Range<usize>| {
            field::time(&block[range]).map_err(|what| refuse((Severity::Malformed, 2, what)))
        };
        if format == Format::Gnu {
            // Where these are no times, Go takes them for the start of a name.
            time(header::GNU_ACCESS_TIME)?;
            time(header::GNU_CHANGE_TIME)?;
        }
        let key = name::key(&path, climbing, offset, limits)?;
        let stored = number(header::SIZE)?.unwrap_or(0);
        let size = effective_size(stored, records.size).map_err(refuse)?;
        let flag = block[header::TYPE_FLAG];
        let (mut sparse_size, mut sparse_place) = (None, None);
        if flag == b'S' && format == Format::Gnu {
            sparse_size = Some(sparse::real_size(block).map_err(refuse)?);
        } else if let Some((size, place)) = records.sparse.finish().map_err(refuse)? {
            (sparse_size, sparse_place) = (Some(size), Some(place));
        }

        let target = records.link.or(extensions.long_link);
        if target.is_some() && !matches!(flag, b'1' | b'2') {
            return Err(refuse((Severity::Unsafe, 3, "a link's target before an entry that is no link")));
        }
        let target = target.unwrap_or_else(|| field::text(&block[header::LINK_NAME]).to_vec());
        let device = |range: std::ops::Range<usize>| {
            number(range)?.map_or(Ok(0), |number| {
                u32::try_from(number).map_err(|_| refuse((Severity::Malformed, 2, "a device number is too large")))
            })
        };
        // Readers parse them for every kind of entry, where the format has them.
        let (major, minor) = match format {
            Format::V7 if !matches!(flag, b'3' | b'4') => (0, 0),
            _ => (device(header::DEVICE_MAJOR)?, device(header::DEVICE_MINOR)?),
        };
        let is_directory_by_name = path.ends_with(b"/");
        let kind = match flag {
            0 if is_directory_by_name => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'S' if format == Format::Gnu => Kind::File,
            b'1' => Kind::HardLink { target },
            b'2' => Kind::Symlink { target },
            b'3' => Kind::CharacterDevice { major, minor },
            b'4' => Kind::BlockDevice { major, minor },
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            _ => return Err(refuse((Severity::Unsafe, 6, "an unknown type flag"))),
        };
        check_kind(&kind, size, sparse_size.is_some(), &path, &key).map_err(refuse)?;

        let mode = number(header::MODE)?.unwrap_or(0);
        if mode > MAX_MODE {
            return Err(refuse((Severity::Malformed, 2, "the mode is out of range")));
        }
        let mtime = time(header::MTIME)?.unwrap_or(0);
        let (mtime, nanoseconds) = records.mtime.unwrap_or((mtime, 0));
        let uid = number(header::UID)?.unwrap_or(0);
        let gid = number(header::GID)?.unwrap_or(0);
        let text = |field: std::ops::Range<usize>| match format {
            Format::V7 => Vec::new(),
            _ => field::text(&block[field]).to_vec(),
        };
        let entry = Entry {
            kind,
            mode: (mode & MODE_BITS) as u32,
            uid: records.uid.unwrap_or(uid),
            gid: records.gid.unwrap_or(gid),
            mtime,
            size,
            xattrs: records.xattrs,
            path,
        };
        Ok(Self {
            entry,
            key,
            nanoseconds,
            user: records.user.unwrap_or_else(|| text(header::USER)),
            group: records.group.unwrap_or_else(|| text(header::GROUP)),
            sparse_size,
            sparse_place,
        })
    }
}

/// The name that the header itself holds.
fn header_name(block: &[u8; BLOCK], format: Format) -> Vec<u8> {
    let name = field::text(&block[header::NAME]);
    let prefix = if format == Format::Ustar { field::text(&block[header::PREFIX]) } else { b"" };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// A PAX size counts, and must be needed or equal.
fn effective_size(stored: u64, record: Option<u64>) -> Result<u64, Refusal> {
    match record {
        None => Ok(stored),
        Some(size) if size == stored || stored == 0 && size >= OCTAL_SIZES => Ok(size),
        Some(_) => Err((Severity::Unsafe, 5, "the PAX size differs from the size in the header")),
    }
}

/// The rules about what a kind of entry may have.
fn check_kind(kind: &Kind, size: u64, is_sparse: bool, path: &[u8], key: &[u8]) -> Result<(), Refusal> {
    let is_file = *kind == Kind::File;
    if size > 0 && !is_file {
        return Err((Severity::Unsafe, 7, "only a file may have a size"));
    }
    if is_sparse && !is_file {
        return Err((Severity::Unsafe, 6, "only a file may be sparse"));
    }
    if is_file && path.ends_with(b"/") {
        return Err((Severity::Unsafe, 7, "a file's name ends in a slash"));
    }
    if key.is_empty() && *kind != Kind::Directory {
        return Err((Severity::Unsafe, 8, "the root is not a directory"));
    }
    if matches!(kind, Kind::Symlink { target } if target.is_empty()) {
        return Err((Severity::Malformed, 7, "the symbolic link leads nowhere"));
    }
    if size > i64::MAX as u64 - BLOCK as u64 {
        return Err((Severity::Malformed, 2, "the size is out of range"));
    }
    Ok(())
}
