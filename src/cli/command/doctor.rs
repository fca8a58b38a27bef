//! `repro doctor`: which engines are here, what they can, and what mends those that can't be used.

use super::super::arguments::Doctor;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{DoctorDocument, Document};
use crate::project::doctor;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &Doctor, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let health = doctor(machine, arguments.address(&machine.directory).as_ref())?;
    let document = Some(Document::of(&DoctorDocument::of(&health)));
    Ok(Report { document, ..Report::text(Status::Success, text::doctor::health(&health)) })
}
