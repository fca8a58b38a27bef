//! Everything that an image says about itself, checked from its top to the bytes of its layers.
//!
//! [`crate::source`] reads it, [`crate::image::validate`] checks it.

use std::path::PathBuf;

use super::expected::Expected;
use super::machine::Machine;
use super::online;
use crate::digest::AnyDigest;
use crate::escape;
use crate::finding::Finding;
use crate::image::archive::Archive;
use crate::image::validate::{self, Closure, ImageFacts, Selection};
use crate::layer::Listed;
use crate::platform::Platform;
use crate::source::{Bare, Blobs, Place, ReadError, Wanted};
use crate::status::{ExitStatus, Failure, Status};

/// What is looked at.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// Where the image is, as it was typed.
    pub source: PathBuf,
    /// The only image that counts, by name.
    pub image: Option<String>,
    /// The platform whose image is told, and compared.
    pub platform: Option<Platform>,
    /// The digest that the image should have.
    pub expected: Option<AnyDigest>,
    /// Keep the entries of the layers.
    pub is_listed: bool,
    /// Leave the layers unread.
    pub is_fast: bool,
}

/// An image that was read and checked.
pub struct Inspection {
    /// The image's bytes.
    pub archive: Archive,
    /// What was found in it.
    pub closure: Closure,
    /// The images that are told, by their places.
    pub shown: Vec<usize>,
    /// How it compares with the expected digest; nothing where something is wrong with it.
    pub expected: Option<Expected>,
    /// Whether the layers were left unread.
    pub is_fast: bool,
}

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

impl Inspection {
    /// The images that are told.
    pub fn images(&self) -> impl Iterator<Item = &ImageFacts> {
        self.shown.iter().map(|number| &self.closure.images[*number])
    }

    /// What the check comes to.
    pub fn status(&self) -> Status {
        match &self.expected {
            _ if !self.closure.findings.are_none() => Status::Malformed,
            Some(expected) if !expected.is_equal => Status::Differs,
            _ => Status::Success,
        }
    }

    /// All that is wrong.
    pub fn failures(&self) -> Vec<Failure> {
        let broken = self.closure.findings.violations.iter().map(|violation| Broken(violation.clone()).into());
        let different = self.expected.iter().filter(|expected| !expected.is_equal).map(Expected::failure);
        broken.chain(different).collect()
    }
}

/// Reads the image and checks it.
pub fn inspect(machine: &Machine, options: &InspectOptions) -> Result<Inspection, Failure> {
    let InspectOptions { is_fast, is_listed, .. } = *options;
    let place = Place::parse(&options.source, Bare::Path, &machine.directory)?;
    let registries = match place.is_registry() && !machine.offline {
        true => Some((online::registry(machine)?, machine.cache()?)),
        false => None,
    };
    let reader = online::reader(machine, registries.as_ref().map(|(registry, cache)| (registry, cache)));
    let listed = if is_listed { Listed::Headers } else { Listed::Nothing };
    let selection = Selection { image: options.image.clone(), is_fast, listed };
    let check = |sums_both| -> Result<_, Failure> {
        let blobs = if is_fast { Blobs::NoLayers } else { Blobs::All };
        let mut archive = reader.read(&place, Wanted { blobs, is_fast, is_listed, sums_both, is_kept: false })?;
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
    let shown = shown(&closure, options)?;
    let expected = match (&options.expected, closure.findings.are_none()) {
        (Some(digest), true) => Some(Expected::compare(digest, &closure, &shown, options.platform.is_some())?),
        _ => None,
    };
    Ok(Inspection { archive, closure, shown, expected, is_fast })
}

/// The images that name and platform leave; some are only missed when nothing is wrong.
fn shown(closure: &Closure, options: &InspectOptions) -> Result<Vec<usize>, Absent> {
    let is_sound = closure.findings.are_none();
    if let Some(wanted) = &options.image
        && is_sound
        && closure.images.is_empty()
        && closure.tops.is_empty()
    {
        return Err(Absent::Name { wanted: wanted.clone(), known: closure.names.clone() });
    }
    let all = closure.images.iter().enumerate();
    let Some(wanted) = &options.platform else { return Ok(all.map(|(number, _)| number).collect()) };
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
