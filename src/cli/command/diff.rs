//! `repro diff`: why two images differ.

use super::super::arguments;
use super::super::report::json::diff_document;
use super::super::report::{Document, Report};
use super::super::session::Session;
use crate::project::{DiffOptions, diff};
use crate::render::tree;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Diff, session: &Session) -> Result<Report, Failure> {
    let options = DiffOptions {
        places: [arguments.first.clone(), arguments.second.clone()],
        platform: arguments.platform.clone(),
        is_merged: arguments.rootfs,
    };
    let found = diff(&session.machine, &options)?;
    let document = diff_document(&found);
    let status = match found.status() {
        Status::Differs if arguments.exit_zero => Status::Success,
        status => status,
    };
    let text = if found.failures.is_empty() { tree(&document, arguments.all) } else { String::new() };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures: found.failures })
}
