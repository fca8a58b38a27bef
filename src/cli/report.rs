//! What a command prints at its end: a text or one JSON document on stdout, errors on stderr.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::arguments::{Command, Format};
use super::document;
use crate::escape;
use crate::status::{Failure, Status};

/// A result as JSON text: members in the order of the type's fields, nothing in it that moves a terminal.
pub struct Document(String);

impl Document {
    /// The document of a value.
    pub fn of(value: &impl Serialize) -> Self {
        let plain = serde_json::to_string_pretty(value).unwrap_or_default();
        let mut text = String::with_capacity(plain.len() + 1);
        for c in plain.chars() {
            if c != '\n' && escape::is_dangerous(c) {
                // Only strings hold such characters, and there the escape means the same.
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            } else {
                text.push(c);
            }
        }
        text.push('\n');
        Self(text)
    }
}

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
        let text = match (format, &self.document) {
            (Format::Json, Some(document)) => &document.0,
            _ => &self.text,
        };
        ExitCode::from(print(text, self.status).code())
    }
}

/// Prints the failure that ended `command`, and gives its exit status.
pub fn fail(command: &Command, failure: &Failure, format: Format) -> ExitCode {
    explain(failure);
    let status = match format {
        Format::Json => print(&document::of_failure(command, failure).0, failure.status()),
        Format::Text => failure.status(),
    };
    ExitCode::from(status.code())
}

/// Prints the document of a command line that can't be read, if it asks for documents; clap said the rest.
pub fn fail_usage(words: &[OsString], error: &clap::Error) {
    let asked = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    if words.iter().any(|word| word == "--format=json") || words.windows(2).any(asked) {
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        print(&document::of_usage(message).0, Status::Usage);
    }
}

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

/// Writes a failure and its hint to stderr.
pub fn explain(failure: &Failure) {
    label("error", AnsiColor::Red, &chain(failure));
    if let Some(hint) = failure.hint() {
        label("hint", AnsiColor::Cyan, &hint);
    }
}

/// Writes `name: message` to stderr, coloured where stderr is.
pub fn label(name: &str, color: AnsiColor, message: &str) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    let _ = writeln!(anstream::stderr(), "{style}{name}{style:#}: {message}");
}

/// The message, followed by those of the causes that it does not already hold.
pub fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
