//! Serving a tape while a build runs, to replay it or to record it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::engines::EngineOptions;
use super::super::locked::LockedProject;
use super::super::machine::Machine;
use super::super::ready::ReadyImage;
use super::bodies::bodies;
use super::untaped::{Untaped, with_troubles};
use crate::build::TapeUse;
use crate::digest::Digest;
use crate::escape;
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::FileLock;
use crate::tape::{
    Listen, Locked, Outcome, Recorder, Replayer, Requests, Responses, Route, Server, Tape, Trouble, unguessable,
};

/// The tape can't be served.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the tape can't be served at `{address}`: {error}")]
    Listen { address: String, error: std::io::Error },
    #[error("no random numbers: {0}")]
    Random(std::io::Error),
}

impl ExitStatus for ServeError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// A tape that is served while a build runs.
pub struct Served {
    server: Server,
    digest: Digest,
    behind: Behind,
    locked: Locked,
    image: String,
    /// Keeps other builds with the same key waiting.
    _alone: Option<FileLock>,
}

enum Behind {
    Recorder(Arc<Recorder>),
    Replayer(Arc<Replayer>),
}

impl Behind {
    fn responses(&self) -> Arc<dyn Responses> {
        match self {
            Self::Recorder(recorder) => recorder.clone(),
            Self::Replayer(replayer) => replayer.clone(),
        }
    }
}

/// What a plan has of the tape of an image that is not built; none if the image needs no tape.
///
/// Nothing is served: the port, unless it was given, and the token are those of no run.
pub fn planned(
    ready: &ReadyImage<'_>,
    platform: &Platform,
    options: &EngineOptions,
    no_cache: bool,
) -> Result<Option<TapeUse>, Failure> {
    let Some(tape) = &ready.tape else { return Ok(None) };
    let Listen { address, url } = &options.listen;
    let origin = url.clone().unwrap_or_else(|| format!("http://{address}"));
    let token = unguessable().map_err(ServeError::Random)?;
    let requests = tape.platforms.get(platform).cloned().unwrap_or_default();
    let digest = key(tape, no_cache)?;
    let route = Route::at(&origin, &token);
    Ok(Some(TapeUse { route, digest, requests: Some(Arc::new(requests)), responses: None }))
}

impl Served {
    /// Serves what was recorded for `platform`; none if the image needs no tape.
    ///
    /// BuildKit runs a step once that two builds ask for at the same time, and leads its requests by the policies of
    /// both, which no server answers. So an uncached build has a key of its own, as a recording has; cached builds, whose
    /// key is that of the tape, wait for each other.
    pub fn replay(
        locked: &LockedProject<'_>,
        ready: &ReadyImage<'_>,
        platform: &Platform,
        options: &EngineOptions,
        no_cache: bool,
    ) -> Result<Option<Self>, Failure> {
        let Some(tape) = &ready.tape else { return Ok(None) };
        let requests = tape.platforms.get(platform).cloned().unwrap_or_default();
        let bodies = bodies(locked, ready.surveyed.image, &options.tape_places)?;
        let gone = bodies.gather(&requests);
        locked.machine.cancel.check()?;
        if !gone.is_empty() {
            let image = escape::text(ready.surveyed.name);
            let start = Untaped::of_requests(format!("the tape of `{image}` can't be replayed: bodies are missing"));
            return Err(with_troubles(start, &gone, ready.surveyed.name));
        }
        let files = locked_files(locked, &ready.pins)?;
        let replayer = Arc::new(Replayer::new(bodies, files.clone(), requests));
        let digest = key(tape, no_cache)?;
        let mut served = Self::serve(ready, options, digest, files, Behind::Replayer(replayer))?;
        if !no_cache {
            let guard = locked.machine.cache_directory()?.join("locks").join(format!("tape-{}", digest.hex()));
            let note = || locked.machine.progress.note("waiting for another build from the same tape");
            served._alone = Some(FileLock::acquire(&guard, note)?);
        }
        Ok(Some(served))
    }

    /// Serves what the real places say, and what `kept` says of them.
    pub fn record(
        locked: &LockedProject<'_>,
        ready: &ReadyImage<'_>,
        options: &EngineOptions,
        kept: Requests,
    ) -> Result<Self, Failure> {
        let bodies = bodies(locked, ready.surveyed.image, &options.tape_places)?;
        let files = locked_files(locked, &ready.pins)?;
        let recorder = Arc::new(Recorder::new(bodies, files.clone(), kept));
        Self::serve(ready, options, of_one_build()?, files, Behind::Recorder(recorder))
    }

