//! Writing archives in one deterministic form.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};

use super::entry::{Entry, Kind};
use super::header::{self, Header};
use super::{BLOCK, pax};
use crate::escape;

/// Why an entry can't be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unwritable {
    /// The archive has no form for a value of the entry.
    #[error("`{path}` can't be put into a tar archive: {what}")]
    Value {
        /// The entry, safe to print.
        path: String,
        /// What has no form.
        what: &'static str,
    },
    /// The content is shorter or longer than the entry says.
    #[error("`{path}` should have {size} bytes of content, but there are {than}")]
    Content {
        /// The entry, safe to print.
        path: String,
        /// The size that the entry says.
        size: u64,
        /// `fewer` or `more`.
        than: &'static str,
    },
}

/// Writes an archive, entry after entry.
///
/// [`Writer::finish`] must be called; an archive without its end is truncated.
pub struct Writer<W> {
    inner: W,
}

impl<W: Write> Writer<W> {
    /// Writes an archive into `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner }
    }

    /// Writes an entry and as much content as it says; `content` must end there.
    ///
    /// # Errors
    /// Those of both streams, and [`Unwritable`] inside an [`io::Error`].
    pub fn append(&mut self, entry: &Entry, mut content: impl Read) -> io::Result<()> {
        self.write_header(entry)?;
        let copied = io::copy(&mut content.by_ref().take(entry.size), &mut self.inner)?;
        let than = if copied < entry.size {
            "fewer"
        } else if content.read(&mut [0])? > 0 {
            "more"
        } else {
            return self.pad(entry.size);
        };
        let error = Unwritable::Content { path: escape::bytes(&entry.path), size: entry.size, than };
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Writes an entry that has no content.
    ///
    /// # Errors
    /// As for [`Writer::append`].
    pub fn append_empty(&mut self, entry: &Entry) -> io::Result<()> {
        self.append(entry, io::empty())
    }

    /// Ends the archive with two blocks of zeros and gives back the stream.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&[0; 2 * BLOCK])?;
        Ok(self.inner)
    }

    fn write_header(&mut self, entry: &Entry) -> io::Result<()> {
        let mut path = entry.path.clone();
        if entry.kind == Kind::Directory && !path.ends_with(b"/") {
            path.push(b'/');
        }
        if let Some(what) = unwritable(entry, &path) {
            let error = Unwritable::Value { path: escape::bytes(&entry.path), what };
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let link = entry.kind.target().unwrap_or_default();
        let mut records = records(entry, &path, link);
        let mut block = Header::new();
        match split(&path) {
            // A prefix is only used without a PAX header, and needs none for the path.
            Some((prefix, name)) if records.keys().all(|key| key == b"path") => {
                records.clear();
                block.set_text(header::NAME, name);
                block.set_text(header::PREFIX, prefix);
            }
            _ => block.set_text(header::NAME, &ascii(&path)),
        }
        if !records.is_empty() {
            self.write_pax(&path, &records)?;
        }
        let (major, minor) = entry.kind.device();
        block.set_number(header::MODE, i64::from(entry.mode));
        block.set_number(header::UID, number(entry.uid));
        block.set_number(header::GID, number(entry.gid));
        block.set_number(header::SIZE, number(entry.size));
        block.set_number(header::MTIME, entry.mtime);
        block.set_flag(entry.kind.flag());
        block.set_text(header::LINK_NAME, &ascii(link));
        block.set_number(header::DEVICE_MAJOR, i64::from(major));
        block.set_number(header::DEVICE_MINOR, i64::from(minor));
        self.inner.write_all(&block.seal())
    }

    /// Writes the extension header that holds what ustar can't express.
    fn write_pax(&mut self, path: &[u8], records: &BTreeMap<Vec<u8>, Vec<u8>>) -> io::Result<()> {
        let mut body = Vec::new();
        for (key, value) in records {
            pax::append_record(&mut body, key, value);
        }
        let mut name = ascii(&extension_name(path));
        name.truncate(header::NAME.len());
        while name.ends_with(b"/") {
            name.pop();
        }
        let mut block = Header::new();
        block.set_text(header::NAME, &name);
        for field in [header::MODE, header::UID, header::GID, header::MTIME] {
            block.set_number(field, 0);
        }
        block.set_number(header::SIZE, body.len() as i64);
        block.set_flag(b'x');
        self.inner.write_all(&block.seal())?;
        self.inner.write_all(&body)?;
        self.pad(body.len() as u64)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let rest = (size % BLOCK as u64) as usize;
        if rest > 0 { self.inner.write_all(&[0; BLOCK][rest..]) } else { Ok(()) }
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Writes an entry around content that stands where it belongs already; gives the place in the stream.
    ///
    /// # Errors
    /// As for [`Writer::append`].
    pub fn append_around(&mut self, entry: &Entry) -> io::Result<u64> {
        self.write_header(entry)?;
        let place = self.inner.stream_position()?;
        self.inner.seek_relative(number(entry.size))?;
        self.pad(entry.size)?;
        Ok(place)
    }
}

/// What the archive has no form for.
fn unwritable(entry: &Entry, path: &[u8]) -> Option<&'static str> {
    let (major, minor) = entry.kind.device();
    let is_beyond = |number: u64| i64::try_from(number).is_err();
    let checks = [
        (path.is_empty() || path == b"/", "the name is empty"),
        (path.contains(&0), "the name contains a NUL byte"),
        (entry.kind.target().is_some_and(|target| target.contains(&0)), "the link target contains a NUL byte"),
        (entry.kind != Kind::Directory && path.ends_with(b"/"), "only a directory's name may end in a slash"),
        (entry.size > 0 && entry.kind != Kind::File, "only a file has content"),
        (!header::fits(header::MODE.len(), i64::from(entry.mode)), "the mode is out of range"),
        (!header::fits(header::DEVICE_MAJOR.len(), i64::from(major.max(minor))), "the device is out of range"),
        (is_beyond(entry.uid) || is_beyond(entry.gid) || is_beyond(entry.size), "a number is out of range"),
        (entry.xattrs.keys().any(|name| name.contains(&b'=') || name.contains(&0)), "an attribute's name is invalid"),
    ];
    checks.into_iter().find_map(|(fails, what)| fails.then_some(what))
}

