//! The header block and the fields in it.

use std::ops::Range;

use super::BLOCK;

pub(super) const NAME: Range<usize> = 0..100;
pub(super) const MODE: Range<usize> = 100..108;
pub(super) const UID: Range<usize> = 108..116;
pub(super) const GID: Range<usize> = 116..124;
pub(super) const SIZE: Range<usize> = 124..136;
pub(super) const MTIME: Range<usize> = 136..148;
pub(super) const CHECKSUM: Range<usize> = 148..156;
pub(super) const TYPE_FLAG: usize = 156;
pub(super) const LINK_NAME: Range<usize> = 157..257;
pub(super) const MAGIC: Range<usize> = 257..265;
pub(super) const USER: Range<usize> = 265..297;
pub(super) const GROUP: Range<usize> = 297..329;
pub(super) const DEVICE_MAJOR: Range<usize> = 329..337;
pub(super) const DEVICE_MINOR: Range<usize> = 337..345;
pub(super) const PREFIX: Range<usize> = 345..500;
pub(super) const GNU_ACCESS_TIME: Range<usize> = 345..357;
pub(super) const GNU_CHANGE_TIME: Range<usize> = 357..369;

/// Magic and version of POSIX headers, with and without PAX.
pub(super) const USTAR: &[u8; 8] = b"ustar\x0000";

/// A header block that is being filled.
pub(super) struct Header([u8; BLOCK]);

impl Header {
    pub(super) fn new() -> Self {
        Self([0; BLOCK])
    }

    /// Copies `text`, cut to the field. A `/` left at the end by the cut becomes NUL, since some readers would take
    /// the name for a directory's.
    pub(super) fn set_text(&mut self, field: Range<usize>, text: &[u8]) {
        let field = &mut self.0[field];
        let count = text.len().min(field.len());
        field[..count].copy_from_slice(&text[..count]);
        if text.len() > field.len() && field.last() == Some(&b'/') {
            let kept = field[..count - 1].iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
            field[kept] = 0;
        }
    }

    /// Writes octal digits, as many as the field has less one, then NUL; zero if the number doesn't fit.
    pub(super) fn set_number(&mut self, field: Range<usize>, number: i64) {
        let mut rest = if fits(field.len(), number) { number } else { 0 };
        let (digits, end) = (field.start..field.end - 1, field.end - 1);
        self.0[end] = 0;
        for digit in self.0[digits].iter_mut().rev() {
            *digit = b'0' + (rest & 7) as u8;
            rest >>= 3;
        }
    }

    pub(super) fn set_flag(&mut self, flag: u8) {
        self.0[TYPE_FLAG] = flag;
    }

    /// Sets magic and checksum and gives the block.
    pub(super) fn seal(mut self) -> [u8; BLOCK] {
        self.0[MAGIC].copy_from_slice(USTAR);
        let sum = checksum(&self.0);
        self.set_number(CHECKSUM.start..CHECKSUM.end - 1, i64::from(sum));
        self.0[CHECKSUM.end - 1] = b' ';
        self.0
    }
}

/// Whether octal digits can hold `number` in a field of `width` bytes.
pub(super) fn fits(width: usize, number: i64) -> bool {
    number >= 0 && number < 1 << (3 * (width - 1))
}

/// The sum of all bytes, with the checksum field taken as blanks.
pub(super) fn checksum(block: &[u8; BLOCK]) -> u32 {
    let all: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    let field: u32 = block[CHECKSUM].iter().map(|&byte| u32::from(byte)).sum();
    all - field + 8 * u32::from(b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_cut_becomes_nul() {
        let mut header = Header::new();
        let mut text = vec![b'a'; 98];
        text.extend(b"//bcd");
        header.set_text(NAME, &text);
        assert_eq!(header.0[97..101], [b'a', 0, b'/', 0]);
    }

    #[test]
    fn a_number_that_does_not_fit_is_zero() {
        let mut header = Header::new();
        header.set_number(UID, 0o7_777_777);
        header.set_number(GID, 0o10_000_000);
        assert_eq!(&header.0[UID], b"7777777\0");
        assert_eq!(&header.0[GID], b"0000000\0");
    }
}
