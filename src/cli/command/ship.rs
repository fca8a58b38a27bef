//! `repro push`, `pull`, `copy` and `list`: images between registries, archives and layouts.

use std::path::Path;

use super::super::arguments::{Copy, List, Part, Pull, Push};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, ListDocument, TransferDocument};
use crate::project::ship::{ListOptions, ShipSource, ShipTarget, TransferOptions, list as look, transfer};
use crate::reference::Reference;
use crate::source::{Bare, Place};
use crate::status::{ExitStatus, Failure, Status};

/// What was typed is no place that an image can go to.
#[derive(Debug, thiserror::Error)]
enum NoTarget {
    #[error("`{0}` is no reference of a registry")]
    Push(String),
    #[error("{0} is no place to copy to: expected `docker://REFERENCE`, an archive or a layout")]
    Copy(String),
}

impl ExitStatus for NoTarget {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs `repro push`.
pub fn push(arguments: &Push, session: &Session) -> Result<Report, Failure> {
    let directory = &session.machine.directory;
    let place = Place::parse(&arguments.source, Bare::Path, directory)?;
    let names = arguments.references.iter().map(|text| -> Result<Reference, Failure> {
        let bare = text.strip_prefix("docker://").unwrap_or(text);
        match bare.starts_with(['.', '/', '-']) {
            true => Err(NoTarget::Push(crate::escape::text(text).into_owned()).into()),
            false => Ok(bare.parse::<Reference>()?),
        }
    });
    let names = names.collect::<Result<_, _>>()?;
    ship(source(place, &arguments.part), ShipTarget::Names(names), session)
}

/// Runs `repro pull`.
pub fn pull(arguments: &Pull, session: &Session) -> Result<Report, Failure> {
    let bare = arguments.reference.strip_prefix("docker://").unwrap_or(&arguments.reference);
    let place = Place::Registry(bare.parse()?);
    ship(source(place, &arguments.part), ShipTarget::Path(arguments.output.clone()), session)
}

/// Runs `repro copy`.
pub fn copy(arguments: &Copy, session: &Session) -> Result<Report, Failure> {
    let directory = &session.machine.directory;
    let place = Place::parse(&arguments.source, Bare::Path, directory)?;
    let target = match Place::parse(&arguments.target, Bare::Path, directory)? {
        Place::Path(path) => ShipTarget::Path(path),
        Place::Registry(reference) => ShipTarget::Names(vec![reference]),
        other => return Err(NoTarget::Copy(other.to_string()).into()),
    };
    ship(source(place, &arguments.part), target, session)
}

fn ship(source: ShipSource, target: ShipTarget, session: &Session) -> Result<Report, Failure> {
    let transferred = transfer(&session.machine, &TransferOptions { source, target })?;
    let document = TransferDocument::of(&transferred);
    let text = text::ship::transfer(&document);
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}

/// Runs `repro list`.
pub fn list(arguments: &List, session: &Session) -> Result<Report, Failure> {
    let parse = |typed: &Path| Place::parse(typed, Bare::Reference, &session.machine.directory);
    let options = ListOptions {
        source: source(parse(&arguments.source)?, &arguments.part),
        shared_with: arguments.shared_with.as_deref().map(parse).transpose()?,
    };
    let document = ListDocument::of(&look(&session.machine, &options)?);
    let text = text::ship::list(&document);
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}

fn source(place: Place, part: &Part) -> ShipSource {
    let Part { platform, image, referrers } = part;
    ShipSource { place, image: image.clone(), platform: platform.clone(), with_referrers: *referrers }
}
