//! Files of attestations: JSON lines, a single document, or a sigstore bundle.

use serde_json::Value;

use super::document::{self, Unreadable};
use super::envelope::{Envelope, InvalidEnvelope};
use super::members::Members;
use crate::limits::{LimitExceeded, Limits};
use crate::status::{ExitStatus, Status};

/// What the media types of sigstore bundles begin with.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// One attestation, or what stands in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1; none where the file is one document.
    pub number: Option<usize>,
    /// What it is.
    pub content: Content,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLines {
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
        Status::Malformed
    }
}

/// Limits as they hold for one line.
pub fn line_limits(limits: &Limits) -> Limits {
    Limits { json_bytes: limits.attest_line, json_string: limits.attest_line, ..limits.clone() }
}

/// Reads a file: a line a document, blank ones left out, or one document that may have line breaks.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Line>, InvalidLines> {
    let exceeded = |name, limit, object: &str| LimitExceeded { name, limit, object: object.to_owned() };
    if bytes.len() as u64 > limits.attest_file {
        return Err(exceeded("attest-file", limits.attest_file, "file").into());
    }
    let within = line_limits(limits);
    let is_blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
    let numbered = || bytes.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !is_blank(line));
    if numbered().nth(limits.attest_lines as usize).is_some() {
        return Err(exceeded("attest-lines", limits.attest_lines, "file").into());
    }
    let mut lines = Vec::new();
    for (line, number) in numbered() {
        let trimmed = line.trim_ascii();
        if trimmed.len() as u64 > limits.attest_line || line.len() as u64 > limits.attest_line {
            return Err(exceeded("attest-line", limits.attest_line, &format!("line {number}")).into());
        }
        match document::parse(trimmed, &within) {
            Ok(document) => {
                lines.push(Line { number: Some(number), content: content(document, trimmed, Some(number))? })
            }
            Err(reason) if lines.is_empty() => {
                // One document that is written over several lines.
                let whole = bytes.trim_ascii();
                let document = document::parse(whole, &within);
                let document = document.map_err(|_| InvalidLines::Line { number: Some(number), reason })?;
                return Ok(vec![Line { number: None, content: content(document, whole, None)? }]);
            }
            Err(reason) => return Err(InvalidLines::Line { number: Some(number), reason }),
        }
    }
    Ok(lines)
}

/// Reads one document.
pub fn read_document(bytes: &[u8], limits: &Limits) -> Result<Line, InvalidLines> {
    let refused = |reason| InvalidLines::Line { number: None, reason };
    let document = document::parse(bytes, &line_limits(limits)).map_err(refused)?;
    Ok(Line { number: None, content: content(document, bytes, None)? })
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
        let lines = read(text.as_bytes(), &Limits::default()).map_err(|error| error.to_string())?;
        Ok(lines.iter().map(|line| (line.number, kind(line))).collect())
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
        ] {
            let error = kinds(&text).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