/// What needs a PAX record, by key.
fn records(entry: &Entry, path: &[u8], link: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = BTreeMap::new();
    for (key, text, field) in [("path", path, header::NAME), ("linkpath", link, header::LINK_NAME)] {
        if !text.is_ascii() || text.len() > field.len() {
            records.insert(key.into(), text.to_vec());
        }
    }
    for (key, number, field) in [
        ("uid", number(entry.uid), header::UID),
        ("gid", number(entry.gid), header::GID),
        ("size", number(entry.size), header::SIZE),
        ("mtime", entry.mtime, header::MTIME),
    ] {
        if !header::fits(field.len(), number) {
            records.insert(key.into(), number.to_string().into());
        }
    }
    for (name, value) in &entry.xattrs {
        records.insert([pax::SCHILY_XATTR, name].concat(), value.clone());
    }
    records
}

/// A number that was checked to be in range.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Splits a long ASCII name into prefix and name, if ustar can hold it that way.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= header::NAME.len() || !path.is_ascii() {
        return None;
    }
    let candidates = match path.len() {
        length if length > header::PREFIX.len() + 1 => header::PREFIX.len() + 1,
        // A directory's own slash is no border.
        length if path.ends_with(b"/") => length - 1,
        length => length,
    };
    let border = path[..candidates].iter().rposition(|&byte| byte == b'/')?;
    let (prefix, name) = (&path[..border], &path[border + 1..]);
    let fits = !prefix.is_empty() && !name.is_empty() && name.len() <= header::NAME.len();
    fits.then_some((prefix, name))
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii).collect()
}

/// `directory/PaxHeaders.0/file`, cleaned as Go's `path.Join` does it.
fn extension_name(path: &[u8]) -> Vec<u8> {
    let border = path.iter().rposition(|&byte| byte == b'/').map_or(0, |border| border + 1);
    let (directory, file) = path.split_at(border);
    let mut parts: Vec<&[u8]> = Vec::new();
    let is_absolute = path.first() == Some(&b'/');
    for part in directory.split(|&byte| byte == b'/').chain([b"PaxHeaders.0".as_slice(), file]) {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if is_absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    if is_absolute { [b"/", joined.as_slice()].concat() } else { joined }
}

#[cfg(test)]
mod tests;
