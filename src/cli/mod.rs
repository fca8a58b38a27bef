//! The command line: one file a command; the only place that knows clap, colours, stdout, the environment and the clock.
//!
//! `arguments` says what can be typed, `session` turns it once into ready values, each command file runs on those and
//! gives a `Report`, and `report` prints it: text for people on stderr, data on stdout, one JSON document on request.

pub mod arguments;
mod build;
mod cache;
mod completions;
pub mod document;
mod engines;
mod excerpt;
mod flags;
mod init;
pub mod inspect;
mod job;
mod layer;
mod lock;
mod online;
mod outdated;
mod output;
mod policy;
mod project;
mod pushed;
mod rebuild;
mod recording;
mod report;
pub mod schema;
pub mod scrub;
mod self_check;
mod session;
mod sources;
pub mod tape;
mod tape_publish;
mod tape_record;
mod tape_steps;
mod tapes;
mod terminal;
mod verify;
mod wanted;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::error::ErrorKind;

use arguments::{Arguments, Command};
use report::Report;
use session::Session;

use crate::status::{Failure, Status};

/// Runs one command line and gives the exit status.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match Arguments::read(&words) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&words, &error),
    };
    let format = arguments.global.format;
    let session = match Session::open(&arguments.global) {
        Ok(session) => session,
        Err(failure) => return report::fail(&arguments.command, &failure, format),
    };
    let result = dispatch(&arguments.command, &session);
    session.trim_cache();
    session.finish();
    match result {
        Ok(report) => report.print(format),
        Err(_) if session.cancel.is_cancelled() => {
            report::fail(&arguments.command, &crate::cancel::Cancelled.into(), format)
        }
        Err(failure) => report::fail(&arguments.command, &failure, format),
    }
}

fn dispatch(command: &Command, session: &Session) -> Result<Report, Failure> {
    match command {
        Command::Cache(arguments) => cache::run(arguments, session),
        Command::Completions(arguments) => Ok(completions::run(arguments)),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Layer(arguments) => layer::run(arguments),
        Command::Scrub(arguments) => Ok(scrub::run(arguments)),
        Command::Tape(arguments) => tape::run(arguments, session),
        Command::Schema(arguments) => Ok(schema::run(arguments)),
        Command::Init(arguments) => init::run(arguments, session),
        Command::Sources(arguments) => sources::run(arguments, session),
        Command::Lock(arguments) => lock::run(arguments, session),
        Command::Outdated(_) => outdated::run(session),
        Command::Policy(arguments) => policy::run(arguments, session),
        Command::Build(arguments) => build::run(arguments, session),
        Command::Verify(arguments) => verify::run(arguments, session),
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
        report::label("hint", AnsiColor::Cyan, recording::FILE_HINT);
    }
    if error.use_stderr() {
        report::fail_usage(words, error);
    }
    ExitCode::from(status.code())
}
