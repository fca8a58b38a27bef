//! The tapes beside the lockfile: reading them, serving one for a build, recording one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::arguments::EngineChoice;
use super::job::{Job, Shop};
use super::project::{Project, read_text};
use super::pushed;
use super::session::Session;
use super::tape_publish;
use crate::build::TapeUse;
use crate::digest::Digest;
use crate::drift::TapeFile;
use crate::layer::tar::TarError;
use crate::lockfile::Pin;
use crate::manifest::{Image, Network};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::FileLock;
use crate::tape::{Answers, Bodies, Listen, Locked, Recorder, Replayer, Requests, Saved, Server, Tape, Trouble};

/// Troubles shown in a message.
const SHOWN: usize = 20;

/// Whether builds of an image need a tape.
pub fn is_needed(image: &Image, runs: usize) -> bool {
    image.network == Network::Locked && runs > 0
}

/// Where an image's tape stands; nowhere without a manifest.
pub fn path(project: &Project, image: &str) -> Option<PathBuf> {
    Some(project.lock_path.as_ref()?.with_file_name(Tape::file_name(image)))
}

/// The text of an image's tape, if it is there.
pub fn text(session: &Session, project: &Project, image: &str) -> Result<Option<String>, Failure> {
    match path(project, image) {
        Some(path) if path.symlink_metadata().is_ok() => Ok(Some(read_text(&path, session.limits.tape_file)?)),
        _ => Ok(None),
    }
}

/// The tape's file as `drift` looks at it, and the tape itself if it is the locked one.
pub fn look(
    session: &Session,
    project: &Project,
    image: &str,
    locked: Option<Digest>,
) -> Result<(Option<TapeFile>, Option<Tape>), Failure> {
    let Some(text) = text(session, project, image)? else { return Ok((None, None)) };
    let digest = Digest::of(text.as_bytes());
    if locked != Some(digest) {
        return Ok((Some(TapeFile { digest, platforms: BTreeSet::new() }), None));
    }
    let tape = Tape::parse(&text, &session.limits)?;
    let platforms = tape.platforms.keys().cloned().collect();
    Ok((Some(TapeFile { digest, platforms }), Some(tape)))
}

/// A build that got no further because of its tape.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Untaped {
    message: String,
    status: Status,
    hint: Option<String>,
}

