//! A manifest, and claims or pins, for a build that somebody else recorded.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::files::{read_file, shown};
use super::init::{InitError, new_manifest, relative_to};
use super::machine::Machine;
use super::online;
use super::open::{LOCKFILE, Project};
use super::settle::settle;
use crate::dockerfile::{self, network};
use crate::image::validate::{self, Selection};
use crate::imports::{self, Carried, ImportError, Note, RecordedBuild};
use crate::input::open_regular;
use crate::limits::LimitExceeded;
use crate::lockfile::{Claim, Lockfile, SourceKind};
use crate::manifest::{self, Manifest};
use crate::source::{Bare, Blobs, Place, ReadError, Wanted};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// Where a build was recorded.
#[derive(Clone, Debug)]
pub enum ImportSource {
    /// An image, an archive, a bundle or a document, as it was typed.
    Image(PathBuf),
    /// A metadata file.
    Metadata(PathBuf),
    /// A source policy.
    Policy(PathBuf),
}

/// What is imported, and for what.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Where the build was recorded.
    pub source: ImportSource,
    /// The Dockerfile; none for the one that the document names.
    pub dockerfile: Option<PathBuf>,
    /// The image's name; none for the directory's.
    pub name: Option<String>,
}

/// What an import gave.
pub struct Imported {
    /// The manifest that was written.
    pub file: PathBuf,
    /// What it holds, and what it does not.
    pub carried: Carried,
    /// What the document says of the sources.
    pub pins: Vec<ImportedPin>,
    /// Whether every one of them that the Dockerfile asks for was resolved and found true.
    pub is_checked: bool,
}

/// What a document says of one source.
#[derive(Clone, Debug)]
pub struct ImportedPin {
    /// The claim.
    pub claim: Claim,
    /// What is locked for it now; none if it was not checked, or nothing asks for it.
    pub locked: Option<String>,
}

/// Nothing was imported.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("cannot read `{path}`: {error}")]
    Unreadable { path: String, error: std::io::Error },
    #[error("{from}: {error}")]
    Import { from: String, error: ImportError },
}

impl ExitStatus for Refused {
    fn status(&self) -> Status {
        match self {
            Self::Unreadable { .. } => Status::Usage,
            Self::Import { error, .. } => error.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Import { error, .. } => error.hint(),
        }
    }
}

/// Writes a manifest for a recorded build, and its claims into the lockfile: as pins where they were resolved and found
/// true, unchecked where no host may be asked. Nothing is written unless all of it can be.
pub fn import(machine: &Machine, options: &ImportOptions) -> Result<Imported, Failure> {
    let file = new_manifest(machine)?;
    let lock_path = file.with_file_name(LOCKFILE);
    let (build, from) = read(machine, &options.source)?;
    let directory = &machine.directory;
    let dockerfile = options.dockerfile.clone().unwrap_or_else(|| named(&build, directory));
    let path = machine.resolve(&dockerfile);
    if !path.is_file() {
        return Err(InitError::NoDockerfile(shown(&dockerfile)).into());
    }
    let relative = relative_to(&path, directory)?;
    let text = read_file(&path, machine.limits.dockerfile)?;
    let parsed = dockerfile::parse(&text, &machine.limits)?;
    let context = match &options.dockerfile {
        Some(_) => relative.rsplit_once('/').map_or(".", |(directory, _)| directory),
        None => ".",
    };
    let carried = imports::carry(
        &build,
        &imports::Surroundings {
            context,
            dockerfile: relative,
            dockerfile_text: &text,
            run_needs_network: network::is_needed(&parsed),
        },
    );
    let name = options.name.clone().unwrap_or_else(|| manifest::name_from(directory));
    let manifest_text = carried.table.text(&name, &carried.notes, &from);
    let parsed = Manifest::parse(&manifest_text, &file, directory)?;
    let claims: Vec<Claim> = build.claims.into_iter().collect();
    let mut lockfile = Lockfile { claims: claims.clone(), ..Lockfile::default() };
    if !machine.offline && !claims.is_empty() {
        let project =
            Project { manifest: parsed, manifest_path: Some(file.clone()), lock_path: Some(lock_path.clone()) };
        let resolver = online::resolver(machine, &project, false)?;
        lockfile = settle(machine, &project, &resolver, &lockfile, &Default::default(), None)?.lockfile;
    }
    machine.cancel.check()?;
    if !claims.is_empty() {
        replace_file(&lock_path, lockfile.to_text().as_bytes())?;
    }
    replace_file(&file, manifest_text.as_bytes())?;
    let locked = |claim: &Claim| lockfile.sources.iter().find(|pin| claim.is_of(pin)).map(crate::lockfile::Pin::result);
    let pins = claims.into_iter().map(|claim| ImportedPin { locked: locked(&claim), claim }).collect();
    Ok(Imported { file, carried, pins, is_checked: lockfile.claims.is_empty() })
}

