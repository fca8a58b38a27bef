//! The tapes of a project, and whether their bodies are still to be had.

use std::collections::BTreeMap;

use super::super::locked::LockedProject;
use super::super::tape_file;
use super::bodies::bodies;
use super::steps;
use crate::build::of_tape;
use crate::digest::Digest;
use crate::escape;
use crate::manifest::Network;
use crate::status::{ExitStatus, Failure, Status};
use crate::tape::Tape;

/// What people are told of a tape beside what is on it.
pub struct TapeNotes {
    /// Variables that RUN is given for the tape, beside those of `run-env`.
    pub variables: BTreeMap<String, String>,
    /// By platform and URL: the steps that asked for it; none where this machine did not record the tape.
    pub steps: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// A body that no place has.
pub struct MissingBody {
    /// The image.
    pub image: String,
    /// The URL that it came from, safe to print.
    pub url: String,
    /// Its digest.
    pub digest: Digest,
    /// Where it was looked for, and what was found there.
    pub reason: String,
    /// What its absence ends a command with.
    pub status: Status,
}

/// A tape can't be worked on.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("there is no image `{}` in repro.toml", escape::text(.0))]
    UnknownImage(String),
    #[error("image `{image}`: no tape that fits the lockfile")]
    Unfit { image: String },
    #[error("image `{image}` has no tape: its network is not locked")]
    Unlocked { image: String },
}

/// Bodies are not available anywhere.
#[derive(Debug, thiserror::Error)]
#[error("{} not available anywhere: {}", if lines.len() == 1 { "one body is".to_owned() } else { format!("{} bodies are", lines.len()) }, lines.join("; "))]
pub struct Missing {
    lines: Vec<String>,
    status: Status,
}

impl Missing {
    /// An error if there is any.
    pub fn unless_empty(missing: &[MissingBody]) -> Result<(), Self> {
        let lines: Vec<String> =
            missing.iter().map(|body| format!("{} {}: {}", body.url, body.digest, body.reason)).collect();
        let status = missing.iter().fold(Status::Source, |status, body| status.or(body.status));
        if lines.is_empty() { Ok(()) } else { Err(Self { lines, status }) }
    }
}

impl ExitStatus for Missing {
    fn status(&self) -> Status {
        self.status
    }

    fn hint(&self) -> Option<String> {
        Some("`--tape PATH|REPOSITORY` names another place; `repro lock --update` records anew".to_owned())
    }
}

impl ExitStatus for ListError {
    fn status(&self) -> Status {
        match self {
            Self::UnknownImage(_) => Status::Usage,
            Self::Unfit { .. } | Self::Unlocked { .. } => Status::Lock,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownImage(_) => None,
            Self::Unfit { .. } => Some("`repro lock` records it".to_owned()),
            Self::Unlocked { image } => Some(format!(
                "with `network = \"locked\"` in `[image.{image}]` of repro.toml, `repro lock` records what RUN downloads"
            )),
        }
    }
}

/// The tapes of the images that were asked for; without names, of all that have one.
pub fn tapes(locked: &LockedProject<'_>, images: &[String]) -> Result<Vec<(String, Tape)>, Failure> {
    let known = &locked.project.manifest.images;
    if let Some(unknown) = images.iter().find(|name| !known.contains_key(*name)) {
        return Err(ListError::UnknownImage(unknown.clone()).into());
    }
    let mut found = Vec::new();
    for name in known.keys().filter(|name| images.is_empty() || images.contains(name)) {
        let digest = locked.lockfile.images.get(name).and_then(|lock| lock.tape);
        match tape_file::look(locked.machine, locked.project, name, digest)? {
            (_, Some(tape)) => found.push((name.clone(), tape)),
            (None, None) if digest.is_none() && images.is_empty() => {}
            _ if known.get(name).is_some_and(|image| image.run.network != Network::Locked) => {
                return Err(ListError::Unlocked { image: name.clone() }.into());
            }
            _ => return Err(ListError::Unfit { image: name.clone() }.into()),
        }
    }
    Ok(found)
}

/// What people are told of the tape of an image.
pub fn notes(locked: &LockedProject<'_>, name: &str, tape: &Tape) -> TapeNotes {
    let run_env = locked.project.manifest.images.get(name).map(|image| &image.run.env);
    let variables = of_tape().filter(|injection| run_env.is_none_or(|known| !known.contains_key(&injection.variable)));
    let mut steps: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (platform, told) in steps::find(locked.machine, tape.digest()) {
        let by_url = steps.entry(platform).or_default();
        for step in told {
            for url in step.urls {
                let known = by_url.entry(url).or_default();
                if known.last() != Some(&step.name) {
                    known.push(step.name.clone());
                }
            }
        }
    }
    TapeNotes { variables: variables.map(|injection| (injection.variable, injection.value)).collect(), steps }
}

/// Takes every body into the cache, from wherever it is to be had, and gives those that are nowhere.
pub fn gather(
    locked: &LockedProject<'_>,
    tapes: &[(String, Tape)],
    places: &[String],
) -> Result<Vec<MissingBody>, Failure> {
    let mut missing = Vec::new();
    for (name, tape) in tapes {
        let Some(image) = locked.project.manifest.images.get(name) else { continue };
        let bodies = bodies(locked, image, places)?;
        for (request, recorded) in tape.platforms.values().flatten().filter(|(_, recorded)| recorded.size > 0) {
            locked.machine.cancel.check()?;
            let Err(absent) = bodies.find(request, recorded) else { continue };
            locked.machine.cancel.check()?;
            missing.push(MissingBody {
                image: name.clone(),
                url: escape::text(&request.url).into_owned(),
                digest: recorded.digest,
                reason: absent.reason,
                status: absent.status,
            });
        }
    }
    Ok(missing)
}
