//! Java's keystores JKS and JCEKS: entries with the time they were added, and a digest over all.

use super::super::cursor::Cursor;
use super::Store;

const MAGICS: &[[u8; 4]] = &[[0xfe, 0xed, 0xfe, 0xed], [0xce; 4]];
const PRIVATE_KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
/// The digest at the end, which covers the times.
const DIGEST: usize = 20;

/// Reads a keystore.
pub(super) fn read(content: &[u8]) -> Option<Store> {
    let mut cursor = Cursor::new(content);
    let mut store = Store::default();
    let magic = cursor.array()?;
    if !MAGICS.contains(&magic) {
        return None;
    }
    let version = cursor.big32()?;
    store.other.push([&magic[..], &version.to_be_bytes()].concat());
    for _ in 0..cursor.big32()? {
        let tag = cursor.big32()?;
        let alias = text(&mut cursor)?;
        cursor.take(8)?;
        match tag {
            CERTIFICATE => {
                let certificate = certificate(&mut cursor, version)?;
                store.add(alias, certificate);
            }
            PRIVATE_KEY => {
                let length = cursor.big_length()?;
                store.keys.push([alias, b"\0", cursor.take(length)?].concat());
                for _ in 0..cursor.big32()? {
                    let certificate = certificate(&mut cursor, version)?;
                    store.add(alias, certificate);
                }
            }
            _ => return None,
        }
    }
    (cursor.rest().len() == DIGEST).then_some(store)
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.big16()?;
    cursor.take(usize::from(length))
}

fn certificate<'a>(cursor: &mut Cursor<'a>, version: u32) -> Option<&'a [u8]> {
    if version == 2 {
        text(cursor)?;
    }
    let length = cursor.big_length()?;
    cursor.take(length)
}
