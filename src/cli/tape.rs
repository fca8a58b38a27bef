//! `repro tape`: what is on the tapes, and whether it is still to be had; `tape_publish` gives it to others.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{self, TapeAction};
use super::document::ErrorDocument;
use super::job::Shop;
use super::project::Project;
use super::report::{Document, Report};
use super::session::Session;
use super::tape_publish;
use super::tape_steps;
use super::tapes;
use crate::build::of_tape;
use crate::digest::Digest;
use crate::escape;
use crate::http::Url;
use crate::manifest::Network;
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
    /// With `check`, `save` and `push`: bodies that are to be had nowhere.
    pub missing: Vec<MissingBody>,
    /// With `push`: what is in a registry now.
    pub pushed: Vec<PushedTape>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

impl TapeDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, images: Vec::new(), missing: Vec::new(), pushed: Vec::new(), error: None }
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
    /// The steps that asked for it, as the engine names them; none where this machine did not record the tape.
    pub steps: Vec<String>,
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

/// A tape whose bodies are in a registry.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PushedTape {
    /// The image.
    pub image: String,
    /// Repository and tag.
    pub reference: String,
    /// Digest of what the tag names.
    pub digest: String,
    /// Bodies that were sent; the registry had the others.
    pub sent: u64,
    /// Bytes of the bodies that were sent.
    pub sent_bytes: u64,
}

/// A tape can't be worked on.
#[derive(Debug, thiserror::Error)]
enum TapeCommandError {
    #[error("there is no image `{}` in repro.toml", escape::text(.0))]
    UnknownImage(String),
    #[error("image `{image}`: no tape that fits the lockfile")]
    Unfit { image: String },
    #[error("image `{image}` has no tape: its network is not locked")]
    Unlocked { image: String },
    #[error("{} nowhere to be had: {}", if lines.len() == 1 { "one body is".to_owned() } else { format!("{} bodies are", lines.len()) }, lines.join("; "))]
    Missing { lines: Vec<String>, status: Status },
}

impl ExitStatus for TapeCommandError {
    fn status(&self) -> Status {
        match self {
            Self::UnknownImage(_) => Status::Usage,
            Self::Unfit { .. } | Self::Unlocked { .. } => Status::Lock,
            Self::Missing { status, .. } => *status,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownImage(_) => None,
            Self::Unfit { .. } => Some("`repro lock` records it".to_owned()),
            Self::Unlocked { image } => Some(format!(
                "with `network = \"locked\"` in `[image.{image}]` of repro.toml, `repro lock` records what RUN downloads"
            )),
            Self::Missing { .. } => {
                Some("`--tape PATH|REPOSITORY` names another place; `repro lock --update` records anew".to_owned())
            }
        }
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Tape, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(session, None)?;
    let (images, places) = match &arguments.action {
        TapeAction::Show { images } => (images.as_slice(), &[][..]),
        TapeAction::Check { images, tape } | TapeAction::Save { images, tape, .. } => (images.as_slice(), &tape[..]),
        TapeAction::Push { words, tape } => (tape_publish::images(words), &tape[..]),
    };
    if let TapeAction::Save { path, .. } = &arguments.action {
        tape_publish::check_target(session, path)?;
    }
    let shop = Shop::open(session, &project)?;
    let tapes = locked(&shop, images)?;
    let targets = match &arguments.action {
        TapeAction::Push { words, .. } => tape_publish::targets(&shop, &tapes, words)?,
        _ => Vec::new(),
    };
    let documents: Vec<TapeOfImage> = tapes.iter().map(|(name, tape)| describe(&shop, name, tape)).collect();
    let mut document = TapeDocument { images: documents, ..TapeDocument::empty() };
    if let TapeAction::Show { .. } = &arguments.action {
        let text = shown(&document);
        return Ok(Report {
            status: Status::Success,
            text,
            document: Some(Document::of(&document)),
            failures: Vec::new(),
        });
    }
    if let Some(missing) = gather(&shop, &tapes, places, &mut document)? {
        document.status = missing.status().code();
        let failure = Failure::from(missing);
        document.error = Some(ErrorDocument::of(&failure));
        let status = failure.status();
        let document = Some(Document::of(&document));
        return Ok(Report { status, text: String::new(), document, failures: vec![failure] });
    }
    let text = match &arguments.action {
        TapeAction::Save { path, .. } => tape_publish::save(&shop, &tapes, path)?,
        TapeAction::Push { .. } => tape_publish::push(&shop, &targets, &mut document)?,
        _ => {
            let bodies: BTreeMap<Digest, u64> = tapes.iter().flat_map(|(_, tape)| tape.stored_bodies()).collect();
            format!("{} bodies, all in the cache now\n", bodies.len())
        }
    };
    Ok(Report { status: Status::Success, text, document: Some(Document::of(&document)), failures: Vec::new() })
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
            _ if known.get(name).is_some_and(|image| image.network != Network::Locked) => {
                return Err(TapeCommandError::Unlocked { image: name.clone() }.into());
            }
            _ => return Err(TapeCommandError::Unfit { image: name.clone() }.into()),
        }
    }
    Ok(found)
}

