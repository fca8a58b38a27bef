//! One layer of store paths.
//!
//! A layer is written twice: for its digest and size, which stand before it in the archive, and into the archive. What was
//! seen the first time (headers, and which file in which state) must be seen again.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};

use super::error::LayeredError;
use super::member::{self, Member, Owner};
use super::root::Root;
use super::sum::Out;
use super::text::Text;
use super::tree::{self, Found};
use crate::digest::{Digest, Hasher};
use rustix::fs::OFlags;

/// Bytes of a file that are taken before anybody is asked whether to go on.
const PIECE: u64 = 16 << 20;

/// A layer to write.
pub struct Layer<'a> {
    /// Where the paths are.
    pub root: &'a Root,
    /// The paths, in their order.
    pub paths: &'a [Text],
    /// Of all entries.
    pub owner: &'a Owner,
    /// Gives an error when the work should stop.
    pub check: &'a (dyn Fn() -> Result<(), LayeredError> + Sync),
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes, the end included.
    pub size: u64,
    /// A digest of headers and states of files.
    pub seen: Digest,
}

impl Layer<'_> {
    /// Writes the layer's tar.
    ///
    /// # Errors
    /// A file that can't be read or changes meanwhile, a socket, a name that tar can't hold; those of `out`.
    pub fn write(&self, out: &mut impl Out) -> Result<Written, LayeredError> {
        let mut writer = Writer { layer: self, out, size: 0, seen: Hasher::default() };
        // Whatever the description calls the store.
        for name in ["/nix/", "/nix/store/"] {
            writer.put(&self.member(Text::from(name), member::DIRECTORY, 0o755))?;
        }
        for path in self.paths {
            let what = "is no path: a surrogate in it stands for no byte, or it holds a NUL";
            let bytes = path.file_name().ok_or_else(|| LayeredError::Name { name: path.shown(), what })?;
            tree::walk(self.root, bytes.as_bytes(), &mut |found| writer.add(found))?;
        }
        let end = member::end(writer.size);
        writer.zeros(end)?;
        Ok(Written { size: writer.size, seen: writer.seen.digest() })
    }

    fn member(&self, name: Text, kind: u8, mode: u32) -> Member {
        let owner = self.owner.clone();
        Member { name, kind, mode, owner, size: 0, target: Text::default(), device: None, records: Vec::new() }
    }

    /// The member without its content.
    fn describe(&self, found: &Found<'_>) -> Result<Member, LayeredError> {
        let kind = found.metadata.file_type();
        let mut name = b"/".to_vec();
        name.extend(found.name.iter().skip_while(|byte| **byte == b'/'));
        if kind.is_dir() {
            name.push(b'/');
        }
        let member = |kind| self.member(Text::from_bytes(&name), kind, found.metadata.permissions().mode());
        let device = found.metadata.rdev();
        let device = Some((rustix::fs::major(device), rustix::fs::minor(device)));
        Ok(if kind.is_dir() {
            member(member::DIRECTORY)
        } else if kind.is_file() {
            Member { size: found.metadata.size().into(), ..member(member::REGULAR) }
        } else if kind.is_symlink() {
            let target = found.place.read_link().map_err(LayeredError::read("read the link", found.name))?;
            Member { target: Text::from_bytes(target.as_os_str().as_bytes()), ..member(member::LINK) }
        } else if kind.is_fifo() {
            member(member::FIFO)
        } else if kind.is_char_device() {
            Member { device, ..member(member::CHARACTER_DEVICE) }
        } else if kind.is_block_device() {
            Member { device, ..member(member::BLOCK_DEVICE) }
        } else {
            let what = "is a socket, which no tar can hold";
            return Err(LayeredError::Name { name: crate::escape::bytes(found.name), what });
        })
    }
}

struct Writer<'a, W: Out> {
    layer: &'a Layer<'a>,
    out: &'a mut W,
    size: u64,
    seen: Hasher,
}

impl<W: Out> Writer<'_, W> {
    fn add(&mut self, found: &Found<'_>) -> Result<(), LayeredError> {
        (self.layer.check)()?;
        self.put(&self.layer.describe(found)?)?;
        if !found.metadata.is_file() {
            return Ok(());
        }
        let state = state(found.metadata);
        state.iter().for_each(|number| self.seen.update(&number.to_le_bytes()));
        let file = open(found).map_err(LayeredError::read("open", found.name))?;
        let metadata = file.metadata().map_err(LayeredError::read("read", found.name))?;
        let changed = || LayeredError::Changed(crate::escape::bytes(found.name));
        if self::state(&metadata) != state {
            return Err(changed());
        }
        let mut rest = metadata.size();
        while rest > 0 {
            (self.layer.check)()?;
            let piece = rest.min(PIECE);
            let count = self.out.take(&mut (&file).take(piece)).map_err(LayeredError::copy(found.name))?;
            if count < piece {
                return Err(changed());
            }
            rest -= count;
        }
        self.size += metadata.size();
        self.zeros(member::padding(metadata.size()))
    }

    fn put(&mut self, member: &Member) -> Result<(), LayeredError> {
        let header = member.header()?;
        self.seen.update(&header);
        self.size += header.len() as u64;
        self.out.write_all(&header).map_err(LayeredError::Write)
    }

    fn zeros(&mut self, count: u64) -> Result<(), LayeredError> {
        self.size += count;
        zeros(self.out, count)
    }
}

/// Writes `count` zeros.
pub fn zeros(out: &mut impl io::Write, count: u64) -> Result<(), LayeredError> {
    io::copy(&mut io::repeat(0).take(count), out).map(|_| ()).map_err(LayeredError::Write)
}

/// What differs when another file stands there, or the file was written to.
fn state(metadata: &Metadata) -> [i128; 5] {
    let ctime = [metadata.ctime(), metadata.ctime_nsec()].map(i128::from);
    [metadata.dev().into(), metadata.ino().into(), metadata.size().into(), ctime[0], ctime[1]]
}

/// Opens a regular file; whatever has taken its place meanwhile is not waited for.
fn open(found: &Found<'_>) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(found.place)
}
