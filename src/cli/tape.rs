//! `repro tape`: what is on the tapes, whether it is still to be had, and writing it down for others.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{self, TapeAction};
use super::document::ErrorDocument;
use super::job::Shop;
use super::project::Project;
use super::report::{Document, Report};
use super::session::Session;
use super::tapes;
use crate::build::of_tape;
use crate::digest::Digest;
use crate::escape;
use crate::http::Url;
use crate::image::write_artifact;
use crate::status::{ExitStatus, Failure, Status};
use crate::tape::Tape;

/// What `repro tape` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TapeDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The images that have a tape.
    pub images: Vec<TapeOfImage>,
    /// With `check` and `save`: bodies that are to be had nowhere.
    pub missing: Vec<MissingBody>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

impl TapeDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, images: Vec::new(), missing: Vec::new(), error: None }
    }
}

/// One image's tape.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TapeOfImage {
    /// The image's name.
    pub image: String,
    /// Digest of the tape file.
    pub digest: String,
    /// Bytes of all bodies, each counted once.
    pub bytes: u64,
    /// Variables that RUN is given for the tape, beside those of `run-env`.
    pub variables: BTreeMap<String, String>,
    /// The requests by platform.
    pub platforms: BTreeMap<String, Vec<RequestOnTape>>,
}

/// One request and its answer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RequestOnTape {
    /// The URL.
    pub url: String,
    /// What was accepted, where the answer was chosen by it.
    pub accept: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Digest of the body.
    pub digest: String,
    /// Bytes of the body.
    pub size: u64,
}

/// A body that no place has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MissingBody {
    /// The image.
    pub image: String,
    /// The URL that it came from.
    pub url: String,
    /// Its digest.
    pub digest: String,
    /// Where it was looked for, and what was found there.
    pub reason: String,
}

/// A tape can't be worked on.
#[derive(Debug, thiserror::Error)]
enum TapeCommandError {
    #[error("there is no image `{}` in repro.toml", escape::text(.0))]
    UnknownImage(String),
    #[error("image `{image}`: no tape that fits the lockfile")]
    Unfit { image: String },
    #[error("{} nowhere to be had: {}", if .0.len() == 1 { "one body is".to_owned() } else { format!("{} bodies are", .0.len()) }, .0.join("; "))]
    Missing(Vec<String>),
    #[error("`{0}` is not empty")]
    NotEmpty(String),
    #[error("`{path}`: {error}")]
    Write { path: String, error: std::io::Error },
    #[error("`repro tape push` is not supported by this version")]
    Push,
}

impl ExitStatus for TapeCommandError {
    fn status(&self) -> Status {
        match self {
            Self::UnknownImage(_) | Self::NotEmpty(_) | Self::Write { .. } => Status::Usage,
            Self::Unfit { .. } => Status::Lock,
            Self::Missing(_) => Status::Source,
            Self::Push => Status::Engine,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unfit { .. } => Some("`repro lock` records it".to_owned()),
            Self::Missing(_) => {
                Some("`--tape FOLDER|REPOSITORY` names another place; `repro lock --update` records anew".to_owned())
            }
            Self::Push => {
                Some("`repro tape save FOLDER` writes an OCI layout, which registry tools can copy".to_owned())
            }
            _ => None,
        }
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Tape, session: &Session) -> Result<Report, Failure> {
    let (images, places) = match &arguments.action {
        TapeAction::Show { images } => (images, &[][..]),
        TapeAction::Check { images, tape } | TapeAction::Save { images, tape, .. } => (images, tape.as_slice()),
        TapeAction::Push { .. } => return Err(TapeCommandError::Push.into()),
    };
    let project = Project::open(session, None)?;
    let shop = Shop::open(session, &project)?;
    let tapes = locked(&shop, images)?;
    let documents: Vec<TapeOfImage> = tapes.iter().map(|(name, tape)| describe(&shop, name, tape)).collect();
    let mut document = TapeDocument { images: documents, ..TapeDocument::empty() };
    let text = match &arguments.action {
        TapeAction::Show { .. } => shown(&document),
        TapeAction::Check { .. } => {
            gather(&shop, &tapes, places, &mut document)?;
            format!("{} bodies, all in the cache now\n", bodies(&tapes).len())
        }
        TapeAction::Save { folder, .. } => {
            let target = session.resolve(folder);
            if fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(TapeCommandError::NotEmpty(escape::bytes(folder.as_os_str().as_encoded_bytes())).into());
            }
            gather(&shop, &tapes, places, &mut document)?;
            if document.missing.is_empty() {
                save(&shop, &tapes, &target)?;
            }
            let folder = escape::bytes(folder.as_os_str().as_encoded_bytes());
            format!("{} bodies in {folder}\n", bodies(&tapes).len())
        }
        TapeAction::Push { .. } => String::new(),
    };
    let failures: Vec<Failure> = match document.missing.as_slice() {
        [] => Vec::new(),
        missing => {
            let lines = missing.iter().map(|body| format!("{} {}: {}", body.url, body.digest, body.reason));
            vec![TapeCommandError::Missing(lines.collect()).into()]
        }
    };
    let status = if failures.is_empty() { Status::Success } else { Status::Source };
    document.status = status.code();
    document.error = failures.first().map(ErrorDocument::of);
    let text = if failures.is_empty() { text } else { String::new() };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}

