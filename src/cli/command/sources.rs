//! `repro sources`: every outside source that a target needs.

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, ListedSource, SourcesDocument, SourcesError};
use crate::project::{Listing, Project, sources};
use crate::status::{Failure, Status};

/// Runs the command; an error of the Dockerfile is part of the document.
pub fn run(arguments: &arguments::Sources, session: &Session) -> Result<Report, Failure> {
    let (machine, question) = (&session.machine, &arguments.question);
    let project = Project::open_or_make(machine, question.flags().as_ref())?;
    let listings = sources(machine, &project, question.names(), &question.platforms)?;
    let mut document = SourcesDocument::empty();
    let mut text = String::new();
    let mut status = Status::Success;
    let mut failures = Vec::new();
    for Listing { frontend, frontend_pin, used, resolved_only, runs, failure } in listings {
        if let Some(frontend) = frontend {
            text::sources::line(&mut text, "frontend", &frontend, frontend_pin.as_deref(), &[]);
            document.syntax = Some(frontend);
        }
        document.exec_ops = document.exec_ops.max(runs);
        for (source, pin) in used {
            let listed = ListedSource { source, pin };
            if !document.sources.contains(&listed) {
                text::sources::show(&mut text, &listed);
                document.sources.push(listed);
            }
        }
        for (source, pin) in resolved_only {
            let listed = ListedSource { source, pin };
            if !document.resolved_only.contains(&listed) {
                document.resolved_only.push(listed);
            }
        }
        if let Some(failure) = failure {
            status = status.or(failure.status());
            document.error.get_or_insert_with(|| SourcesError::of(&failure));
            failures.push(failure);
        }
    }
    document.status = status.code();
    if status != Status::Success {
        document.sources.clear();
        document.resolved_only.clear();
    }
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}
