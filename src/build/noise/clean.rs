//! The second pass over a layer: what is left of it is written.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use crate::bounds::Bounds;
use crate::build::{Blob, Produce};
use crate::cancel::{Cancel, Cancelled};
use crate::escape;
use crate::layer::tar::{Entry, Kind, Member, Reader, Writer};
use crate::limits::Limits;
use crate::scrub::Edit;

const BLOCK: u64 = 512;

/// What is done at a path.
#[derive(Debug)]
pub enum Change {
    /// It is left out.
    Drop,
    /// Its content is changed.
    Edit(Edit),
    /// A name that was a link to a dropped file becomes the file.
    Inherit(Inheritance),
    /// A name that was a link to a dropped name links to this one, as it stands in the archive.
    Link(Vec<u8>),
}

/// A dropped file whose other names stay.
#[derive(Clone, Debug)]
pub struct Inheritance {
    /// What the archive says of the file.
    pub entry: Entry,
    /// Where its content starts in the layer.
    pub offset: u64,
}

/// A layer without its noise, written anew whenever it is read.
#[derive(Debug)]
pub struct Clean {
    tar: Blob,
    changes: BTreeMap<Vec<u8>, Change>,
    limits: Limits,
    cancel: Cancel,
}

impl Clean {
    /// The layer `tar` with these changes.
    pub fn new(tar: &Blob, changes: BTreeMap<Vec<u8>, Change>, bounds: Bounds<'_>) -> Self {
        Self { tar: tar.clone(), changes, limits: bounds.limits.clone(), cancel: bounds.cancel.clone() }
    }
}

impl Produce for Clean {
    fn write_to(&self, mut out: &mut dyn Write) -> io::Result<()> {
        let mut reader = Reader::new(self.tar.open()?, &self.limits);
        while let Some(member) = reader.next()? {
            stop_if(&self.cancel)?;
            match self.changes.get(&member.key) {
                None => copy(&member, reader.content(), out)?,
                Some(Change::Drop) => {}
                Some(Change::Edit(how)) => edit(*how, member, reader.content(), out)?,
                Some(Change::Link(name)) => {
                    let kind = Kind::HardLink { target: name.clone() };
                    Writer::new(&mut out).append_empty(&Entry { kind, ..member.entry })?;
                }
                Some(Change::Inherit(file)) => {
                    let mut content = self.tar.open()?;
                    io::copy(&mut content.by_ref().take(file.offset), &mut io::sink())?;
                    let entry = Entry { path: member.entry.path, ..file.entry.clone() };
                    Writer::new(&mut out).append(&entry, content.take(entry.size))?;
                }
            }
        }
        Writer::new(out).finish()?;
        Ok(())
    }
}

/// Writes a member as it stands in the archive.
fn copy(member: &Member, mut content: impl Read, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&member.headers)?;
    let size = io::copy(&mut content, out)?;
    let padding = size.wrapping_neg() % BLOCK;
    io::copy(&mut io::repeat(0).take(padding), out)?;
    Ok(())
}

/// Writes a file with other content; its headers stay as they are unless its size changes.
fn edit(how: Edit, member: Member, mut content: impl Read, mut out: &mut dyn Write) -> io::Result<()> {
    refuse_sparse(&member)?;
    if member.entry.size > how.most() {
        let (name, size) = (escape::name(&member.key), member.entry.size);
        let what = format!("{name} has {size} bytes, expected a {}", how.file());
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let mut before = Vec::new();
    content.read_to_end(&mut before)?;
    let after = how.apply(&before);
    if after.len() == before.len() {
        return copy(&member, after.as_slice(), out);
    }
    let entry = Entry { size: after.len() as u64, ..member.entry };
    Writer::new(&mut out).append(&entry, after.as_slice())
}

/// Engines write no sparse files, and one can't be moved to another name.
pub fn refuse_sparse(member: &Member) -> io::Result<()> {
    match member.sparse_size {
        None => Ok(()),
        Some(_) => {
            let what = format!("{} is a sparse file, which no engine writes", escape::name(&member.key));
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

/// An error of reading when the work is to stop.
pub fn stop_if(cancel: &Cancel) -> io::Result<()> {
    if cancel.is_cancelled() { Err(io::Error::other(Cancelled)) } else { Ok(()) }
}
