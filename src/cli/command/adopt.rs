//! `repro adopt`: from a Dockerfile to a record in one go.

use super::super::arguments;
use super::super::report::text::Shown;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{AdoptDocument, Document};
use crate::project::{AdoptOptions, adopt};
use crate::status::{ExitStatus, Failure, Status};

/// A flag that forbids all that the command is for.
#[derive(Debug, thiserror::Error)]
#[error("`repro adopt` writes repro.lock, which `--locked` forbids")]
struct MayNotWrite;

impl ExitStatus for MayNotWrite {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Adopt, session: &Session) -> Result<Report, Failure> {
    if session.locked {
        return Err(MayNotWrite.into());
    }
    let machine = &session.machine;
    let options = AdoptOptions {
        dockerfile: arguments.dockerfile.clone(),
        name: arguments.name.clone(),
        engine: arguments.engine.options(&machine.directory, session.is_verbose),
    };
    let adopted = adopt(machine, &options)?;
    let status = adopted.verification.status();
    let text = text::adopt::images(&adopted, machine, Shown::of(session.is_verbose, arguments.all));
    let document = AdoptDocument::of(&adopted, status);
    Ok(Report { status, text, document: Some(Document::of(&document)), failures: adopted.verification.failures })
}