/// The Dockerfile that the document names, if it is here.
fn named(build: &RecordedBuild, directory: &Path) -> PathBuf {
    let told = build.dockerfile.as_ref().or_else(|| build.attributes.get("filename"));
    let told = told.map(PathBuf::from).filter(|path| {
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain && directory.join(path).is_file()
    });
    told.unwrap_or_else(|| PathBuf::from("Dockerfile"))
}

/// Reads the build from where it was recorded, and says from where in the words that were typed.
pub fn read(machine: &Machine, source: &ImportSource) -> Result<(RecordedBuild, String), Failure> {
    let typed = match source {
        ImportSource::Image(typed) | ImportSource::Metadata(typed) | ImportSource::Policy(typed) => typed,
    };
    let from = shown(typed);
    let named = |error: ImportError| Failure::from(Refused::Import { from: from.clone(), error });
    let build = match source {
        ImportSource::Policy(_) => imports::read_policy(&document(machine, typed)?, &machine.limits).map_err(named)?,
        ImportSource::Metadata(_) => {
            imports::read_document(&document(machine, typed)?, &machine.limits).map_err(named)?
        }
        ImportSource::Image(_) => match place(machine, typed)? {
            Some(place) => image(machine, &place, named)?,
            None => imports::read_document(&document(machine, typed)?, &machine.limits).map_err(named)?,
        },
    };
    Ok((build, from))
}

/// Where an image is; none for a document. A file that is here comes before a reference of its name.
fn place(machine: &Machine, typed: &Path) -> Result<Option<Place>, Failure> {
    let path = machine.resolve(typed);
    let is_there = path.metadata();
    let is_file = is_there.as_ref().is_ok_and(std::fs::Metadata::is_file);
    if is_file && is_document(&path) {
        return Ok(None);
    }
    // A name like a file's that is none here is a typing error sooner than an official image of Docker Hub.
    let is_like_a_file = typed.extension().is_some_and(|extension| extension == "tar");
    Ok(Some(match is_there {
        Ok(_) => Place::Path(typed.to_owned()),
        Err(_) if is_like_a_file => Place::Path(typed.to_owned()),
        Err(_) => Place::parse(typed, Bare::Reference, &machine.directory)?,
    }))
}

/// Whether a file begins as a JSON document does.
fn is_document(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(512).read_to_end(&mut start));
    read.is_ok() && start.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte))
}

/// The bytes of a document.
fn document(machine: &Machine, typed: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |error| Refused::Unreadable { path: shown(typed), error };
    let file = open_regular(&machine.resolve(typed)).map_err(fail)?;
    let limit = machine.limits.json_bytes;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        let error = LimitExceeded { name: "json-bytes", limit, object: "document".to_owned() }.into();
        return Err(Refused::Import { from: shown(typed), error }.into());
    }
    Ok(bytes)
}

/// Reads an image and all that hangs on it, without its layers.
fn image(
    machine: &Machine,
    place: &Place,
    named: impl FnOnce(ImportError) -> Failure,
) -> Result<RecordedBuild, Failure> {
    let registries = match place.is_registry() && !machine.offline {
        true => Some((online::registry(machine)?, machine.cache()?)),
        false => None,
    };
    let reader = online::reader(machine, registries.as_ref().map(|(registry, cache)| (registry, cache)));
    let wanted = Wanted { blobs: Blobs::NoLayers, is_fast: true, is_listed: false, sums_both: false, is_kept: false };
    let mut archive = reader.read(place, wanted)?;
    let selection = Selection { is_fast: true, ..Selection::default() };
    let closure = validate::check(&mut archive, &selection, &machine.limits)
        .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
    imports::read_image(&archive, &closure, &machine.limits).map_err(named)
}

impl ImportedPin {
    /// What kind of source it is, as documents spell it.
    pub fn kind(&self) -> SourceKind {
        self.claim.kind
    }
}

impl Imported {
    /// The image's keys in the manifest.
    pub fn table(&self) -> BTreeMap<String, serde_json::Value> {
        self.carried.table.to_json()
    }

    /// What was not told, or not carried over.
    pub fn notes(&self) -> &[Note] {
        &self.carried.notes
    }
}
