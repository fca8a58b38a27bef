//! One row: a header of types, then the values.

use super::super::cursor::Cursor;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing, or the number of the row.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number, as its bytes stand.
    Real(&'a [u8]),
    /// Text in the encoding of the database.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// The values of a row.
pub(crate) fn values(row: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut header = Cursor::new(row);
    let length = usize::try_from(varint(&mut header)?).ok()?;
    let mut body = Cursor::from(row, length)?;
    let mut values = Vec::new();
    while header.position() < length {
        values.push(value(varint(&mut header)?, &mut body)?);
    }
    (header.position() == length && body.rest().is_empty()).then_some(values)
}

fn value<'a>(kind: u64, body: &mut Cursor<'a>) -> Option<Value<'a>> {
    Some(match kind {
        0 => Value::Null,
        1..=6 => {
            let length = [1, 2, 3, 4, 6, 8][usize::try_from(kind).ok()? - 1];
            let bytes = body.take(length)?;
            let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
            Value::Integer(bytes.iter().fold(sign, |number, &byte| number << 8 | i64::from(byte)))
        }
        7 => Value::Real(body.take(8)?),
        8 | 9 => Value::Integer(if kind == 9 { 1 } else { 0 }),
        10 | 11 => return None,
        kind => {
            let bytes = body.take(usize::try_from((kind - 12) / 2).ok()?)?;
            if kind % 2 == 0 { Value::Blob(bytes) } else { Value::Text(bytes) }
        }
    })
}

/// A number in one to nine bytes, the highest first.
pub(super) fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut number = 0;
    for _ in 0..8 {
        let byte = cursor.byte()?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    Some(number << 8 | u64::from(cursor.byte()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_their_types_say() {
        let row = b"\x06\0\x01\x13\x10\x09\xfeabc\x01\x02";
        let want = [Value::Null, Value::Integer(-2), Value::Text(b"abc"), Value::Blob(b"\x01\x02"), Value::Integer(1)];
        assert_eq!(values(row).unwrap(), want);
        for broken in [&b"\x06\0\x01"[..], b"\x02\x0a", b"", b"\x02\x01\x01\x01", b"\x01\0"] {
            assert_eq!(values(broken), None, "{broken:?}");
        }
        assert_eq!(varint(&mut Cursor::new(&[0x81, 0])), Some(128));
        assert_eq!(varint(&mut Cursor::new(&[0xff; 9])), Some(u64::MAX));
    }
}
