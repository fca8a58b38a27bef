//! `repro completions`: completion scripts made from the command line's own description.

use clap::CommandFactory;

use super::super::arguments;
use super::super::report::Report;
use crate::status::Status;

/// Runs the command.
pub fn run(arguments: &arguments::Completions) -> Report {
    let mut script = Vec::new();
    let mut command = arguments::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "repro", &mut script);
    Report::text(Status::Success, String::from_utf8_lossy(&script).into_owned())
}
