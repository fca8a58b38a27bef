//! `repro init`: a manifest for the Dockerfile that is there, or for a build that was recorded.

use super::super::arguments::Init;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, InitDocument, NoteDocument};
use crate::project::{ImportOptions, ImportSource, Initialised, import, init, request, shown};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &Init, session: &Session) -> Result<Report, Failure> {
    if let Some(wanted) = arguments.request() {
        let requested = request(&session.machine, &wanted, arguments.name.as_deref())?;
        let text = if session.quiet { String::new() } else { text::request(&requested, &session.machine) };
        let document = Document::of(&InitDocument::of_request(&requested));
        return Ok(Report { document: Some(document), ..Report::text(Status::Success, text) });
    }
    if let Some(source) = arguments.import() {
        return from(arguments, source, session);
    }
    let machine = &session.machine;
    let Initialised { file, written, notes } =
        init(machine, arguments.dockerfile.as_deref(), arguments.name.as_deref())?;
    let near = shown(&machine.near(&file));
    let text = match written {
        _ if session.quiet => String::new(),
        true => format!("{}wrote {near}; next: `repro lock`\n", text::notes(&notes)),
        false => format!("{near} already exists and was kept\n"),
    };
    let notes = notes.iter().map(NoteDocument::of).collect();
    let document = InitDocument { written, notes, ..InitDocument::of(&file) };
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}

fn from(arguments: &Init, source: ImportSource, session: &Session) -> Result<Report, Failure> {
    let (dockerfile, name) = (arguments.dockerfile.clone(), arguments.name.clone());
    let imported = import(&session.machine, &ImportOptions { source, dockerfile, name })?;
    let text = if session.quiet { String::new() } else { text::import(&imported, &session.machine) };
    let document = Document::of(&InitDocument::of_import(&imported));
    Ok(Report { document: Some(document), ..Report::text(Status::Success, text) })
}
