//! Files of attestations: JSON lines, a single document, or a sigstore bundle.
//!
//! [`Lines`] takes a file apart, a batch at a time, so that memory does not grow with it; [`RawLine::read`] reads each.

use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::document::{self, Unreadable};
use super::envelope::{Envelope, InvalidEnvelope};
use super::members::Members;
use crate::digest::Digest;
use crate::limits::{LimitExceeded, Limits};
use crate::status::{ExitStatus, Status};

/// What the media types of sigstore bundles begin with.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// Lines of one batch, and bytes after which no more are added.
const BATCH_LINES: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

/// One attestation, or what stands in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1; none where the file is one document.
    pub number: Option<usize>,
    /// sha256 of its bytes, without line break.
    pub digest: Digest,
    /// What it is.
    pub content: Content,
}

/// The bytes of one line, or of a whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// Its number in the file, from 1; none where the file is one document.
    pub number: Option<usize>,
    /// Its bytes, without white space around them.
    pub bytes: Vec<u8>,
}

/// A file, taken apart.
pub struct Lines<'a, R> {
    source: R,
    limits: &'a Limits,
    /// Lines that were read, blank ones too.
    number: usize,
    /// Lines that were not blank.
    count: u64,
    /// Bytes that were read.
    read: u64,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Signed, whoever by.
    Envelope(Envelope),
    /// An envelope that can't be one.
    Refused(InvalidEnvelope),
    /// A statement that nobody signed: its bytes.
    Statement(Vec<u8>),
    /// Another document.
    Unrecognised,
}

/// A file that is refused.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLines {
    /// It can't be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Too much.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A line that is no acceptable JSON.
    #[error("{}{reason}", number.map(|number| format!("line {number}: ")).unwrap_or_default())]
    Line {
        /// Its number.
        number: Option<usize>,
        /// Why.
        reason: Unreadable,
    },
    /// An envelope of too many signatures.
    #[error("{}{reason}", number.map(|number| format!("line {number}: ")).unwrap_or_default())]
    Envelope {
        /// Its number.
        number: Option<usize>,
        /// Why.
        reason: InvalidEnvelope,
    },
}

impl ExitStatus for InvalidLines {
    fn status(&self) -> Status {
        match self {
            Self::Io(_) => Status::Usage,
            _ => Status::Malformed,
        }
    }
}

/// Limits as they hold for one line.
pub fn line_limits(limits: &Limits) -> Limits {
    Limits { json_bytes: limits.attest_line, json_string: limits.attest_line, ..limits.clone() }
}

fn exceeded(name: &'static str, limit: u64, object: String) -> InvalidLines {
    LimitExceeded { name, limit, object }.into()
}

impl<'a, R: BufRead> Lines<'a, R> {
    /// The lines of a file: a line a document, blank ones left out, or one document that may have line breaks.
    pub fn new(source: R, limits: &'a Limits) -> Self {
        Self { source, limits, number: 0, count: 0, read: 0 }
    }

    /// The next lines, in their order; none at the end.
    pub fn next_batch(&mut self) -> Result<Option<Vec<RawLine>>, InvalidLines> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
            let Some(line) = self.next_line()? else { break };
            bytes += line.bytes.len();
            batch.push(line);
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn next_line(&mut self) -> Result<Option<RawLine>, InvalidLines> {
        loop {
            let mut line = Vec::new();
            let most = self.limits.attest_line.saturating_add(2);
            (&mut self.source).take(most).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            self.number += 1;
            self.read += line.len() as u64;
            if self.read > self.limits.attest_file {
                return Err(exceeded("attest-file", self.limits.attest_file, "file".to_owned()));
            }
            line.pop_if(|last| *last == b'\n');
            if line.len() as u64 > self.limits.attest_line {
                let object = format!("line {}", self.number);
                return Err(exceeded("attest-line", self.limits.attest_line, object));
            }
            let bytes = line.trim_ascii();
            if bytes.is_empty() {
                continue;
            }
            self.count += 1;
            if self.count > self.limits.attest_lines {
                return Err(exceeded("attest-lines", self.limits.attest_lines, "file".to_owned()));
            }
            let bytes = bytes.to_vec();
            return match self.count {
                1 => self.first(line, bytes).map(Some),
                _ => Ok(Some(RawLine { number: Some(self.number), bytes })),
            };
        }
    }

    /// The first line, or the whole file where that is one document over several lines.
    fn first(&mut self, line: Vec<u8>, bytes: Vec<u8>) -> Result<RawLine, InvalidLines> {
        let within = line_limits(self.limits);
        let number = Some(self.number);
        let Err(reason) = document::parse(&bytes, &within) else { return Ok(RawLine { number, bytes }) };
        let mut whole = line;
        whole.push(b'\n');
        let left = self.limits.attest_file.saturating_sub(self.read).saturating_add(1);
        self.read += (&mut self.source).take(left).read_to_end(&mut whole)? as u64;
        if self.read > self.limits.attest_file {
            return Err(exceeded("attest-file", self.limits.attest_file, "file".to_owned()));
        }
        let whole = whole.trim_ascii();
        match document::parse(whole, &within) {
            Ok(_) => Ok(RawLine { number: None, bytes: whole.to_vec() }),
            Err(_) => Err(InvalidLines::Line { number, reason }),
        }
    }
}

