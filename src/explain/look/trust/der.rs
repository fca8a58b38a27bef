//! DER: tags, lengths, contents, and the name in a certificate.

use super::super::cursor::Cursor;

/// A sequence, or one attribute of a name.
pub(super) const SEQUENCE: u8 = 0x30;
/// A set.
pub(super) const SET: u8 = 0x31;
/// A number that names a kind of thing.
pub(super) const OBJECT: u8 = 0x06;
/// Bytes.
pub(super) const BYTES: u8 = 0x04;
/// What a format marks with 0.
pub(super) const MARKED_0: u8 = 0xa0;
/// A whole number.
pub(super) const INTEGER: u8 = 0x02;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// The next element: its tag and its content.
pub(super) fn element<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = cursor.byte()?;
    let length = match cursor.byte()? {
        short @ ..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let bytes = cursor.take(usize::from(long & 0x7f))?;
            bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte))
        }
        _ => return None,
    };
    Some((tag, cursor.take(length)?))
}

/// The content of the next element, which has this tag.
pub(super) fn tagged<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    element(cursor).filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// All elements.
pub(super) fn elements(content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut cursor = Cursor::new(content);
    let mut elements = Vec::new();
    while !cursor.rest().is_empty() {
        elements.push(element(&mut cursor)?);
    }
    Some(elements)
}

/// The common name of a certificate's subject.
pub(super) fn common_name(certificate: &[u8]) -> Option<Vec<u8>> {
    let whole = tagged(&mut Cursor::new(certificate), SEQUENCE)?;
    let mut signed = Cursor::new(tagged(&mut Cursor::new(whole), SEQUENCE)?);
    if signed.rest().first() == Some(&MARKED_0) {
        element(&mut signed)?;
    }
    // Number, algorithm, issuer, times.
    for _ in 0..4 {
        element(&mut signed)?;
    }
    for (_, part) in elements(tagged(&mut signed, SEQUENCE)?)? {
        let mut attribute = Cursor::new(tagged(&mut Cursor::new(part), SEQUENCE)?);
        if tagged(&mut attribute, OBJECT)? == COMMON_NAME {
            return element(&mut attribute).map(|(_, name)| name.to_vec());
        }
    }
    None
}
