//! `repro self-report`: what a bug report should say of the program and of what it works with.

use std::path::PathBuf;

use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, SelfReportDocument};
use crate::project::self_report;
use crate::status::{Failure, Status};

/// The file that runs, even where another one has taken its name since.
const RUNNING: &str = "/proc/self/exe";

/// Runs the command.
pub fn run(session: &Session) -> Result<Report, Failure> {
    let running = PathBuf::from(RUNNING);
    let program = if running.exists() { Some(running) } else { std::env::current_exe().ok() };
    let told = self_report(&session.machine, program.as_deref())?;
    let document = Some(Document::of(&SelfReportDocument::of(&told)));
    Ok(Report { document, ..Report::text(Status::Success, text::self_report::paragraph(&told)) })
}
