//! `repro delta`: what an image has that others lack, in one file, and back.

use super::super::arguments::{self, DeltaAction};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{DeltaDocument, Document};
use crate::project::delta::{self, ApplyOptions, ApplyTarget, DeltaFile, DeltaOptions};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Delta, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let facts = match &arguments.action {
        DeltaAction::Create { images, output } => {
            let (bases, target) = (images.bases.clone(), images.target.clone());
            delta::create(machine, &DeltaOptions { bases, target, output: Some(output.clone()) })?
        }
        DeltaAction::Plan { images } => {
            let (bases, target) = (images.bases.clone(), images.target.clone());
            delta::create(machine, &DeltaOptions { bases, target, output: None })?
        }
        DeltaAction::Show { delta } => delta::show(machine, delta)?,
        DeltaAction::Apply { delta, from_ddiff, bases, output, push } => {
            let target = match (output, push) {
                (_, Some(name)) => ApplyTarget::Registry(name.strip_prefix("docker://").unwrap_or(name).parse()?),
                (output, None) => ApplyTarget::Path(output.clone().unwrap_or_default()),
            };
            let delta = match (from_ddiff, delta) {
                (Some(archive), _) => DeltaFile::Ddiff(archive.clone()),
                (None, delta) => DeltaFile::Delta(delta.clone().unwrap_or_default()),
            };
            delta::apply(machine, &ApplyOptions { delta, bases: bases.clone(), target })?
        }
    };
    let document = DeltaDocument::of(&facts);
    let text = text::delta::facts(&document);
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}
