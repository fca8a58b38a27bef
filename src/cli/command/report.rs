//! `repro report`: a saved document of `repro diff`, in the forms that people and programs read.

use super::super::arguments;
use super::super::report::Report;
use super::super::session::Session;
use crate::project::{check_report_name, read_report, write_report};
use crate::render::tree;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::ReportFile, session: &Session) -> Result<Report, Failure> {
    arguments.output.iter().try_for_each(|path| check_report_name(path))?;
    let document = read_report(&session.machine, &arguments.file)?;
    for path in &arguments.output {
        write_report(&session.machine, path, &document)?;
    }
    let text = if arguments.output.is_empty() { tree(&document, arguments.all) } else { String::new() };
    Ok(Report::text(Status::Success, text))
}