fn describe(shop: &Shop<'_>, name: &str, tape: &Tape) -> TapeOfImage {
    let run_env = shop.project.manifest.images.get(name).map(|image| &image.run_env);
    let variables = of_tape().filter(|injection| run_env.is_none_or(|known| !known.contains_key(&injection.variable)));
    let mut platforms = BTreeMap::new();
    let steps = tape_steps::find(shop.session, tape.digest());
    for (platform, requests) in &tape.platforms {
        let mut by_url: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in steps.get(&platform.to_string()).into_iter().flatten() {
            for url in &step.urls {
                let known = by_url.entry(url.clone()).or_default();
                if known.last() != Some(&step.name) {
                    known.push(step.name.clone());
                }
            }
        }
        let listed = requests.iter().map(|(request, recorded)| RequestOnTape {
            url: request.url.clone(),
            accept: request.accept.clone(),
            status: recorded.status,
            digest: recorded.digest.to_string(),
            size: recorded.size,
            steps: by_url.get(&request.url).cloned().unwrap_or_default(),
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
            // A request of several steps stands under each of them.
            let mut by_step: BTreeMap<Option<&str>, Vec<&RequestOnTape>> = BTreeMap::new();
            for request in requests {
                for step in &request.steps {
                    by_step.entry(Some(step)).or_default().push(request);
                }
                if request.steps.is_empty() {
                    by_step.entry(None).or_default().push(request);
                }
            }
            for (step, requests) in by_step {
                if let Some(step) = step {
                    let _ = writeln!(text, "    {}", escape::text(step));
                }
                for request in requests {
                    let (url, status, digest, size) =
                        (escape::text(&request.url), request.status, &request.digest, request.size);
                    let indent = if step.is_some() { "      " } else { "    " };
                    let _ = writeln!(text, "{indent}GET {url} {status} {digest} {size}");
                }
            }
        }
    }
    text
}

/// Takes every body into the cache, from wherever it is to be had; those that are nowhere are the error.
fn gather(
    shop: &Shop<'_>,
    tapes: &[(String, Tape)],
    places: &[String],
    document: &mut TapeDocument,
) -> Result<Option<TapeCommandError>, Failure> {
    let (mut lines, mut status) = (Vec::new(), Status::Source);
    for (name, tape) in tapes {
        let Some(image) = shop.project.manifest.images.get(name) else { continue };
        let bodies = tapes::bodies(shop, image, places)?;
        for (request, recorded) in tape.platforms.values().flatten().filter(|(_, recorded)| recorded.size > 0) {
            shop.session.cancel.check()?;
            // The tape was read, so its URLs are good.
            let Ok(url) = Url::parse(&request.url) else { continue };
            let Err(absent) = bodies.find(recorded.digest, recorded.size, &url, request.accept.as_deref()) else {
                continue;
            };
            shop.session.cancel.check()?;
            status = status.or(absent.status);
            let missing = MissingBody {
                image: name.clone(),
                url: escape::text(&request.url).into_owned(),
                digest: recorded.digest.to_string(),
                reason: absent.reason,
            };
            lines.push(format!("{} {}: {}", missing.url, missing.digest, missing.reason));
            document.missing.push(missing);
        }
    }
    Ok(Some(TapeCommandError::Missing { lines, status }).filter(|_| !document.missing.is_empty()))
}
