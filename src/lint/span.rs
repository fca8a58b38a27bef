//! Places in a Dockerfile, and text that remembers which place each of its bytes has.

use std::ops::Range;

/// A piece of the file, as byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From the start of one piece to the end of another.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.end) }
    }
}

/// Text put together of pieces of the file; each byte knows where it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    text: String,
    places: Vec<u32>,
}

impl Located {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds bytes of the file that stand at `start`; one that is not UTF-8 becomes `?`.
    pub fn push_bytes(&mut self, bytes: &[u8], start: usize) {
        let mut at = start;
        for chunk in bytes.utf8_chunks() {
            self.push_at(chunk.valid(), at);
            at += chunk.valid().len();
            for _ in chunk.invalid() {
                self.push_all("?", at);
                at += 1;
            }
        }
    }

    /// Adds text that stands at `start` as it is.
    pub fn push_at(&mut self, text: &str, start: usize) {
        self.text.push_str(text);
        self.places.extend((start..start + text.len()).map(place));
    }

    /// Adds text that the byte at `start` stands for as a whole.
    pub fn push_all(&mut self, text: &str, start: usize) {
        self.text.push_str(text);
        self.places.extend(std::iter::repeat_n(place(start), text.len()));
    }

    /// Adds a piece of another text.
    pub fn push_part(&mut self, other: &Self, range: Range<usize>) {
        let Some(text) = other.text.get(range.clone()) else { return };
        self.text.push_str(text);
        self.places.extend_from_slice(&other.places[range]);
    }

    /// A piece of the text.
    pub fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.push_part(self, range);
        part
    }

    /// Where a piece of the text stands.
    pub fn span(&self, range: Range<usize>) -> Span {
        let last = range.end.saturating_sub(1).max(range.start).min(self.places.len().saturating_sub(1));
        let start = self.places.get(range.start).or(self.places.last()).map_or(0, |place| *place as usize);
        let end = self.places.get(last).map_or(start, |place| *place as usize) + 1;
        Span { start, end: end.max(start + 1) }
    }

    /// Which byte of the text stands at a place of the file, if it is there as it is written.
    pub fn at(&self, offset: usize) -> Option<usize> {
        self.places.iter().position(|place| *place as usize == offset)
    }

    /// Where its last byte stands: a place for what is added behind it and stands nowhere.
    pub fn last(&self) -> usize {
        self.whole().end - 1
    }

    /// Where all of it stands.
    pub fn whole(&self) -> Span {
        self.span(0..self.text.len())
    }
}

/// Dockerfiles are far below 4 GiB: `limits::Limits::dockerfile`.
fn place(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_joined_text_knows_its_place() {
        let file = b"RUN a \\\n  b\xffc\n";
        let mut joined = Located::default();
        joined.push_bytes(&file[4..6], 4);
        joined.push_bytes(&file[8..13], 8);
        assert_eq!(joined.text(), "a   b?c");
        assert_eq!(joined.span(0..1), Span { start: 4, end: 5 });
        assert_eq!(joined.span(4..7), Span { start: 10, end: 13 });
        assert_eq!(joined.part(4..5).whole(), Span { start: 10, end: 11 });
        assert_eq!(joined.last(), 12);
        assert_eq!((Located::default().whole(), Located::default().last()), (Span { start: 0, end: 1 }, 0));
    }
}
