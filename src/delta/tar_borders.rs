//! Where the files of a layer begin and end, as far as that can be told by looking at headers alone.

use std::collections::VecDeque;

const BLOCK: u64 = 512;

/// The borders of a stream that may be a tar archive; one that isn't, or isn't any more, has none.
///
/// Nothing depends on them but how well a delta does: a chunk then begins with a file wherever the file moved.
pub(super) struct TarBorders {
    /// Where the next header is.
    header: Option<u64>,
    cuts: VecDeque<u64>,
}

impl TarBorders {
    pub(super) fn new() -> Self {
        Self { header: Some(0), cuts: VecDeque::new() }
    }

    /// The first border behind `position`, if it can be told by the bytes `ahead` that begin there.
    pub(super) fn next(&mut self, position: u64, ahead: &[u8]) -> Option<u64> {
        loop {
            match self.cuts.front() {
                Some(cut) if *cut <= position => drop(self.cuts.pop_front()),
                Some(cut) => return Some(*cut),
                None => {}
            }
            if !self.cuts.is_empty() {
                continue;
            }
            let header = self.header?;
            let from = usize::try_from(header.checked_sub(position)?).ok()?;
            let block = ahead.get(from..)?.get(..BLOCK as usize)?;
            self.header = None;
            if block.get(257..262) != Some(b"ustar") {
                return None;
            }
            let size = size(&block[124..136])?;
            let start = header + BLOCK;
            self.header = Some(start.checked_add(size.checked_next_multiple_of(BLOCK)?)?);
            if size > 0 {
                self.cuts.extend([start, start + size]);
            }
        }
    }
}

/// An octal number; what is written otherwise ends the search for borders.
fn size(field: &[u8]) -> Option<u64> {
    let mut digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| **byte != 0 && **byte != b' ');
    digits.try_fold(0_u64, |sum, digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tar::{Entry, Writer};

    fn borders(bytes: &[u8]) -> Vec<u64> {
        let (mut borders, mut found, mut position) = (TarBorders::new(), Vec::new(), 0);
        while let Some(next) = borders.next(position, bytes.get(position as usize..).unwrap_or_default()) {
            found.push(next);
            position = next;
        }
        found
    }

    #[test]
    fn files_begin_and_end_where_their_headers_say() {
        let mut tar = Writer::new(Vec::new());
        tar.append_empty(&Entry::directory("a/", 0o755)).unwrap();
        tar.append(&Entry::file("a/b", 0o644, 5), &b"12345"[..]).unwrap();
        tar.append(&Entry::file("a/c", 0o644, 512), &[7; 512][..]).unwrap();
        tar.append_empty(&Entry::file("a/d", 0o644, 0)).unwrap();
        let bytes = tar.finish().unwrap();
        assert_eq!(borders(&bytes), [1024, 1029, 2048, 2560]);
        assert_eq!(borders(&bytes[..1500]), [1024, 1029]);
    }

    #[test]
    fn what_is_no_archive_has_no_borders() {
        let mut bytes = vec![b'9'; 2048];
        assert!(borders(&bytes).is_empty());
        bytes[257..262].copy_from_slice(b"ustar");
        assert!(borders(&bytes).is_empty(), "a size that is no octal number");
        bytes[124..136].copy_from_slice(b"777777777777");
        assert_eq!(borders(&bytes), [512, 512 + 0o777_777_777_777]);
        assert!(borders(b"").is_empty());
    }
}
