//! From bytes to nodes: lines joined, comments dropped, directives obeyed, heredocs taken in.

use super::directive::{Directives, Key};
use super::error::{DockerfileError, Phase};
use super::heredoc;
use super::node::{Node, read_node};
use super::syntax::{Escape, Lines};
use super::text::{Text, lossy, trim, trim_start};

/// Bytes of a line without its `\n`; BuildKit's bound.
const LINE: usize = 65_535;

/// A file cut into instructions.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) escape: Escape,
    pub(super) nodes: Vec<Node>,
    pub(super) empty_continuations: Vec<u32>,
}

/// Cuts a file into instructions.
pub(super) fn read_nodes(dockerfile: &[u8]) -> Result<Nodes, DockerfileError> {
    let mut reader = Reader {
        rest: dockerfile,
        line: 0,
        too_long: false,
        directives: Directives::new("#"),
        escape: Escape::default(),
        comments: Vec::new(),
        empty_continuations: Vec::new(),
    };
    let mut nodes = Vec::new();
    while let Some(line) = reader.next_line() {
        if let Some(node) = reader.read_instruction(line)? {
            nodes.push(node);
        }
    }
    if nodes.is_empty() {
        return Err(reader.fail("file with no instructions"));
    }
    if reader.too_long {
        return Err(reader.fail(format!("dockerfile line greater than max allowed size of {LINE}")));
    }
    Ok(Nodes { escape: reader.escape, nodes, empty_continuations: reader.empty_continuations })
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Lines taken so far.
    line: u32,
    too_long: bool,
    directives: Directives,
    escape: Escape,
    comments: Vec<Text>,
    empty_continuations: Vec<u32>,
}

impl<'a> Reader<'a> {
    /// The next line with its line end; none at the end, or from a line on that is too long.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().take(LINE + 1).position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => self.rest.split_at(end + 1),
            None if self.rest.len() > LINE => {
                self.too_long = true;
                return None;
            }
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        (!line.is_empty()).then_some(line)
    }

    /// An error at the line that was taken last.
    fn fail(&self, message: impl Into<String>) -> DockerfileError {
        DockerfileError::new(Phase::Parse, message).at(Lines { start: self.line, end: self.line })
    }

    /// True if the line is a directive, which is obeyed.
    fn read_directive(&mut self, line: &[u8]) -> Result<bool, DockerfileError> {
        match self.directives.read(line) {
            Err(message) => Err(self.fail(message)),
            Ok(None) => Ok(false),
            Ok(Some((Key::Escape, value))) => {
                self.escape = match value {
                    b"\\" => Escape::Backslash,
                    b"`" => Escape::Backtick,
                    other => {
                        let other = lossy(other);
                        return Err(self.fail(format!("invalid escape token '{other}' does not match ` or \\")));
                    }
                };
                Ok(true)
            }
            Ok(Some(_)) => Ok(true),
        }
    }

    fn read_instruction(&mut self, line: &'a [u8]) -> Result<Option<Node>, DockerfileError> {
        let line = if self.line == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let comment = is_comment(line).then(|| trim(&line[1..]));
        let trimmed = trim_start(trim_newline(line));
        let is_directive = self.read_directive(trimmed)?;
        self.line += 1;
        if let Some(comment) = comment {
            match comment {
                [] => self.comments.clear(),
                _ if is_directive => {}
                text => self.comments.push(Text::from(text)),
            }
            return Ok(None);
        }
        let start = self.line;
        let (text, mut ends) = self.split_continuation(trimmed);
        if ends && text.is_empty() {
            return Ok(None);
        }
        let mut joined = text.to_vec();
        let mut has_empty_line = false;
        while !ends && let Some(line) = self.next_line() {
            self.read_directive(trim_newline(line))?;
            self.line += 1;
            let text = trim_newline(line);
            if is_comment(line) {
                continue;
            }
            if trim_start(text).is_empty() {
                has_empty_line = true;
                continue;
            }
            let (text, last) = self.split_continuation(text);
            ends = last;
            joined.extend_from_slice(text);
        }
        if has_empty_line {
            self.empty_continuations.push(self.line);
        }
        let at = |reader: &Self, error: DockerfileError| error.at(Lines { start, end: reader.line });
        let mut node =
            read_node(&joined, self.escape).map_err(|message| at(self, DockerfileError::new(Phase::Parse, message)))?;
        if node.may_have_heredocs() && joined.windows(2).any(|pair| pair == b"<<") {
            self.read_heredocs(&joined, &mut node).map_err(|error| at(self, error))?;
        }
        node.lines = Lines { start, end: self.line };
        node.comments = std::mem::take(&mut self.comments);
        Ok(Some(node))
    }

    /// The line without its continuation character, and whether the instruction ends with it.
    fn split_continuation<'b>(&self, line: &'b [u8]) -> (&'b [u8], bool) {
        let escape = self.escape.char() as u8;
        let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
        match end {
            Some(end) if line[end] == escape && (end == 0 || line[end - 1] != escape) => (&line[..end], false),
            _ => (line, true),
        }
    }

    fn read_heredocs(&mut self, joined: &[u8], node: &mut Node) -> Result<(), DockerfileError> {
        let parse_error = |message: String| DockerfileError::new(Phase::Parse, message);
        for mut heredoc in heredoc::in_line(joined).map_err(parse_error)? {
            let mut body = Vec::new();
            loop {
                let Some(line) = self.next_line() else { return Err(parse_error("unterminated heredoc".to_owned())) };
                self.line += 1;
                let mut end = trim_newline(line);
                while heredoc.strip_tabs
                    && let Some(tail) = end.strip_prefix(b"\t")
                {
                    end = tail;
                }
                if *end == *heredoc.name {
                    break;
                }
                body.extend_from_slice(line);
            }
            heredoc.body = body.into();
            node.heredocs.push(heredoc);
        }
        Ok(())
    }
}

fn is_comment(line: &[u8]) -> bool {
    trim_start(line).first() == Some(&b'#')
}

fn trim_newline(mut line: &[u8]) -> &[u8] {
    while let [head @ .., b'\r' | b'\n'] = line {
        line = head;
    }
    line
}