impl ExitStatus for Untaped {
    fn status(&self) -> Status {
        self.status
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// The tape can't be served.
#[derive(Debug, thiserror::Error)]
enum TapeFlagError {
    #[error("the tape can't be served at `{address}`: {error}")]
    Listen { address: String, error: std::io::Error },
    #[error("no random numbers: {0}")]
    Random(std::io::Error),
    #[error("`--tape {0}` is neither a saved tape nor an image reference")]
    Place(String),
    #[error("`--tape {place}`: {error}")]
    Saved { place: String, error: TarError },
}

impl ExitStatus for TapeFlagError {
    fn status(&self) -> Status {
        match self {
            Self::Saved { error: TarError::Io(_), .. } => Status::Usage,
            Self::Saved { .. } => Status::Malformed,
            _ => Status::Usage,
        }
    }
}

/// A tape that is served while a build runs.
pub struct Served {
    server: Server,
    digest: Digest,
    behind: Behind,
    image: String,
    /// Keeps other builds with the same key waiting.
    _alone: Option<FileLock>,
}

enum Behind {
    Recorder(Arc<Recorder>),
    Replayer(Arc<Replayer>),
}

impl Served {
    /// Serves what was recorded for `platform`; none if the job needs no tape.
    ///
    /// BuildKit runs a step once that two builds ask for at the same time, and leads its requests by the policies of
    /// both, which no server answers. So an uncached build has a key of its own, as a recording has; cached builds, whose
    /// key is that of the tape, wait for each other.
    pub fn replay(
        shop: &Shop<'_>,
        job: &Job<'_>,
        platform: &Platform,
        no_cache: bool,
    ) -> Result<Option<Self>, Failure> {
        let Some(tape) = &job.tape else { return Ok(None) };
        let requests = tape.platforms.get(platform).cloned().unwrap_or_default();
        let bodies = bodies(shop, job.surveyed.image, &job.tape_places)?;
        let replayer = Arc::new(Replayer::new(bodies, locked_files(shop, &job.pins)?, requests));
        let digest = if no_cache { of_one_build()? } else { tape.digest() };
        let mut served = Self::serve(job, digest, replayer.clone(), Behind::Replayer(replayer))?;
        if !no_cache {
            let guard = shop.session.cache_folder()?.join("locks").join(format!("tape-{}", digest.hex()));
            let note = || shop.session.progress.note("waiting for another build from the same tape");
            served._alone = Some(FileLock::acquire(&guard, note)?);
        }
        Ok(Some(served))
    }

    /// Serves what the real places say, and what `kept` says of them.
    pub fn record(shop: &Shop<'_>, job: &Job<'_>, kept: Requests) -> Result<Self, Failure> {
        let bodies = bodies(shop, job.surveyed.image, &job.tape_places)?;
        let recorder = Arc::new(Recorder::new(bodies, locked_files(shop, &job.pins)?, kept));
        Self::serve(job, of_one_build()?, recorder.clone(), Behind::Recorder(recorder))
    }

    fn serve(job: &Job<'_>, digest: Digest, answers: Arc<dyn Answers>, behind: Behind) -> Result<Self, Failure> {
        let listen = job.listen.clone();
        let server = Server::start(&listen, answers)
            .map_err(|error| TapeFlagError::Listen { address: listen.address.to_string(), error })?;
        Ok(Self { server, digest, behind, image: job.surveyed.name.to_owned(), _alone: None })
    }

    /// What the plan of the build needs.
    pub fn tape_use(&self) -> TapeUse {
        let requests = match &self.behind {
            Behind::Recorder(_) => None,
            Behind::Replayer(replayer) => Some(replayer.requests()),
        };
        TapeUse { route: self.server.route().clone(), digest: self.digest, requests }
    }

    /// What was recorded; nothing when replaying.
    ///
    /// # Errors
    /// A step was given a part of an answer only: what it made of that is nothing to replay.
    pub fn recorded(&self, session: &Session) -> Result<Requests, Failure> {
        let Behind::Recorder(recorder) = &self.behind else { return Ok(Requests::new()) };
        let requests = recorder.requests(&session.cancel);
        match recorder.troubles().iter().find(|trouble| trouble.cut) {
            None => Ok(requests),
            Some(trouble) => Err(Untaped {
                message: format!("a part of {} is all that came: {}", trouble.url, trouble.reason),
                status: trouble.status,
                hint: None,
            }
            .into()),
        }
    }

    fn troubles(&self) -> Vec<Trouble> {
        match &self.behind {
            Behind::Recorder(recorder) => recorder.troubles(),
            Behind::Replayer(replayer) => replayer.troubles(),
        }
    }

    /// The failure of a build, with the requests that got no answer.
    pub fn explain(&self, failure: Failure) -> Failure {
        let troubles = self.troubles();
        if troubles.is_empty() {
            return failure;
        }
        let mut message = failure.to_string();
        let unknown = troubles.iter().filter(|trouble| trouble.reason.is_empty()).count();
        if unknown > 0 {
            message.push_str("\nthe tape has no answer to:");
        }
        let order = |trouble: &&Trouble| !trouble.reason.is_empty();
        let mut sorted: Vec<&Trouble> = troubles.iter().collect();
        sorted.sort_by_key(order);
        for (number, trouble) in sorted.iter().take(SHOWN).enumerate() {
            if number == unknown {
                message.push_str("\nno answer came from:");
            }
            let colon = if trouble.reason.is_empty() { "" } else { ": " };
            let _ = write!(message, "\n  {}{colon}{}", trouble.url, trouble.reason);
        }
        if sorted.len() > SHOWN {
            let _ = write!(message, "\n  and {} more", sorted.len() - SHOWN);
        }
        let status = troubles.iter().fold(failure.status(), |status, trouble| status.or(trouble.status));
        let lost = troubles.iter().any(|trouble| trouble.reason.contains("is not to be had"));
        let login = troubles.iter().any(|trouble| trouble.reason.contains("login") || trouble.reason.contains("token"));
        let private = troubles.iter().any(|trouble| trouble.reason.contains("is not public"));
        let hint = if unknown > 0 {
            Some(format!("`repro lock --network-only {}` records again and keeps what is on the tape", self.image))
        } else if lost {
            Some(
                "`--tape PATH|REPOSITORY` names another place that has it; `repro lock --update` records anew"
                    .to_owned(),
            )
        } else if login {
            Some("what a login gives is not written on a tape: copy the file into the context instead".to_owned())
        } else if private {
            Some("if that host is yours, name it with `[registry.\"HOST\"]` in the user configuration".to_owned())
        } else {
            None
        };
        Untaped { message, status, hint }.into()
    }

    /// Says what nobody asked for, after a build in which every step ran.
    pub fn say_unused(&self, session: &Session) {
        let Behind::Replayer(replayer) = &self.behind else { return };
        let unused = replayer.unused();
        let Some(first) = unused.first() else { return };
        let url = crate::escape::text(&first.url).into_owned();
        let rest = if unused.len() > 1 { format!(" and {} more", unused.len() - 1) } else { String::new() };
        let image = &self.image;
        session.progress.note(&format!(
            "the tape of `{image}` has what no step asked for: {url}{rest}; `repro lock --network-only {image}` leaves it out"
        ));
    }

    /// Says what got no answer in a build that went well all the same.
    pub fn say_troubles(&self, session: &Session) {
        if let Some(trouble) = self.troubles().iter().find(|trouble| !trouble.reason.is_empty()) {
            session.progress.note(&format!("no answer came from {}: {}", trouble.url, trouble.reason));
        }
    }
}

/// Says, once something is recorded, which bodies nobody else can get from this machine, and how they could.
pub fn say_private(shop: &Shop<'_>, image: &Image, name: &str, tape: &Tape) {
    let session = shop.session;
    let artifact = tape_publish::artifact(tape);
    let place = image.tape.as_ref().or(image.repository.as_ref()).and_then(|place| place.parse::<Reference>().ok());
    let repository = place.as_ref().map(Reference::name);
    if artifact.files.is_empty() || pushed::is_known(session, artifact.digest(), repository.as_deref()) {
        return;
    }
    if let (Some(place), Some(repository), false) = (&place, &repository, session.offline) {
        match shop.resolver.registry.has_manifest(&place.clone().with_digest(artifact.digest())) {
            Ok(true) => return pushed::remember(session, artifact.digest(), repository),
            Ok(false) => {}
            Err(error) => tracing::info!(%error, "not known whether the tape was pushed"),
        }
    }
    let mut bodies: BTreeMap<Digest, &str> = BTreeMap::new();
    for (request, recorded) in tape.platforms.values().flatten().filter(|(_, recorded)| recorded.size > 0) {
        bodies.entry(recorded.digest).or_insert(&request.url);
    }
    let mut lines: Vec<String> =
        bodies.iter().map(|(digest, url)| format!("  {} {digest}", crate::escape::text(url))).collect();
    lines.sort();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("  and {more} more: `repro tape show {name}`"));
    }
    let target = if place.is_some() { "" } else { " REGISTRY/REPOSITORY" };
    session.progress.note(&format!(
        "of what RUN of `{name}` downloads, {} bodies ({} bytes) are in no registry, only in this machine's cache, and at their URLs as long as these last; \
         `repro tape push {name}{target}` publishes them:\n{}",
        bodies.len(),
        artifact.bytes(),
        lines.join("\n")
    ));
}

