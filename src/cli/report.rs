//! What a command prints at its end: a text or one JSON document on stdout, errors on stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::arguments::{Command, Format};
use crate::status::{Failure, Status};

/// A command's result.
pub struct Report {
    /// The exit status.
    pub status: Status,
    /// For people, on stdout.
    pub text: String,
    /// The JSON document; null for commands whose data is the text itself.
    pub document: Value,
    /// Failures of single images or sources, printed on stderr.
    pub failures: Vec<Failure>,
}

impl Report {
    /// A result that is only text.
    pub fn text(status: Status, text: String) -> Self {
        Self { status, text, document: Value::Null, failures: Vec::new() }
    }

    /// Prints the result and gives the exit status.
    pub fn print(&self, format: Format) -> ExitCode {
        for failure in &self.failures {
            explain(failure);
        }
        let printed = match format {
            Format::Json if !self.document.is_null() => print_document(&self.document),
            _ => io::stdout().write_all(self.text.as_bytes()).and_then(|()| io::stdout().flush()),
        };
        // A reader that went away (`| head`) changes no verdict.
        drop(printed);
        ExitCode::from(self.status.code())
    }
}

/// Prints the failure that ended `command`, and gives its exit status.
pub fn fail(command: &Command, failure: &Failure, format: Format) -> ExitCode {
    explain(failure);
    if format == Format::Json {
        let list = match command.name() {
            "sources" => "sources",
            "lock" | "outdated" => "changes",
            _ => "images",
        };
        let mut document = json!({ "version": 1, "status": failure.status().code(), list: [] });
        document["error"] = error_document(failure);
        if command.name() == "sources" {
            document["syntax"] = Value::Null;
        }
        let _ = print_document(&document);
    }
    ExitCode::from(failure.status().code())
}

/// The `error` member of every document.
pub fn error_document(failure: &Failure) -> Value {
    json!({ "status": failure.status().code(), "message": chain(failure), "hint": failure.hint() })
}

fn print_document(document: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, document)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
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
