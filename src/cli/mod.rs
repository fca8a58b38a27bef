//! The command line: the only place that knows clap, colours, stdout, the environment and the clock.
//!
//! `arguments` says what can be typed, `session` turns it once into ready values, each file of `command` hands those to
//! an operation of `project` and its result to `report`, which prints it: text for people on stderr, data on stdout, one
//! JSON document on request.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "what is forbidden elsewhere is done here")]

pub mod arguments;
pub mod command;
pub mod report;
mod session;

use std::ffi::OsString;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::error::ErrorKind;

use crate::cancel::Cancelled;
use crate::project::FILE_HINT;
use crate::status::{Failure, Status};
use arguments::Arguments;
use command::failure;
use report::error::label;
use session::Session;

/// Runs one command line and gives the exit status.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match Arguments::read(&words) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&words, &error),
    };
    let format = arguments.format();
    let fail = |failure: &Failure| report::fail(failure, format, || failure::of_failure(&arguments.command, failure));
    let session = match Session::open(&arguments.global) {
        Ok(session) => session,
        Err(failure) => return fail(&failure),
    };
    let result = command::run(&arguments.command, &session);
    session.trim_cache();
    session.finish();
    match result {
        Ok(report) => report.print(format),
        Err(_) if session.machine.cancel.is_cancelled() => fail(&Cancelled.into()),
        Err(failure) => fail(&failure),
    }
}

/// Whether a word that may be meant as its file follows `repro build --record`.
fn has_loose_record(words: &[OsString]) -> bool {
    let is_flag = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    words.iter().any(|word| word == "build") && words.windows(2).any(|pair| pair[0] == "--record" && !is_flag(&pair[1]))
}

/// Help and version end with 0, wrong usage with 2.
fn usage(words: &[OsString], error: &clap::Error) -> ExitCode {
    let status = if error.use_stderr() { Status::Usage } else { Status::Success };
    // A closed stdout or stderr changes no status.
    let _ = error.print();
    if error.kind() == ErrorKind::ArgumentConflict && has_loose_record(words) {
        label("hint", AnsiColor::Cyan, FILE_HINT);
    }
    if error.use_stderr() {
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        report::fail_usage(words, || failure::of_usage(message));
    }
    ExitCode::from(status.code())
}
