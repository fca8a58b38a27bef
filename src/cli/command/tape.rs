//! `repro tape`: what is on the tapes, whether it is still to be had, and how others get it.

use std::collections::BTreeMap;

use super::super::arguments::{self, TapeAction};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::digest::Digest;
use crate::document::{Document, ErrorDocument, MissingBody, PushedTape, TapeDocument, TapeOfImage};
use crate::project::tape::{self, Missing};
use crate::project::{LockedProject, Project, shown};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Tape, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let project = Project::open(machine)?;
    let (images, places) = match &arguments.action {
        TapeAction::Show { images } => (images.as_slice(), &[][..]),
        TapeAction::Check { images, tape } | TapeAction::Save { images, tape, .. } => (images.as_slice(), &tape[..]),
        TapeAction::Push { words, tape } => (images_of(words), &tape[..]),
    };
    if let TapeAction::Save { path, .. } = &arguments.action {
        tape::check_target(machine, path)?;
    }
    let locked = LockedProject::open(machine, &project)?;
    let tapes = tape::tapes(&locked, images)?;
    let targets = match &arguments.action {
        TapeAction::Push { words, .. } => tape::targets(&locked, &tapes, words.get(images.len()))?,
        _ => Vec::new(),
    };
    let listed = tapes.iter().map(|(name, tape)| TapeOfImage::of(name, tape, tape::notes(&locked, name, tape)));
    let mut document = TapeDocument { images: listed.collect(), ..TapeDocument::empty() };
    if let TapeAction::Show { .. } = &arguments.action {
        return Ok(report(text::tape::listing(&document), &document));
    }
    let missing = tape::gather(&locked, &tapes, places)?;
    document.missing = missing.iter().map(MissingBody::of).collect();
    if let Err(missing) = Missing::unless_empty(&missing) {
        let failure = Failure::from(missing);
        let status = failure.status();
        document.status = status.code();
        document.error = Some(ErrorDocument::of(&failure));
        return Ok(Report { status, failures: vec![failure], ..report(String::new(), &document) });
    }
    let text = match &arguments.action {
        TapeAction::Save { path, .. } => {
            format!("{} bodies in {}\n", tape::save(&locked, &tapes, path)?, shown(path))
        }
        TapeAction::Push { .. } => {
            let pushed = tape::push(&locked, &targets)?;
            document.pushed = pushed.iter().map(PushedTape::of).collect();
            text::tape::pushed(&pushed)
        }
        TapeAction::Show { .. } | TapeAction::Check { .. } => {
            let bodies: BTreeMap<Digest, u64> = tapes.iter().flat_map(|(_, tape)| tape.stored_bodies()).collect();
            format!("{} bodies, all in the cache now\n", bodies.len())
        }
    };
    Ok(report(text, &document))
}

/// The images among the words of `push`: the last word is a place if it could not be an image's name.
fn images_of(words: &[String]) -> &[String] {
    match words.split_last() {
        Some((last, images)) if last.contains(['/', ':', '@']) => images,
        _ => words,
    }
}

fn report(text: String, document: &TapeDocument) -> Report {
    Report { document: Some(Document::of(document)), ..Report::text(Status::Success, text) }
}
