//! The text of one instruction as one line, with the place of each byte.

use crate::dockerfile::syntax::{Escape, Heredoc, Lines};
use crate::lint::span::Located;

/// The lines of a file and where they start.
pub(super) struct LineTable<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> LineTable<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let after = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self { bytes, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The 1-based line with its end, and where it starts.
    pub(super) fn line(&self, number: u32) -> (&'a [u8], usize) {
        let index = (number as usize).saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or(self.bytes.len());
        let end = self.starts.get(index + 1).copied().unwrap_or(self.bytes.len());
        (&self.bytes[start..end], start)
    }
}

/// The instruction on `lines` as the parser of `dockerfile` joins it, and the line after its last one without heredocs.
pub(super) fn join(table: &LineTable<'_>, lines: Lines, escape: Escape) -> (Located, u32) {
    let mut joined = Located::default();
    let mut number = lines.start;
    let mut is_first = true;
    while number <= lines.end {
        let (mut line, mut start) = table.line(number);
        if number == 1 && line.starts_with(b"\xef\xbb\xbf") {
            (line, start) = (&line[3..], start + 3);
        }
        number += 1;
        let text = trim_end(line);
        let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if !is_first && (blanks == text.len() || text[blanks] == b'#') {
            continue;
        }
        let skipped = if is_first { blanks } else { 0 };
        is_first = false;
        let (text, ends) = split_continuation(&text[skipped..], escape.char() as u8);
        joined.push_bytes(text, start + skipped);
        if ends {
            break;
        }
    }
    (joined, number)
}

/// The bodies of heredocs that start on line `number`, with `<<-` applied, and the lines that end them.
pub(super) fn bodies(table: &LineTable<'_>, mut number: u32, heredocs: &[Heredoc]) -> Vec<(Located, Located)> {
    let mut bodies = Vec::new();
    for heredoc in heredocs {
        let mut body = Located::default();
        for line in heredoc.body.split_inclusive(|byte| *byte == b'\n') {
            let (_, start) = table.line(number);
            let tabs = if heredoc.strip_tabs { line.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
            let text = &line[tabs..];
            let plain = text.strip_suffix(b"\r\n");
            body.push_bytes(plain.unwrap_or(text), start + tabs);
            if let Some(plain) = plain {
                body.push_all("\n", start + tabs + plain.len());
            }
            number += 1;
        }
        let (line, start) = table.line(number);
        let mut end = Located::default();
        end.push_bytes(trim_end(line).trim_ascii_start(), start + (line.len() - line.trim_ascii_start().len()));
        bodies.push((body, end));
        number += 1;
    }
    bodies
}

fn trim_end(mut line: &[u8]) -> &[u8] {
    while let [head @ .., b'\r' | b'\n'] = line {
        line = head;
    }
    line
}

fn split_continuation(line: &[u8], escape: u8) -> (&[u8], bool) {
    match line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')) {
        Some(end) if line[end] == escape && (end == 0 || line[end - 1] != escape) => (&line[..end], false),
        _ => (line, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_without_comments_and_keep_their_places() {
        let file = b"FROM a\r\n  RUN x && \\\r\n# no\r\n\r\n   y\r\nCMD z\n";
        let table = LineTable::new(file);
        let (joined, next) = join(&table, Lines { start: 2, end: 5 }, Escape::Backslash);
        assert_eq!((joined.text(), next), ("RUN x &&    y", 6));
        let at = joined.span(12..13);
        assert_eq!(&file[at.start..at.end], b"y");
    }
}
