//! `repro vendor`: everything that builds take from outside, in one folder.

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, VendorDocument};
use crate::project::{Machine, Project, VendorOptions, vendor};
use crate::status::Failure;

/// Runs the command.
pub fn run(arguments: &arguments::Vendor, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let project = Project::open(machine)?;
    let path = arguments.check.as_ref().or(arguments.output.as_ref()).cloned().unwrap_or_default();
    let options = VendorOptions {
        images: arguments.images.clone(),
        path,
        check: arguments.check.is_some(),
        tape_places: arguments.tape.clone(),
    };
    let report = vendor(machine, &project, &options)?;
    let status = report.status();
    let document = VendorDocument::of(&report);
    let text = text::vendor::report(&document);
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(status, text) })
}

/// The surroundings of a build: with a vendor folder nothing else.
pub fn surroundings(arguments: &arguments::FromVendor, session: &Session) -> Result<Machine, Failure> {
    match &arguments.vendor {
        Some(path) => session.machine.with_vendor_only(path),
        None => Ok(session.machine.clone()),
    }
}
