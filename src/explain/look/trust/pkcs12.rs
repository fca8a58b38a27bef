//! PKCS#12 keystores whose certificates are not encrypted (RFC 7292).

use super::super::cursor::Cursor;
use super::Store;
use super::der::{BYTES, INTEGER, MARKED_0, OBJECT, SEQUENCE, SET, element, elements, tagged};

/// pkcs7-data
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
/// certBag
const CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 0x0c, 0x0a, 1, 3];
/// localKeyID, which holds a time in Java's stores.
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x15];

/// Reads a keystore; none if a part of it is encrypted.
pub(super) fn read(content: &[u8]) -> Option<Store> {
    let mut whole = Cursor::new(content);
    let mut parts = Cursor::new(tagged(&mut whole, SEQUENCE)?);
    if !whole.rest().is_empty() || tagged(&mut parts, INTEGER)? != [3] {
        return None;
    }
    let mut store = Store::default();
    for (tag, part) in elements(sequence(data(tagged(&mut parts, SEQUENCE)?)?)?)? {
        let content = if tag == SEQUENCE { data(part)? } else { return None };
        for (_, bag) in elements(sequence(content)?)? {
            add(bag, &mut store)?;
        }
    }
    Some(store)
}

fn sequence(content: &[u8]) -> Option<&[u8]> {
    tagged(&mut Cursor::new(content), SEQUENCE)
}

/// The bytes of a content that is no more than bytes.
fn data(content: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(content);
    if tagged(&mut cursor, OBJECT)? != DATA {
        return None;
    }
    tagged(&mut Cursor::new(tagged(&mut cursor, MARKED_0)?), BYTES)
}

/// Adds a bag: its kind, its value, attributes.
fn add(bag: &[u8], store: &mut Store) -> Option<()> {
    let mut cursor = Cursor::new(bag);
    let kind = tagged(&mut cursor, OBJECT)?;
    let value = tagged(&mut cursor, MARKED_0)?;
    let mut name = Vec::new();
    if !cursor.rest().is_empty() {
        for (_, attribute) in elements(tagged(&mut cursor, SET)?)? {
            let mut parts = Cursor::new(attribute);
            if tagged(&mut parts, OBJECT)? != LOCAL_KEY {
                name.extend(attribute);
            }
        }
    }
    if kind != CERTIFICATE {
        store.keys.push([kind, value].concat());
        return Some(());
    }
    let mut parts = Cursor::new(sequence(value)?);
    element(&mut parts)?;
    let certificate = tagged(&mut Cursor::new(tagged(&mut parts, MARKED_0)?), BYTES)?;
    store.add(&name, certificate);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], &content].concat()
    }

    fn store(certificates: &[&str], kind: &[u8]) -> Vec<u8> {
        let bag = |certificate: &&str| {
            let value = der(MARKED_0, &[&der(BYTES, &[certificate.as_bytes()])]);
            let certificate = der(SEQUENCE, &[&der(OBJECT, &[&[1]]), &value]);
            der(SEQUENCE, &[&der(OBJECT, &[kind]), &der(MARKED_0, &[&certificate])])
        };
        let data = |content: &[u8]| der(SEQUENCE, &[&der(OBJECT, &[DATA]), &der(MARKED_0, &[&der(BYTES, &[content])])]);
        let bags: Vec<u8> = certificates.iter().flat_map(bag).collect();
        let safe = der(SEQUENCE, &[&data(&der(SEQUENCE, &[&bags]))]);
        der(SEQUENCE, &[&[INTEGER, 1, 3], &data(&safe)])
    }

    #[test]
    fn the_same_certificates_in_another_order_are_benign() {
        let base = store(&["one", "two"], CERTIFICATE);
        for (other, want) in [
            (store(&["two", "one"], CERTIFICATE), "C076 Proven"),
            (store(&["one", "twi"], CERTIFICATE), "C076 Proven S"),
            (store(&["one"], CERTIFICATE), "C076 Proven S"),
            (store(&["one", "two"], &[0x2a]), "C075 Proven"),
            (store(&["one", "two"], CERTIFICATE)[..80].to_vec(), "C120 Possible"),
        ] {
            assert_eq!(told("opt/trust.p12", &base, &other), want);
        }
    }
}