    fn serve(
        ready: &ReadyImage<'_>,
        options: &EngineOptions,
        digest: Digest,
        locked: Locked,
        behind: Behind,
    ) -> Result<Self, Failure> {
        let listen = options.listen.clone();
        let server = Server::start(&listen, behind.responses())
            .map_err(|error| ServeError::Listen { address: listen.address.to_string(), error })?;
        Ok(Self { server, digest, behind, locked, image: ready.surveyed.name.to_owned(), _alone: None })
    }

    /// What the plan of the build needs.
    pub fn tape_use(&self) -> TapeUse {
        let requests = match &self.behind {
            Behind::Recorder(_) => None,
            Behind::Replayer(replayer) => Some(replayer.requests()),
        };
        let responses = Some(self.behind.responses());
        TapeUse { route: self.server.route().clone(), digest: self.digest, requests, responses }
    }

    /// What was recorded; nothing when replaying.
    ///
    /// # Errors
    /// A step was given a part of a response only, or none that a tape can hold: what it made of that is nothing to replay.
    pub fn recorded(&self, machine: &Machine, asked: &BTreeMap<String, u64>) -> Result<Requests, Failure> {
        let Behind::Recorder(recorder) = &self.behind else { return Ok(Requests::new()) };
        let requests = recorder.requests(&machine.cancel);
        if let Some(trouble) = recorder.troubles().iter().find(|trouble| trouble.outcome == Outcome::Cut) {
            let message = format!("only a part of {} arrived: {}", trouble.url, trouble.reason);
            return Err(Untaped { message, status: trouble.status, hint: None }.into());
        }
        self.check(asked)?;
        Ok(requests)
    }

    /// Ends a build that went well for its steps, although they did not get what they asked for.
    ///
    /// `asked` is what the engine knows of the steps' requests, by whatever method.
    pub fn check(&self, asked: &BTreeMap<String, u64>) -> Result<(), Failure> {
        let mut troubles = self.troubles();
        troubles.retain(Trouble::ends_the_build);
        // A file of `ADD` is asked for by BuildKit itself, in its own ways.
        let missed = self.server.missed(asked).into_iter().filter(|url| !self.locked.has(url));
        troubles.extend(missed.map(|url| Trouble::refused_on_its_way(&url)));
        if troubles.is_empty() {
            return Ok(());
        }
        let image = escape::text(&self.image);
        let start = match self.behind {
            Behind::Recorder(_) => {
                format!("a step of `{image}` went on without an answer, which another build may get")
            }
            Behind::Replayer(_) => format!("a step of `{image}` went on without what it asked for"),
        };
        Err(with_troubles(Untaped::of_requests(start), &troubles, &self.image))
    }

    fn troubles(&self) -> Vec<Trouble> {
        match &self.behind {
            Behind::Recorder(recorder) => recorder.troubles(),
            Behind::Replayer(replayer) => replayer.troubles(),
        }
    }

    /// The failure of a build, with the requests that got no response.
    pub fn explain(&self, failure: Failure) -> Failure {
        match self.troubles() {
            troubles if troubles.is_empty() => failure,
            troubles => with_troubles(failure, &troubles, &self.image),
        }
    }

    /// Says what nobody asked for, after a build in which every step ran.
    pub fn say_unused(&self, machine: &Machine) {
        let Behind::Replayer(replayer) = &self.behind else { return };
        let unused = replayer.unused();
        let Some(first) = unused.first() else { return };
        let url = escape::text(&first.url).into_owned();
        let rest = if unused.len() > 1 { format!(" and {} more", unused.len() - 1) } else { String::new() };
        let image = &self.image;
        machine.progress.note(&format!(
            "the tape of `{image}` has what no step asked for: {url}{rest}; `repro lock --network-only {image}` leaves it out"
        ));
    }

    /// Says what got no response in a build that went well all the same.
    pub fn say_troubles(&self, machine: &Machine) {
        if let Some(trouble) = self.troubles().iter().find(|trouble| !trouble.reason.is_empty()) {
            machine.progress.note(&format!(
                "no response came from {}: {}; the tape holds that, and every build is told the same",
                trouble.url, trouble.reason
            ));
        }
    }
}

/// What a build from `tape` is known by: an uncached one has a key of its own.
fn key(tape: &Tape, no_cache: bool) -> Result<Digest, Failure> {
    if no_cache { of_one_build() } else { Ok(tape.digest()) }
}

/// A digest that no other build has.
fn of_one_build() -> Result<Digest, Failure> {
    Ok(Digest::of(unguessable().map_err(ServeError::Random)?.as_bytes()))
}

/// The locked files of `ADD`, ready to be handed out.
fn locked_files(locked: &LockedProject<'_>, pins: &[Pin]) -> Result<Locked, Failure> {
    Ok(Locked::fetch(pins, |url, digest| locked.resolver.fetch_http(url, digest))?)
}
