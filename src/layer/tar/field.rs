//! Fields of a header block, read strictly.

use std::ops::Range;

use super::BLOCK;
use super::header::{CHECKSUM, MAGIC, USTAR, checksum};

/// Which family of formats a header belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// No magic.
    V7,
    /// POSIX, with or without PAX headers.
    Ustar,
    /// GNU tar.
    Gnu,
}

/// The format that the magic says; none if it is unknown.
pub(super) fn format(block: &[u8; BLOCK]) -> Option<Format> {
    const STAR_TRAILER: Range<usize> = 508..512;
    match &block[MAGIC] {
        // star's own headers use part of the prefix for times.
        magic if magic == USTAR => (block[STAR_TRAILER] != *b"tar\0").then_some(Format::Ustar),
        b"ustar  \0" => Some(Format::Gnu),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Format::V7),
        _ => None,
    }
}

/// What a header's checksum was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Bytes, as the format says; the same where none is above 127.
    Bytes,
    /// Signed bytes, as old writers had them.
    SignedBytes,
}

/// What the checksum sums; none if it is wrong.
pub(super) fn checksum_of(block: &[u8; BLOCK]) -> Option<Sum> {
    let Ok(Some(found)) = number(&block[CHECKSUM]) else { return None };
    let sum = checksum(block);
    if found == u64::from(sum) {
        return Some(Sum::Bytes);
    }
    // The field itself counts as blanks.
    let high = block.iter().enumerate().filter(|&(at, &byte)| byte > 127 && !CHECKSUM.contains(&at)).count() as u64;
    (Some(found) == u64::from(sum).checked_sub(256 * high)).then_some(Sum::SignedBytes)
}

/// Whether the checksum is written as all common writers do: six digits, NUL, blank, or seven digits and NUL.
pub(super) fn has_usual_checksum(block: &[u8; BLOCK]) -> bool {
    let field = &block[CHECKSUM];
    let digits = field.iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    matches!((digits, &field[digits..]), (6, b"\0 ") | (7, b"\0"))
}

/// The text of a field, up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.iter().position(|&byte| byte == 0).map_or(field, |end| &field[..end])
}

/// A number in octal or base-256, none if the field is empty.
///
/// Octal digits may follow blanks and are ended by blanks or NULs, or by the end of the field. Base-256 must be
/// positive and fit 63 bits.
pub(super) fn number(field: &[u8]) -> Result<Option<u64>, &'static str> {
    if let Some(first) = field.first().filter(|&&first| first >= 0x80) {
        if *first != 0x80 {
            return Err("a number is negative or too large");
        }
        let value = field[1..].iter().try_fold(0_u64, |value, &byte| {
            value.checked_mul(256).map(|value| value | u64::from(byte)).filter(|&value| value < 1 << 63)
        });
        return value.map(Some).ok_or("a number is negative or too large");
    }
    let start = field.iter().position(|&byte| byte != b' ').unwrap_or(field.len());
    let rest = &field[start..];
    let count = rest.iter().position(|&byte| byte == b' ' || byte == 0).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(count);
    if tail.iter().any(|&byte| byte != b' ' && byte != 0) || digits.iter().any(|byte| !(b'0'..=b'7').contains(byte)) {
        return Err("a number is not octal");
    }
    if digits.is_empty() {
        return Ok(None);
    }
    // At most twelve digits: 36 bits.
    Ok(Some(digits.iter().fold(0, |value, &digit| value << 3 | u64::from(digit - b'0'))))
}

/// A time: a number that may also be a negative one in base-256, as GNU tar writes what lies before 1970.
pub(super) fn time(field: &[u8]) -> Result<Option<i64>, &'static str> {
    let Some((0xff, rest)) = field.split_first() else { return Ok(number(field)?.map(u64::cast_signed)) };
    let (high, low) = rest.split_at(rest.len().saturating_sub(8));
    let value = low.iter().fold(-1_i64, |value, &byte| value << 8 | i64::from(byte));
    if high.iter().any(|&byte| byte != 0xff) || value >= 0 {
        return Err("a number is negative or too large");
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_lie_before_1970() {
        for (field, want) in [
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xae\x80".as_slice(), Ok(Some(-86_400))),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Ok(Some(-1))),
            (b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", Ok(Some(i64::MIN))),
            (b"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", Err("a number is negative or too large")),
            (b"\xff\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff", Err("a number is negative or too large")),
            (b"\xc0\0\0\0\0\0\0\0\0\0\0\0", Err("a number is negative or too large")),
            (b"-0000000010\0", Err("a number is not octal")),
            (b"00000000017\0", Ok(Some(15))),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", Ok(None)),
        ] {
            assert_eq!(time(field), want, "{field:?}");
        }
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, want) in [
            (b"0000644\0".as_slice(), Ok(Some(0o644))),
            (b"   644 \0", Ok(Some(0o644))),
            (b"77777777", Ok(Some(0o77_777_777))),
            (b"\0\0\0\0\0\0\0\0", Ok(None)),
            (b"        ", Ok(None)),
            (b"0000009\0", Err("a number is not octal")),
            (b"-000644\0", Err("a number is not octal")),
            (b"+000644\0", Err("a number is not octal")),
            (b"644\x001\0\0\0", Err("a number is not octal")),
            (b"0x1\0\0\0\0\0", Err("a number is not octal")),
            (b"\x80\0\0\0\0\0\x01\x02", Ok(Some(258))),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Ok(Some(i64::MAX as u64))),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Err("a number is negative or too large")),
            (b"\xff\xff\xff\xff\xff\xff\xfe\0", Err("a number is negative or too large")),
            (b"\x81\0\0\0\0\0\0\0", Err("a number is negative or too large")),
        ] {
            assert_eq!(number(field), want, "{field:?}");
        }
    }
}