/// A digest that no other build has.
fn of_one_build() -> Result<Digest, Failure> {
    Ok(Digest::of(crate::tape::unguessable().map_err(TapeFlagError::Random)?.as_bytes()))
}

/// Where the tape is served, as the flags say.
pub fn listen(choice: &EngineChoice) -> Listen {
    let default = Listen::default();
    Listen { address: choice.tape_listen.unwrap_or(default.address), url: choice.tape_url.clone() }
}

/// Where the bodies of an image's tape may be.
pub fn bodies(shop: &Shop<'_>, image: &Image, places: &[String]) -> Result<Bodies, Failure> {
    let mut saved = Vec::new();
    let mut registries = Vec::new();
    for place in places {
        let path = shop.session.resolve(std::path::Path::new(place));
        if path.is_dir() || path.is_file() {
            let wrong = |error| TapeFlagError::Saved { place: crate::escape::text(place).into_owned(), error };
            saved.push(Saved::open(&path, &shop.session.limits).map_err(wrong)?);
        } else {
            // A single word is a folder that is not there sooner than a repository of the default registry.
            let reference = place.parse::<Reference>().ok().filter(|_| place.contains('/'));
            registries.push(reference.ok_or_else(|| TapeFlagError::Place(crate::escape::text(place).into_owned()))?);
        }
    }
    if let Some(repository) = image.tape.as_ref().or(image.repository.as_ref()) {
        registries.extend(repository.parse::<Reference>());
    }
    Ok(Bodies::new(Arc::clone(&shop.resolver), saved, registries))
}

/// The locked files of `ADD`, ready to be handed out.
fn locked_files(shop: &Shop<'_>, pins: &[Pin]) -> Result<Locked, Failure> {
    Ok(Locked::fetch(pins, |url, digest| shop.resolver.fetch_http(url, digest))?)
}
