//! How failures are told.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use crate::document::message;
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
