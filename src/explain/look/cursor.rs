//! Fields of binary formats, one after the other; nothing is read past the end.

/// Bytes of a name with its end. Without a bound, many that overlap would take for ever.
const LONGEST: usize = 4096;

/// Reads fields of `bytes` from a place on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// From the start.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// From `at` on; none if that is past the end.
    pub(crate) fn from(bytes: &'a [u8], at: usize) -> Option<Self> {
        (at <= bytes.len()).then_some(Self { bytes, at })
    }

    /// Where the next field starts.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The next bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes, the lowest first.
    pub(crate) fn little16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, the lowest first.
    pub(crate) fn little32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, the lowest first.
    pub(crate) fn little64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Two bytes, the highest first.
    pub(crate) fn big16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, the highest first.
    pub(crate) fn big32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Four bytes, the highest first, as a length.
    pub(crate) fn big_length(&mut self) -> Option<usize> {
        usize::try_from(self.big32()?).ok()
    }

    /// Four bytes, the lowest first, as a length.
    pub(crate) fn little_length(&mut self) -> Option<usize> {
        usize::try_from(self.little32()?).ok()
    }

    /// What stands before the next `end`, which is passed over; none if that is longer than any name.
    pub(crate) fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let length = self.rest().iter().take(LONGEST).position(|&byte| byte == end)?;
        let taken = self.take(length)?;
        self.at += 1;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order_and_never_past_the_end() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 0, 0, 3, b'a', 0, 9]);
        assert_eq!(cursor.little16(), Some(1));
        assert_eq!(cursor.little32(), Some(2));
        assert_eq!(cursor.big16(), Some(3));
        assert_eq!(cursor.until(0), Some(&b"a"[..]));
        assert_eq!((cursor.little32(), cursor.take(usize::MAX), cursor.until(0)), (None, None, None));
        assert_eq!((cursor.position(), cursor.byte(), cursor.byte()), (10, Some(9), None));
        assert_eq!(Cursor::new(&[1; LONGEST]).until(0), None);
        assert!(Cursor::from(&[1], 1).is_some() && Cursor::from(&[1], 2).is_none());
    }
}
