//! `repro lock`: pins what manifest and Dockerfiles ask for.

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, DriftDocument, ErrorDocument, GonePin, LockChange, LockDocument};
use crate::drift::Stale;
use crate::lockfile::{Selection, Side};
use crate::project::{LockNetwork, LockOptions, Project, check, lint_line, lock, vanished};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Lock, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(&session.machine)?;
    if arguments.check {
        return report_check(&project, arguments.online, session);
    }
    let locked = lock(&session.machine, &project, &options(arguments, session))?;
    let mut text = text::lock::summary(&locked);
    text.push_str(match (locked.written, locked.differs, arguments.dry_run) {
        _ if session.quiet => "",
        (true, ..) => "wrote repro.lock\n",
        (false, true, true) => "repro.lock would change\n",
        _ => "repro.lock is up to date\n",
    });
    if let Some(line) = lint_line(&session.machine, &project, &[]) {
        session.machine.progress.note(&line);
    }
    let changes = locked.changes.iter().map(LockChange::of).collect();
    let document = LockDocument { changes, written: locked.written, ..LockDocument::empty() };
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}

fn options(arguments: &arguments::Lock, session: &Session) -> LockOptions {
    LockOptions {
        selection: match &arguments.update {
            None => Selection::None,
            Some(names) if names.is_empty() => Selection::All,
            Some(names) => Selection::Named(names.clone()),
        },
        min_age: arguments.min_age,
        side: match (arguments.ours, arguments.theirs) {
            (true, _) => Some(Side::Ours),
            (_, true) => Some(Side::Theirs),
            _ => None,
        },
        locked: session.locked,
        dry_run: arguments.dry_run,
        network: match (arguments.no_network, arguments.network_only) {
            (true, _) => LockNetwork::Nothing,
            (_, true) => LockNetwork::Only(arguments.images.clone()),
            _ => LockNetwork::Missing,
        },
        engine: arguments.engine.options(&session.machine.directory, session.is_verbose),
    }
}

fn report_check(project: &Project, is_online: bool, session: &Session) -> Result<Report, Failure> {
    let drifts = check(&session.machine, project)?;
    let drift = drifts.iter().map(DriftDocument::of).collect();
    let mut failures: Vec<Failure> = Stale::unless_empty(drifts).err().into_iter().map(Failure::from).collect();
    let mut gone = Vec::new();
    if is_online {
        let vanished = vanished(&session.machine)?;
        gone.extend(vanished.gone.into_iter().map(|(source, message)| GonePin { source, message }));
        failures.extend(vanished.failures);
    }
    let status = failures.iter().map(|failure| failure.status()).fold(Status::Success, Status::or);
    let error = ErrorDocument::of_worst(&failures);
    let document = LockDocument { status: status.code(), drift, gone, error, ..LockDocument::empty() };
    let text = match (failures.is_empty() && !session.quiet, is_online) {
        (false, _) => "",
        (true, false) => "the lockfile is up to date\n",
        (true, true) => "the lockfile is up to date, and everything that is pinned is still to be had\n",
    };
    let text = text.to_owned();
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}
