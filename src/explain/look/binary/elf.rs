//! ELF files: sections, and the notes among them.

use std::ops::Range;

use super::super::cursor::Cursor;

/// The first bytes.
pub(super) const MAGIC: &[u8] = b"\x7fELF";
const LARGE: u8 = 2;
const LITTLE: u8 = 1;
const IS_NOTE: u32 = 7;
const HAS_NO_BYTES: u32 = 8;
const IS_CODE: u64 = 4;
const MOST_SECTIONS: u16 = 4096;
const MOST_NOTES: usize = 256;

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section<'a> {
    pub(super) name: &'a [u8],
    pub(super) place: Range<usize>,
    pub(super) is_code: bool,
    is_note: bool,
}

impl Section<'_> {
    /// Whether it is for debuggers only.
    pub(super) fn is_debug(&self) -> bool {
        self.name.starts_with(b".debug_")
    }
}

/// Where a note's content stands, with its owner and kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note<'a> {
    pub(super) owner: &'a [u8],
    pub(super) kind: u32,
    pub(super) place: Range<usize>,
}

/// How numbers are written.
#[derive(Clone, Copy)]
struct Form {
    is_large: bool,
    is_little: bool,
}

impl Form {
    fn half(self, cursor: &mut Cursor<'_>) -> Option<u16> {
        if self.is_little { cursor.little16() } else { cursor.big16() }
    }

    fn word(self, cursor: &mut Cursor<'_>) -> Option<u32> {
        if self.is_little { cursor.little32() } else { cursor.big32() }
    }

    /// An address, an offset or a size.
    fn long(self, cursor: &mut Cursor<'_>) -> Option<u64> {
        match (self.is_large, self.is_little) {
            (true, true) => cursor.little64(),
            (true, false) => cursor.array().map(u64::from_be_bytes),
            (false, _) => self.word(cursor).map(u64::from),
        }
    }
}

fn form(content: &[u8]) -> Option<Form> {
    let mut cursor = Cursor::new(content);
    let is_elf = cursor.take(MAGIC.len())? == MAGIC;
    let (class, order) = (cursor.byte()?, cursor.byte()?);
    is_elf.then_some(Form { is_large: class == LARGE, is_little: order == LITTLE })
}

/// The sections of a file; none if it has no table of them, or a broken one.
pub(super) fn sections(content: &[u8]) -> Option<Vec<Section<'_>>> {
    let form = form(content)?;
    let mut header = Cursor::from(content, if form.is_large { 40 } else { 32 })?;
    let table = usize::try_from(form.long(&mut header)?).ok()?;
    header.take(10)?;
    let (size, count, names) = (form.half(&mut header)?, form.half(&mut header)?, form.half(&mut header)?);
    if count > MOST_SECTIONS || table == 0 {
        return None;
    }
    let mut raw = Vec::new();
    for number in 0..usize::from(count) {
        let mut cursor = Cursor::from(content, table.checked_add(number * usize::from(size))?)?;
        let (name, kind) = (form.word(&mut cursor)?, form.word(&mut cursor)?);
        let flags = form.long(&mut cursor)?;
        form.long(&mut cursor)?;
        let (start, length) = (form.long(&mut cursor)?, form.long(&mut cursor)?);
        let start = usize::try_from(start).ok()?;
        let length = if kind == HAS_NO_BYTES { 0 } else { usize::try_from(length).ok()? };
        let place = start..start.checked_add(length)?;
        if kind != 0 && kind != HAS_NO_BYTES {
            content.get(place.clone())?;
        }
        raw.push((usize::try_from(name).ok()?, place, flags & IS_CODE != 0, kind == IS_NOTE));
    }
    let (_, names, ..) = raw.get(usize::from(names))?.clone();
    let names = content.get(names)?;
    let named = raw.into_iter().map(|(name, place, is_code, is_note)| {
        let name = Cursor::from(names, name)?.until(0)?;
        Some(Section { name, place, is_code, is_note })
    });
    named.collect()
}

/// All notes of the sections.
pub(super) fn notes<'a>(content: &'a [u8], sections: &[Section<'_>]) -> Vec<Note<'a>> {
    let Some(form) = form(content) else { return Vec::new() };
    let mut notes = Vec::new();
    for section in sections.iter().filter(|section| section.is_note) {
        let Some(end) = content.get(..section.place.end) else { continue };
        let Some(mut cursor) = Cursor::from(end, section.place.start) else { continue };
        while let Some(note) = note(form, &mut cursor).filter(|_| notes.len() < MOST_NOTES) {
            notes.push(note);
        }
    }
    notes
}

fn note<'a>(form: Form, cursor: &mut Cursor<'a>) -> Option<Note<'a>> {
    let (owner, length) = (form.word(cursor)?, form.word(cursor)?);
    let kind = form.word(cursor)?;
    let (owner, length) = (usize::try_from(owner).ok()?, usize::try_from(length).ok()?);
    let name = cursor.take(owner)?;
    cursor.take(owner.next_multiple_of(4) - owner)?;
    let start = cursor.position();
    cursor.take(length)?;
    // The last note may lack its padding.
    cursor.take((length.next_multiple_of(4) - length).min(cursor.rest().len()))?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    Some(Note { owner: name, kind, place: start..start + length })
}
