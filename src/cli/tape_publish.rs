//! `repro tape save` and `repro tape push`: the bodies of a tape for others.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Read};
use std::path::Path;
use std::sync::Arc;

use super::job::Shop;
use super::pushed;
use super::session::Session;
use super::tape::{PushedTape, TapeDocument};
use crate::digest::Digest;
use crate::escape;
use crate::image::{Artifact, Artifacts};
use crate::reference::Reference;
use crate::registry::OpenBlob;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{Cache, Replacement, make_folder};
use crate::tape::Tape;

/// What kind of artifact a tape's bodies are.
const ARTIFACT: &str = "application/vnd.repro.tape.v1";

/// A tape can't be given to others.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("`{0}` is there already")]
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

/// Refuses to write over what is there already; an empty folder may become a layout.
pub fn check_target(session: &Session, path: &Path) -> Result<(), Failure> {
    let target = session.resolve(path);
    let is_taken = match fs::read_dir(&target) {
        Ok(mut entries) => is_archive(path) || entries.next().is_some(),
        Err(_) => target.exists(),
    };
    if is_taken { Err(PublishError::Taken(shown(path)).into()) } else { Ok(()) }
}

/// Whether a path names an archive, and not the folder of a layout.
fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Writes what is in the cache as a layout, or as an archive of one.
pub fn save(shop: &Shop<'_>, tapes: &[(String, Tape)], path: &Path) -> Result<String, Failure> {
    if tapes.is_empty() {
        return Err(PublishError::NoTape("save").into());
    }
    let named: BTreeMap<String, Artifact> = tapes.iter().map(|(name, tape)| (name.clone(), artifact(tape))).collect();
    let open = |digest: &Digest| opened(&shop.resolver.cache, digest).map(|body| body as Box<dyn Read>);
    let artifacts = Artifacts { named: &named, open: &open };
    let fail = |error| PublishError::Write { path: shown(path), error };
    let target = shop.session.resolve(path);
    if is_archive(path) {
        let mut file = Replacement::start(&target)?;
        artifacts.write_archive(BufWriter::new(&mut file)).map_err(fail)?;
        file.finish()?;
    } else {
        make_folder(&target, |folder| artifacts.write_layout(folder)).map_err(fail)?;
    }
    let bodies: BTreeMap<&Digest, &u64> = named.values().flat_map(|artifact| &artifact.files).collect();
    Ok(format!("{} bodies in {}\n", bodies.len(), shown(path)))
}

/// A tape and where to push it.
pub struct Target {
    image: String,
    artifact: Artifact,
    reference: Reference,
    /// Whether builds look there without being told.
    is_named: bool,
}

/// The images among the words of `push`: the last word is a place if it could not be an image's name.
pub fn images(words: &[String]) -> &[String] {
    match words.split_last() {
        Some((last, images)) if last.contains(['/', ':', '@']) => images,
        _ => words,
    }
}

/// Where each tape goes.
pub fn targets(shop: &Shop<'_>, tapes: &[(String, Tape)], words: &[String]) -> Result<Vec<Target>, Failure> {
    if tapes.is_empty() {
        return Err(PublishError::NoTape("push").into());
    }
    let given = words.get(images(words).len());
    let mut targets = Vec::new();
    for (name, tape) in tapes {
        let image = shop.project.manifest.images.get(name);
        let named = image.and_then(|image| image.tape.as_ref().or(image.repository.as_ref()));
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

/// Pushes what is in the cache.
pub fn push(shop: &Shop<'_>, targets: &[Target], document: &mut TapeDocument) -> Result<String, Failure> {
    let session = shop.session;
    let cache = shop.resolver.cache.clone();
    let open: OpenBlob = Arc::new(move |digest| opened(&cache, digest));
    let mut text = String::new();
    for Target { image, artifact, reference, is_named } in targets {
        let pushed = shop.resolver.registry.push(reference, artifact, &open)?;
        session.cancel.check()?;
        pushed::remember(session, artifact.digest(), &reference.name());
        let (bodies, digest) = (artifact.files.len(), artifact.digest());
        let what = if pushed.blobs == 0 && !pushed.is_new {
            "all there already".to_owned()
        } else {
            format!("{} of them sent, {} bytes", pushed.blobs, pushed.bytes)
        };
        text.push_str(&format!("{image}: {bodies} bodies in {reference}@{digest}, {what}\n"));
        if !is_named {
            session.progress.note(&format!(
                "builds look there with `--tape {name}`, or without being told once `[image.{image}]` of repro.toml has `tape = \"{name}\"`",
                name = reference.name()
            ));
        }
        document.pushed.push(PushedTape {
            image: image.clone(),
            reference: reference.to_string(),
            digest: digest.to_string(),
            sent: pushed.blobs,
            sent_bytes: pushed.bytes,
        });
    }
    Ok(text)
}

fn opened(cache: &Cache, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
    match cache.open(digest).map_err(io::Error::other)? {
        Some(reader) => Ok(Box::new(reader)),
        None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{digest} vanished from the cache"))),
    }
}

fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}
