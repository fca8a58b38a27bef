//! `repro init`: a manifest for the Dockerfile that is there.

use super::super::arguments::Init;
use super::super::report::Report;
use super::super::session::Session;
use crate::document::{Document, InitDocument};
use crate::project::{Initialised, init, shown};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &Init, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let Initialised { file, written } = init(machine, &arguments.dockerfile, arguments.name.as_deref())?;
    let near = shown(&machine.near(&file));
    let text = match written {
        _ if session.quiet => String::new(),
        true => format!("wrote {near}; next: `repro lock`\n"),
        false => format!("{near} already exists and was kept\n"),
    };
    let document = InitDocument { version: 1, status: 0, manifest: shown(&file), written, error: None };
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}
