//! `repro inspect`: everything that an image says about itself, checked from its top to the bytes of its layers.
//!
//! [`crate::source`] reads what SOURCE names, [`crate::image::validate`] checks it, `document` makes the facts into the
//! JSON document, and `text` writes the same facts for people.

pub mod document;
mod expected;
mod listing;
mod text;

use std::path::Path;

use super::arguments;
use super::report::json::ErrorDocument;
use super::report::{Document, Report};
use super::session::Session;
use crate::escape;
use crate::finding::Finding;
use crate::image::validate::{self, Closure, ImageFacts, Selection};
use crate::platform::Platform;
use crate::project::online;
use crate::source::{Bare, Blobs, Place, ReadError, Wanted};
use crate::status::{ExitStatus, Failure, Status};

use document::InspectDocument;
use expected::Expected;

/// Something that the image does against the rules.
#[derive(Debug, thiserror::Error)]
#[error("{0} ({code})", code = .0.code)]
struct Broken(Finding);

impl ExitStatus for Broken {
    fn status(&self) -> Status {
        Status::Malformed
    }
}

/// What was asked for is not in the archive.
#[derive(Debug, thiserror::Error)]
enum Absent {
    #[error("no image is called {}; there are: {}", escape::name(wanted.as_bytes()), among(known))]
    Name { wanted: String, known: Vec<String> },
    #[error("no image is for `{wanted}`; there are: {}", among(known))]
    Platform { wanted: Platform, known: Vec<String> },
}

impl ExitStatus for Absent {
    fn status(&self) -> Status {
        Status::Usage
    }
}

fn among(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// Runs the command.
pub fn run(arguments: &arguments::Inspect, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let place = Place::parse(&arguments.source, Bare::Path, &machine.directory)?;
    let registries = match place.is_registry() && !machine.offline {
        true => Some((online::registry(machine)?, machine.cache()?)),
        false => None,
    };
    let reader = online::reader(machine, registries.as_ref().map(|(registry, cache)| (registry, cache)));
    let selection = Selection { image: arguments.image.clone(), is_fast: arguments.fast, is_listed: arguments.layers };
    let check = |sums_both| -> Result<_, Failure> {
        let blobs = if arguments.fast { Blobs::NoLayers } else { Blobs::All };
        let wanted = Wanted { blobs, is_fast: arguments.fast, is_listed: arguments.layers, sums_both };
        let mut archive = reader.read(&place, wanted)?;
        let closure = validate::check(&mut archive, &selection, &machine.limits)
            .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
        Ok((archive, closure))
    };
    let (mut archive, mut closure) = check(false)?;
    if closure.needs_both_sums && reader.can_read_again(&place) {
        (archive, closure) = check(true)?;
    }
    if place.is_registry() {
        // The `index.json` that leads to it is none of the image's own documents.
        closure.documents.retain(|document| document.kind != "index.json");
        closure.documents.iter_mut().for_each(|document| document.depth = document.depth.saturating_sub(1));
    }
    let view = View { closure: &closure, shown: shown(&closure, arguments)?, arguments };
    let expected = match (&arguments.expected_image_digest, closure.findings.are_none()) {
        (Some(digest), true) => Some(Expected::compare(digest, &view)?),
        _ => None,
    };
    let status = match &expected {
        _ if !closure.findings.are_none() => Status::Malformed,
        Some(expected) if !expected.is_equal => Status::Differs,
        _ => Status::Success,
    };
    let mut failures: Vec<Failure> = Vec::new();
    for fault in &closure.findings.faults {
        failures.push(Broken(fault.clone()).into());
    }
    failures.extend(expected.iter().filter(|expected| !expected.is_equal).map(|expected| expected.failure()));
    let listings = if arguments.layers { listing::of(&view, &archive, &machine.limits)? } else { Default::default() };
    let contents = document::contents(&view, &archive, &machine.limits)?;
    let document = InspectDocument::of(&typed(&arguments.source), &view, status, expected.as_ref(), contents, listings);
    let document = InspectDocument { error: ErrorDocument::of_worst(&failures), ..document };
    let text = text::of(&document, session.quiet);
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}

/// The place as it was typed, safe to print.
fn typed(source: &Path) -> String {
    if source == Path::new("-") { "stdin".to_owned() } else { escape::name(source.as_os_str().as_encoded_bytes()) }
}

/// The part of a closure that is told.
struct View<'a> {
    closure: &'a Closure,
    /// The images that are told, by their places.
    shown: Vec<usize>,
    arguments: &'a arguments::Inspect,
}

impl View<'_> {
    fn images(&self) -> impl Iterator<Item = &ImageFacts> {
        self.shown.iter().map(|number| &self.closure.images[*number])
    }
}

/// The images that `--image` and `--platform` leave; some are only missed when nothing is wrong.
fn shown(closure: &Closure, arguments: &arguments::Inspect) -> Result<Vec<usize>, Absent> {
    let is_sound = closure.findings.are_none();
    if let Some(wanted) = &arguments.image
        && is_sound
        && closure.images.is_empty()
        && closure.tops.is_empty()
    {
        return Err(Absent::Name { wanted: wanted.clone(), known: closure.names.clone() });
    }
    let all = closure.images.iter().enumerate();
    let Some(wanted) = &arguments.platform else { return Ok(all.map(|(number, _)| number).collect()) };
    let found: Vec<usize> =
        all.filter(|(_, image)| image.platform().as_ref() == Some(wanted)).map(|(number, _)| number).collect();
    if found.is_empty() && is_sound {
        let mut known: Vec<String> =
            closure.images.iter().filter_map(|image| Some(image.platform()?.to_string())).collect();
        known.sort();
        known.dedup();
        known.truncate(20);
        let known = known.iter().map(|name| escape::text(name).into_owned()).collect();
        return Err(Absent::Platform { wanted: wanted.clone(), known });
    }
    Ok(found)
}