impl RawLine {
    /// Reads the line.
    pub fn read(&self, limits: &Limits) -> Result<Line, InvalidLines> {
        let Self { number, bytes } = self;
        let refused = |reason| InvalidLines::Line { number: *number, reason };
        let document = document::parse(bytes, &line_limits(limits)).map_err(refused)?;
        Ok(Line { number: *number, digest: Digest::of(bytes), content: content(document, bytes, *number)? })
    }
}

fn content(document: Value, raw: &[u8], number: Option<usize>) -> Result<Content, InvalidLines> {
    let Ok(members) = Members::of("line", &document) else { return Ok(Content::Unrecognised) };
    let is_there = |name: &str| members.value(name).is_ok();
    let media_type = members.optional_text("mediaType").ok().flatten().unwrap_or_default();
    let envelope = match members.value("dsseEnvelope") {
        Ok(envelope) if media_type.starts_with(BUNDLE) => envelope,
        _ if is_there("payload") || is_there("payloadType") => &document,
        _ if is_there("_type") && is_there("predicateType") => return Ok(Content::Statement(raw.to_vec())),
        _ => return Ok(Content::Unrecognised),
    };
    match Envelope::read(envelope) {
        Ok(envelope) => Ok(Content::Envelope(envelope)),
        Err(reason @ InvalidEnvelope::TooManySignatures(_)) => Err(InvalidLines::Envelope { number, reason }),
        Err(reason) => Ok(Content::Refused(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::MOST_SIGNATURES;
    use super::*;

    const ENVELOPE: &str =
        r#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"YQ=="}]}"#;

    fn kinds(text: &str) -> Result<Vec<(Option<usize>, &'static str)>, String> {
        let kind = |line: &Line| match line.content {
            Content::Envelope(_) => "envelope",
            Content::Refused(_) => "refused",
            Content::Statement(_) => "statement",
            Content::Unrecognised => "unrecognised",
        };
        let limits = Limits::default();
        let (mut lines, mut kinds) = (Lines::new(text.as_bytes(), &limits), Vec::new());
        while let Some(batch) = lines.next_batch().map_err(|error| error.to_string())? {
            for raw in batch {
                let line = raw.read(&limits).map_err(|error| error.to_string())?;
                kinds.push((line.number, kind(&line)));
            }
        }
        Ok(kinds)
    }

    #[test]
    fn every_form_of_file_is_read() {
        let bundle = format!(r#"{{"mediaType":"{BUNDLE}.v0.3+json","dsseEnvelope":{ENVELOPE}}}"#);
        let pretty = ENVELOPE.replace(",", ",\n  ");
        for (text, want) in [
            (String::new(), vec![]),
            (format!("{ENVELOPE}\n"), vec![(Some(1), "envelope")]),
            (format!("{ENVELOPE}\r\n\r\n{ENVELOPE}"), vec![(Some(1), "envelope"), (Some(3), "envelope")]),
            (bundle.clone(), vec![(Some(1), "envelope")]),
            (bundle.replace("{\"media", "{\n\"media"), vec![(None, "envelope")]),
            (pretty, vec![(None, "envelope")]),
            ("[1]\n{}\nnull\n{\"hello\":1}".to_owned(), (1..=4).map(|number| (Some(number), "unrecognised")).collect()),
            (r#"{"_type":"t","predicateType":"p"}"#.to_owned(), vec![(Some(1), "statement")]),
            (r#"{"payload":"e30="}"#.to_owned(), vec![(Some(1), "refused")]),
        ] {
            assert_eq!(kinds(&text), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_readers_could_take_in_two_ways_ends_the_reading() {
        let many = ENVELOPE.replace(r#"{"sig":"YQ=="}"#, &vec![r#"{"sig":""}"#; MOST_SIGNATURES + 1].join(","));
        for (text, want) in [
            (format!("{ENVELOPE}\nx"), "line 2: not acceptable as JSON"),
            (ENVELOPE.replace("{\"payloadType\"", "{\"payload\":\"\",\"payloadType\""), "duplicate member `payload`"),
            (many, "65 signatures"),
            ("{}\n".repeat(10_001), "limit `attest-lines`"),
            (format!("{{}}{}", " ".repeat(4 << 20)), "limit `attest-line`"),
            (format!("{{}}{}\n{{}}", " ".repeat(4 << 20)), "limit `attest-line`"),
            (format!("{{}}\n{}", " ".repeat(5 << 20)), "line 2: limit `attest-line`"),
            (format!("{{\n{}}}", "\n".repeat(17 << 20)), "limit `attest-file`"),
            (format!("{{}}\n{}", "\n".repeat(17 << 20)), "limit `attest-file`"),
        ] {
            let error = kinds(&text).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
