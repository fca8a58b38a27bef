//! Places as the protocol counts them: lines from 0, and UTF-16 code units in a line.

use lsp_types::{Position, Range};

use crate::lint::Span;

/// A text and where its lines begin; they end with `\n`, `\r\n` or `\r`.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The place of a byte; one within a character is that of the character.
    pub(super) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let units = self.text[self.starts[line]..offset].encode_utf16().count();
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(units) }
    }

    pub(super) fn range(&self, span: Span) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    /// All of the text.
    pub(super) fn whole(&self) -> Range {
        self.range(Span { start: 0, end: self.text.len() })
    }

    /// The lines from one to another, both counted from 1, without the last one's end.
    pub(super) fn lines(&self, first: usize, last: usize) -> Range {
        let number = |line: usize| line.saturating_sub(1).min(self.starts.len() - 1);
        let start = self.starts[number(first)];
        let rest = &self.text[self.starts[number(last)]..];
        let end = self.text.len() - rest.len() + rest.find(['\r', '\n']).unwrap_or(rest.len());
        self.range(Span { start, end: end.max(start) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_nought_and_columns_in_utf_16() {
        let text = "a\u{1d11e}b\r\né\rx\n";
        let lines = Lines::of(text);
        for (what, want) in [("a", (0, 0)), ("\u{1d11e}", (0, 1)), ("b", (0, 3)), ("é", (1, 0)), ("x", (2, 0))] {
            let place = lines.position(text.find(what).unwrap());
            assert_eq!((place.line, place.character), want, "{what}");
        }
        assert_eq!(lines.position(3), Position { line: 0, character: 1 });
        assert_eq!(lines.position(99), Position { line: 3, character: 0 });
        assert_eq!(lines.lines(1, 1).end, Position { line: 0, character: 4 });
        assert_eq!(lines.lines(9, 9).start, Position { line: 3, character: 0 });
    }
}
