//! How failures are told.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use super::excerpt;
use crate::status::Failure;

/// Writes a failure and its hint to stderr.
pub fn explain(failure: &Failure) {
    label("error", AnsiColor::Red, &message(failure));
    if let Some(hint) = failure.hint() {
        label("hint", AnsiColor::Cyan, &hint);
    }
}

/// Writes `name: message` to stderr, coloured where stderr is.
pub fn label(name: &str, color: AnsiColor, message: &str) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    let _ = writeln!(anstream::stderr(), "{style}{name}{style:#}: {message}");
}

/// The message with the lines that it is about, followed by those of the causes that it does not already hold.
pub fn message(failure: &Failure) -> String {
    let mut text = excerpt::of(failure).unwrap_or_else(|| failure.to_string());
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