/// The tapes of the images that were asked for; without names, of all that have one.
fn locked(shop: &Shop<'_>, images: &[String]) -> Result<Vec<(String, Tape)>, Failure> {
    let known = &shop.project.manifest.images;
    if let Some(unknown) = images.iter().find(|name| !known.contains_key(*name)) {
        return Err(TapeCommandError::UnknownImage(unknown.clone()).into());
    }
    let mut found = Vec::new();
    for name in known.keys().filter(|name| images.is_empty() || images.contains(name)) {
        let digest = shop.lockfile.images.get(name).and_then(|lock| lock.tape);
        match tapes::look(shop.session, shop.project, name, digest)? {
            (_, Some(tape)) => found.push((name.clone(), tape)),
            (None, None) if digest.is_none() && images.is_empty() => {}
            _ => return Err(TapeCommandError::Unfit { image: name.clone() }.into()),
        }
    }
    Ok(found)
}

fn bodies(tapes: &[(String, Tape)]) -> BTreeMap<Digest, u64> {
    tapes.iter().flat_map(|(_, tape)| tape.bodies()).filter(|(_, size)| *size > 0).collect()
}

fn describe(shop: &Shop<'_>, name: &str, tape: &Tape) -> TapeOfImage {
    let run_env = shop.project.manifest.images.get(name).map(|image| &image.run_env);
    let variables = of_tape().filter(|injection| run_env.is_none_or(|known| !known.contains_key(&injection.variable)));
    let mut platforms = BTreeMap::new();
    for (platform, requests) in &tape.platforms {
        let listed = requests.iter().map(|(request, recorded)| RequestOnTape {
            url: request.url.clone(),
            accept: request.accept.clone(),
            status: recorded.status,
            digest: recorded.digest.to_string(),
            size: recorded.size,
        });
        platforms.insert(platform.to_string(), listed.collect());
    }
    TapeOfImage {
        image: name.to_owned(),
        digest: tape.digest().to_string(),
        bytes: tape.bodies().values().sum(),
        variables: variables.map(|injection| (injection.variable, injection.value)).collect(),
        platforms,
    }
}

fn shown(document: &TapeDocument) -> String {
    let mut text = String::new();
    for image in &document.images {
        let _ = writeln!(text, "{} {}, {} bytes", escape::text(&image.image), image.digest, image.bytes);
        for (name, value) in &image.variables {
            let _ = writeln!(text, "  RUN gets {name}={value}");
        }
        for (platform, requests) in &image.platforms {
            let _ = writeln!(text, "  {platform}: {} requests", requests.len());
            for request in requests {
                let (url, status, digest, size) =
                    (escape::text(&request.url), request.status, &request.digest, request.size);
                let _ = writeln!(text, "    GET {url} {status} {digest} {size}");
            }
        }
    }
    text
}

/// Takes every body into the cache, from wherever it is to be had.
fn gather(
    shop: &Shop<'_>,
    tapes: &[(String, Tape)],
    places: &[String],
    document: &mut TapeDocument,
) -> Result<(), Failure> {
    for (name, tape) in tapes {
        let Some(image) = shop.project.manifest.images.get(name) else { continue };
        let bodies = tapes::bodies(shop, image, places)?;
        for (request, recorded) in tape.platforms.values().flatten().filter(|(_, recorded)| recorded.size > 0) {
            shop.session.cancel.check()?;
            // The tape was read, so its URLs are good.
            let Ok(url) = Url::parse(&request.url) else { continue };
            if let Err(reason) = bodies.find(recorded.digest, recorded.size, &url, request.accept.as_deref()) {
                document.missing.push(MissingBody {
                    image: name.clone(),
                    url: escape::text(&request.url).into_owned(),
                    digest: recorded.digest.to_string(),
                    reason,
                });
            }
        }
    }
    Ok(())
}

/// Writes what is in the cache as an artifact in an OCI layout.
fn save(shop: &Shop<'_>, tapes: &[(String, Tape)], folder: &Path) -> Result<(), Failure> {
    let cache = &shop.resolver.cache;
    let fail = |error| TapeCommandError::Write { path: escape::bytes(folder.as_os_str().as_encoded_bytes()), error };
    let open = |digest: &Digest| match cache.open(digest) {
        Ok(Some(reader)) => Ok(Box::new(reader) as Box<dyn std::io::Read>),
        Ok(None) => Err(std::io::ErrorKind::NotFound.into()),
        Err(error) => Err(std::io::Error::other(error)),
    };
    Ok(write_artifact(folder, "application/vnd.repro.tape.v1", &bodies(tapes), open).map_err(fail)?)
}
