//! The bodies of a tape for others: saved in a file or directory, or pushed to a registry.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::super::files::shown;
use super::super::locked::LockedProject;
use super::super::machine::Machine;
use super::pushed;
use crate::digest::Digest;
use crate::escape;
use crate::image::write::{Sink, SinkError};
use crate::image::{Artifact, Artifacts};
use crate::reference::Reference;
use crate::registry::OpenBlob;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::Cache;
use crate::tape::Tape;

/// What kind of artifact a tape's bodies are.
const ARTIFACT: &str = "application/vnd.repro.tape.v1";

/// A tape can't be given to others.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("`{0}` already exists")]
    Taken(String),
    #[error("`{path}`: {error}")]
    Write { path: String, error: io::Error },
    #[error("`{}` is no place to push to: {reason}", escape::text(text))]
    Place { text: String, reason: String },
    #[error("no place to push the tape of `{0}` to")]
    NoPlace(String),
    #[error("there is no tape to {0}")]
    NoTape(&'static str),
    #[error("a tag names one tape, not those of {} images", .0)]
    Tag(usize),
}

impl ExitStatus for PublishError {
    fn status(&self) -> Status {
        match self {
            Self::NoTape(_) => Status::Lock,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlace(image) => Some(format!(
                "`repro tape push {image} REGISTRY/REPOSITORY`, or `tape = \"REGISTRY/REPOSITORY\"` in `[image.{image}]` of repro.toml"
            )),
            Self::NoTape(_) => {
                Some("`repro lock` records what RUN of images with `network = \"locked\"` downloads".to_owned())
            }
            _ => None,
        }
    }
}

/// The artifact of a tape's bodies.
pub fn artifact(tape: &Tape) -> Artifact {
    Artifact::new(ARTIFACT, tape.stored_bodies().collect())
}

/// Refuses to write over what is there already; an empty directory may become a layout.
pub fn check_target(machine: &Machine, path: &Path) -> Result<(), Failure> {
    let target = machine.resolve(path);
    let is_taken = match fs::read_dir(&target) {
        Ok(mut entries) => is_archive(path) || entries.next().is_some(),
        Err(_) => target.exists(),
    };
    if is_taken { Err(PublishError::Taken(shown(path)).into()) } else { Ok(()) }
}

/// Whether a path names an archive, and not the directory of a layout.
fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Writes what is in the cache as a layout, or as an archive of one; gives the number of bodies.
pub fn save(locked: &LockedProject<'_>, tapes: &[(String, Tape)], path: &Path) -> Result<usize, Failure> {
    if tapes.is_empty() {
        return Err(PublishError::NoTape("save").into());
    }
    let named: BTreeMap<String, Artifact> = tapes.iter().map(|(name, tape)| (name.clone(), artifact(tape))).collect();
    let open = |digest: &Digest| opened(&locked.resolver.cache, digest);
    let artifacts = Artifacts { named: &named, open: &open };
    let target = locked.machine.resolve(path);
    let sink = if is_archive(path) { Sink::Archive(target) } else { Sink::Layout(target) };
    sink.write(&artifacts.contents(), None).map_err(|error| match error {
        SinkError::Store(error) => Failure::from(error),
        SinkError::Write(error) => PublishError::Write { path: shown(path), error }.into(),
    })?;
    let bodies: BTreeMap<&Digest, &u64> = named.values().flat_map(|artifact| &artifact.files).collect();
    Ok(bodies.len())
}

/// A tape and where to push it.
pub struct Target {
    image: String,
    artifact: Artifact,
    reference: Reference,
    /// Whether builds look there without being told.
    is_named: bool,
}

/// Where each tape goes: to `given`, else where the manifest says.
pub fn targets(
    locked: &LockedProject<'_>,
    tapes: &[(String, Tape)],
    given: Option<&String>,
) -> Result<Vec<Target>, Failure> {
    if tapes.is_empty() {
        return Err(PublishError::NoTape("push").into());
    }
    let mut targets = Vec::new();
    for (name, tape) in tapes {
        let image = locked.project.manifest.images.get(name);
        let named = image.and_then(|image| image.publication.tape.as_ref().or(image.publication.repository.as_ref()));
        let text = given.or(named).ok_or_else(|| PublishError::NoPlace(name.clone()))?;
        let wrong = |reason: String| PublishError::Place { text: text.clone(), reason };
        let mut reference: Reference =
            text.parse().map_err(|error: crate::reference::InvalidReference| wrong(error.to_string()))?;
        if reference.digest().is_some() {
            return Err(wrong("expected a repository, or one with a tag".to_owned()).into());
        }
        let artifact = artifact(tape);
        let is_named = named
            .and_then(|named| named.parse::<Reference>().ok())
            .is_some_and(|named| named.name() == reference.name());
        if reference.tag().is_none() {
            // Named by its content, so that no push takes the name from another tape, whose bodies a registry may then drop.
            let tag = format!("{name}-{}", &artifact.digest().hex()[..16]);
            reference =
                format!("{}:{tag}", reference.name()).parse().map_err(|_| wrong("expected a repository".to_owned()))?;
        } else if tapes.len() > 1 {
            return Err(PublishError::Tag(tapes.len()).into());
        }
        targets.push(Target { image: name.clone(), artifact, reference, is_named });
    }
    Ok(targets)
}

/// A tape whose bodies are in a registry.
pub struct Pushed {
    /// The image.
    pub image: String,
    /// Repository and tag.
    pub reference: Reference,
    /// Digest of what the tag names.
    pub digest: Digest,
    /// Bodies of the tape.
    pub bodies: usize,
    /// Bodies that were sent; the registry had the others.
    pub sent: u64,
    /// Bytes of the bodies that were sent.
    pub sent_bytes: u64,
    /// Whether the registry did not have the tape before.
    pub is_new: bool,
}

/// Pushes what is in the cache.
pub fn push(locked: &LockedProject<'_>, targets: &[Target]) -> Result<Vec<Pushed>, Failure> {
    let machine = locked.machine;
    let cache = locked.resolver.cache.clone();
    let open: OpenBlob = Arc::new(move |digest| opened(&cache, digest));
    let mut all = Vec::new();
    for Target { image, artifact, reference, is_named } in targets {
        let pushed = locked.resolver.registry.push(reference, artifact, &open)?;
        machine.cancel.check()?;
        pushed::remember(machine, artifact.digest(), &reference.name());
        if pushed.digest.is_some() {
            machine.progress.note(&format!(
                "`{}` takes no artifacts: the bodies are there as an image that is for no machine",
                reference.name()
            ));
        }
        if !is_named {
            machine.progress.note(&format!(
                "builds look there with `--tape {name}`, or without being told once `[image.{image}]` of repro.toml has `tape = \"{name}\"`",
                name = reference.name()
            ));
        }
        all.push(Pushed {
            image: image.clone(),
            reference: reference.clone(),
            digest: pushed.digest.unwrap_or_else(|| artifact.digest()),
            bodies: artifact.files.len(),
            sent: pushed.blobs,
            sent_bytes: pushed.bytes,
            is_new: pushed.is_new,
        });
    }
    Ok(all)
}

fn opened(cache: &Cache, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
    match cache.open(digest).map_err(io::Error::other)? {
        Some(reader) => Ok(Box::new(reader)),
        None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{digest} vanished from the cache"))),
    }
}
