//! What upstream has now of what is locked.

use std::collections::BTreeMap;

use super::machine::Machine;
use super::online;
use super::open::Project;
use super::ready::ReadyImage;
use crate::escape;
use crate::lockfile::Pin;
use crate::resolve::{Resolver, Standing};
use crate::status::{ExitStatus, Failure, Status};

/// Upstream no longer gives what is locked.
#[derive(Debug, thiserror::Error)]
#[error("upstream no longer serves what is locked:{}", .0.iter().map(|line| format!("\n  {line}")).collect::<String>())]
struct Gone(Vec<String>);

impl ExitStatus for Gone {
    fn status(&self) -> Status {
        Status::Source
    }
}

/// An online question that `--offline` forbids.
#[derive(Debug, thiserror::Error)]
#[error("what upstream has is asked online, which `--offline` forbids")]
struct Offline;

impl ExitStatus for Offline {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// A pin, and what upstream says of it.
pub struct Asked {
    /// The pin.
    pub pin: Pin,
    /// How it stands, or why there was no response.
    pub standing: Result<Standing, Failure>,
}

/// Asks upstream for every pin of the images; 4 where one changed or vanished. Gives the mirrors that spoke for servers
/// that were not reached, by request.
pub fn check(
    machine: &Machine,
    resolver: &Resolver,
    images: &[ReadyImage<'_>],
) -> Result<BTreeMap<String, String>, Failure> {
    let mut pins: Vec<Pin> = images.iter().flat_map(|image| image.pins.iter().cloned()).collect();
    pins.sort();
    pins.dedup();
    let mut gone = Vec::new();
    let mut mirrors = BTreeMap::new();
    for (pin, standing) in pins.iter().zip(resolver.standings(&pins)) {
        let key = escape::text(&pin.key()).into_owned();
        match standing {
            Ok(standing) => {
                mirrors.extend(standing.mirror.map(|mirror| (pin.key(), mirror)));
                gone.extend(standing.missing.iter().map(|missing| format!("{key}: {missing}")));
                if let Some(newer) = standing.newer.filter(|_| standing.missing.is_empty()) {
                    machine.progress.note(&format!("{key} now resolves to {newer}"));
                }
            }
            Err(error) => gone.push(error.to_string()),
        }
    }
    if gone.is_empty() { Ok(mirrors) } else { Err(Gone(gone).into()) }
}

/// What upstream, and every mirror in its place, no longer has of what is locked.
pub struct Vanished {
    /// The pin's key, and what is missing of it; safe to print.
    pub gone: Vec<(String, String)>,
    /// What is gone as one failure, and each pin that nobody gave a response for.
    pub failures: Vec<Failure>,
}

/// Asks whether all that is locked is still to be had: indexes and each image manifest, files, commits.
pub fn vanished(machine: &Machine) -> Result<Vanished, Failure> {
    let (mut gone, mut failures) = (Vec::new(), Vec::new());
    for Asked { pin, standing } in outdated(machine)? {
        match standing {
            Ok(standing) => gone.extend(standing.missing.into_iter().map(|missing| (pin.key(), missing))),
            Err(failure) => failures.push(failure),
        }
    }
    if !gone.is_empty() {
        let line = |(key, missing): &(String, String)| format!("{}: {missing}", escape::text(key));
        failures.insert(0, Gone(gone.iter().map(line).collect()).into());
    }
    Ok(Vanished { gone, failures })
}

/// Asks upstream for every pin of the project; what gives no response is a failure of its own.
pub fn outdated(machine: &Machine) -> Result<Vec<Asked>, Failure> {
    if machine.offline {
        return Err(Offline.into());
    }
    let project = Project::open(machine)?;
    let lockfile = project.lockfile(machine)?;
    let resolver = online::resolver(machine, &project, false)?;
    let mut pins = lockfile.sources.clone();
    if let Some(buildkit) = &lockfile.buildkit {
        let (request, digest) = (buildkit.request.clone(), buildkit.digest);
        pins.push(Pin::Image { request, digest, platforms: Default::default() });
    }
    let standings = resolver.standings(&pins);
    let asked = pins.into_iter().zip(standings);
    Ok(asked.map(|(pin, standing)| Asked { pin, standing: standing.map_err(Failure::from) }).collect())
}
