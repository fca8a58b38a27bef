//! What a command prints at its end: a text or one JSON document on stdout, errors on stderr.
//!
//! `text` words the values that operations give, one file a command, `error` failures; `crate::document` has the JSON of both.

pub mod error;
pub mod text;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::AnsiColor;

use super::arguments::Format;
use crate::document::Document;
use crate::status::{Failure, Status};
use error::{explain, label};

/// A command's result.
pub struct Report {
    /// The exit status.
    pub status: Status,
    /// For people, on stdout.
    pub text: String,
    /// The JSON document; none for commands whose data is the text itself.
    pub document: Option<Document>,
    /// Failures of single images or sources, printed on stderr.
    pub failures: Vec<Failure>,
}

impl Report {
    /// A result that is only text.
    pub fn text(status: Status, text: String) -> Self {
        Self { status, text, document: None, failures: Vec::new() }
    }

    /// Prints the result and gives the exit status.
    pub fn print(&self, format: Format) -> ExitCode {
        for failure in &self.failures {
            explain(failure);
        }
        let status = match (format, &self.document) {
            (Format::Json, Some(document)) => print(document.text(), self.status),
            _ => print_for_people(&self.text, self.status),
        };
        ExitCode::from(status.code())
    }
}

/// Prints the failure that ended a command, with the command's own document of it, and gives its exit status.
pub fn fail(failure: &Failure, format: Format, document: impl FnOnce() -> Document) -> ExitCode {
    explain(failure);
    let status = match format {
        Format::Json => print(document().text(), failure.status()),
        Format::Text | Format::Oci | Format::Sigstore | Format::Sarif | Format::Github | Format::Gitlab => {
            failure.status()
        }
    };
    ExitCode::from(status.code())
}

/// Prints the document of a command line that can't be read, if it asks for documents; clap said the rest.
pub fn fail_usage(words: &[OsString], document: impl FnOnce() -> Document) {
    let asked = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    if words.iter().any(|word| word == "--format=json") || words.windows(2).any(asked) {
        print(document().text(), Status::Usage);
    }
}

/// Prints a text, whose colours are only for terminals.
fn print_for_people(text: &str, status: Status) -> Status {
    let is_plain = anstream::AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never;
    match is_plain && text.contains(ESCAPE) {
        true => print(&anstream::adapter::strip_str(text).to_string(), status),
        false => print(text, status),
    }
}

/// What every change of colour begins with; texts of others never hold it.
const ESCAPE: char = '\u{1b}';

/// Prints to stdout and gives the status to end with: a reader that went away (`| head`) changes no verdict, a result
/// that could not be written whole is an error of its own.
fn print(text: &str, status: Status) -> Status {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            label("error", AnsiColor::Red, &format!("cannot write to stdout: {error}"));
            status.or(Status::Usage)
        }
        _ => status,
    }
}
