//! `repro diff`: why two images differ.

use super::super::arguments;
use super::super::report::Report;
use super::super::session::Session;
use crate::document::{Document, diff_document};
use crate::project::{DiffOptions, check_report_name, diff, write_report};
use crate::render::tree;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Diff, session: &Session) -> Result<Report, Failure> {
    let options = DiffOptions {
        places: [arguments.first.clone(), arguments.second.clone()],
        platform: arguments.platform.clone(),
        is_merged: arguments.rootfs,
        ignore: arguments.ignore.clone(),
        dockerfile: arguments.dockerfile.clone(),
    };
    arguments.report.iter().try_for_each(|path| check_report_name(path))?;
    let found = diff(&session.machine, &options)?;
    let status = match found.status() {
        Status::Differs if arguments.exit_zero => Status::Success,
        status => status,
    };
    let document = diff_document(&found, status);
    for path in &arguments.report {
        write_report(&session.machine, path, &document)?;
    }
    let text = if found.failures.is_empty() { tree(&document, arguments.all) } else { String::new() };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures: found.failures })
}
