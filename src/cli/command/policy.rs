//! `repro policy`: the source policy that BuildKit gets.

use super::super::arguments;
use super::super::report::Report;
use super::super::session::Session;
use crate::project::{Project, policy};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Policy, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(&session.machine)?;
    let text = policy(&session.machine, &project, arguments.image.as_ref())?;
    Ok(Report::text(Status::Success, text))
}
