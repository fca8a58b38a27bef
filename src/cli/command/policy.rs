//! `repro policy`: the source policy that BuildKit gets, and pins of one that others wrote.

use std::fmt::Write;
use std::path::PathBuf;

use super::super::arguments;
use super::super::report::Report;
use super::super::session::Session;
use crate::document::{Document, LockChange, LockDocument};
use crate::project::{ImportedPolicy, Project, import_policy, policy};
use crate::status::{Failure, Status};
use crate::store::replace_file;

/// Runs the command.
pub fn run(arguments: &arguments::Policy, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(&session.machine)?;
    if let Some(file) = &arguments.import {
        return import(&project, file.clone(), session);
    }
    let text = policy(&session.machine, &project, arguments.image.as_ref())?;
    let Some(file) = &arguments.export else { return Ok(Report::text(Status::Success, text)) };
    replace_file(&session.machine.resolve(file), text.as_bytes())?;
    Ok(Report::text(Status::Success, String::new()))
}

fn import(project: &Project, file: PathBuf, session: &Session) -> Result<Report, Failure> {
    let ImportedPolicy { changes, notes, written, unchecked } = import_policy(&session.machine, project, file)?;
    for note in &notes {
        session.machine.progress.note(&format!("{}: {}", note.what, note.why));
    }
    let mut text: String = changes.iter().map(|change| format!("{change}\n")).collect();
    let said = match (written, unchecked) {
        (false, _) => "repro.lock is up to date".to_owned(),
        (true, 0) => "wrote repro.lock".to_owned(),
        (true, count) => format!("wrote repro.lock with {count} claims that nobody checked yet; next: `repro lock`"),
    };
    if !session.quiet {
        let _ = writeln!(text, "{said}");
    }
    let changes = changes.iter().map(LockChange::of).collect();
    let document = LockDocument { changes, written, ..LockDocument::empty() };
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}
