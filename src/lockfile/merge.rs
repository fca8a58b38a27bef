//! A lockfile with merge-conflict markers, read as two.
//!
//! Nothing moves silently and no network is needed: pins that are equal in both sides, or in one only, are kept; pins
//! that differ need a choice; records that differ are dropped. Request facts that differ are left out, so that the
//! manifest decides them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::read::is_like_a_marker;
use super::{BuildkitPin, Claim, Fact, ImageLock, Lockfile, LockfileError, Pin, Request};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::status::{ExitStatus, Status};

/// One of the two sides of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The branch that is merged into.
    Ours,
    /// The branch that is merged.
    Theirs,
}

/// A pin that the two sides have differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Key of the pin; `buildkit` for the BuildKit image, `tape of IMAGE` for a tape.
    pub key: String,
    /// What our side has.
    pub ours: String,
    /// What their side has.
    pub theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, ours, theirs } = self;
        write!(f, "{}: ours {ours}, theirs {theirs}", crate::escape::text(key))
    }
}

/// What a merge gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The facts of both sides.
    pub lockfile: Lockfile,
    /// Pins that the chosen side decided.
    pub chosen: Vec<Difference>,
    /// Images whose records were dropped; `repro build --record` makes new ones.
    pub dropped_records: Vec<String>,
}

/// Why a merge gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// One side is no lockfile.
    #[error("merge conflict, {side}: {error}")]
    Side {
        /// Which side.
        side: &'static str,
        /// What is wrong with it; lines count within that side.
        error: LockfileError,
    },
    /// The markers don't belong together.
    #[error(transparent)]
    Markers(LockfileError),
    /// Pins differ and nobody chose.
    #[error("merge conflict: {}{}", if .0.len() == 1 { "a pin differs".to_owned() } else { format!("{} pins differ", .0.len()) }, listed(.0))]
    NeedsChoice(Vec<Difference>),
}

impl ExitStatus for MergeError {
    fn status(&self) -> Status {
        match self {
            Self::Side { error, .. } | Self::Markers(error) => error.status(),
            Self::NeedsChoice(_) => Status::Lock,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Side { error, .. } | Self::Markers(error) => error.hint(),
            Self::NeedsChoice(_) => Some("run `repro lock --ours` or `repro lock --theirs`".to_owned()),
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(|difference| format!("\n  {difference}")).collect()
}

/// Reads `text`, which holds conflict markers (also those of `merge.conflictStyle=diff3`), as two lockfiles and joins them.
///
/// Without markers both sides are the same text.
pub fn merge(text: &str, prefer: Option<Side>, limits: &Limits) -> Result<Merged, MergeError> {
    let (ours, theirs) = split(text).map_err(MergeError::Markers)?;
    let ours = Lockfile::parse(&ours, limits).map_err(|error| MergeError::Side { side: "our side", error })?;
    let theirs = Lockfile::parse(&theirs, limits).map_err(|error| MergeError::Side { side: "their side", error })?;
    let mut choice = Choice { prefer, differences: Vec::new() };
    let mut lockfile = Lockfile {
        buildkit: choice.buildkit(ours.buildkit.as_ref(), theirs.buildkit.as_ref()),
        sources: choice.sources(&ours.sources, &theirs.sources),
        images: BTreeMap::new(),
        mirrors: BTreeMap::new(),
        claims: choice.claims(&ours.claims, &theirs.claims),
    };
    lockfile.join_mirrors(&ours, &theirs);
    let mut dropped_records = Vec::new();
    for name in ours.images.keys().chain(theirs.images.keys()).collect::<BTreeSet<_>>() {
        let (image, dropped) = choice.image(name, ours.images.get(name), theirs.images.get(name));
        lockfile.images.insert(name.clone(), image);
        let outdated =
            lockfile.images[name].record.as_ref().is_some_and(|record| lockfile.pins_digest(name) != Some(record.pins));
        if outdated && let Some(image) = lockfile.images.get_mut(name) {
            image.record = None;
        }
        if dropped || outdated {
            dropped_records.push(name.clone());
        }
    }
    if prefer.is_none() && !choice.differences.is_empty() {
        return Err(MergeError::NeedsChoice(choice.differences));
    }
    Ok(Merged { lockfile, chosen: choice.differences, dropped_records })
}

/// The texts of the two sides.
fn split(text: &str) -> Result<(String, String), LockfileError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Both,
        Ours,
        Base,
        Theirs,
    }
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut part = Part::Both;
    let mut opened = 0;
    for (at, line) in text.lines().enumerate() {
        let marker = |mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        let next = if marker("<<<<<<<") {
            (part == Part::Both).then_some(Part::Ours)
        } else if marker("|||||||") {
            (part == Part::Ours).then_some(Part::Base)
        } else if marker("=======") {
            matches!(part, Part::Ours | Part::Base).then_some(Part::Theirs)
        } else if marker(">>>>>>>") {
            (part == Part::Theirs).then_some(Part::Both)
        } else if is_like_a_marker(line) {
            None
        } else {
            for (side, own) in [(&mut ours, Part::Ours), (&mut theirs, Part::Theirs)] {
                if part == Part::Both || part == own {
                    side.push_str(line);
                    side.push('\n');
                }
            }
            continue;
        };
        part = next.ok_or(LockfileError::BrokenConflict { line: at + 1 })?;
        if part == Part::Ours {
            opened = at + 1;
        }
    }
    if part != Part::Both {
        return Err(LockfileError::BrokenConflict { line: opened });
    }
    Ok((ours, theirs))
}

struct Choice {
    prefer: Option<Side>,
    differences: Vec<Difference>,
}

impl Choice {
    /// The chosen one of two values that differ; ours as long as nobody chose, for the list to become complete.
    fn between<T: Clone>(&mut self, key: String, ours: (&T, String), theirs: (&T, String)) -> T {
        self.differences.push(Difference { key, ours: ours.1, theirs: theirs.1 });
        match self.prefer {
            Some(Side::Theirs) => theirs.0.clone(),
            Some(Side::Ours) | None => ours.0.clone(),
        }
    }

    fn buildkit(&mut self, ours: Option<&BuildkitPin>, theirs: Option<&BuildkitPin>) -> Option<BuildkitPin> {
        match (ours, theirs) {
            (Some(a), Some(b)) if a != b => {
                let shown = |pin: &BuildkitPin| format!("{} {}", pin.request, pin.digest);
                Some(self.between("buildkit".to_owned(), (a, shown(a)), (b, shown(b))))
            }
            (one, other) => one.or(other).cloned(),
        }
    }

    fn sources(&mut self, ours: &[Pin], theirs: &[Pin]) -> Vec<Pin> {
        let mut sources: BTreeMap<String, Pin> = ours.iter().map(|pin| (named(pin), pin.clone())).collect();
        for pin in theirs {
            let joined = match sources.get(&named(pin)) {
                None => pin.clone(),
                Some(own) => match join(own, pin) {
                    Some(joined) => joined,
                    None => {
                        let own = own.clone();
                        self.between(pin.key(), (&own, shown(&own)), (pin, shown(pin)))
                    }
                },
            };
            sources.insert(named(pin), joined);
        }
        let mut sources: Vec<Pin> = sources.into_values().collect();
        sources.sort();
        sources
    }

    fn claims(&mut self, ours: &[Claim], theirs: &[Claim]) -> Vec<Claim> {
        let place = |claim: &Claim| (claim.kind, claim.request.clone());
        let mut claims: BTreeMap<_, Claim> = ours.iter().map(|claim| (place(claim), claim.clone())).collect();
        for claim in theirs {
            let joined = match claims.get(&place(claim)) {
                Some(own) if own != claim => {
                    let own = own.clone();
                    self.between(
                        format!("claim of {}", own.request),
                        (&own, own.result.clone()),
                        (claim, claim.result.clone()),
                    )
                }
                _ => claim.clone(),
            };
            claims.insert(place(claim), joined);
        }
        claims.into_values().collect()
    }

    /// One image, and whether its record was dropped.
    fn image(&mut self, name: &str, ours: Option<&ImageLock>, theirs: Option<&ImageLock>) -> (ImageLock, bool) {
        let (ours, theirs) = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours, theirs),
            (one, other) => return (one.or(other).cloned().unwrap_or_default(), false),
        };
        let sources: BTreeSet<&String> = ours.sources.iter().chain(&theirs.sources).collect();
        let tape = match (ours.tape, theirs.tape) {
            (Some(a), Some(b)) if a != b => {
                Some(self.between(format!("tape of {name}"), (&a, a.to_string()), (&b, b.to_string())))
            }
            (a, b) => a.or(b),
        };
        let (record, dropped) = match (&ours.record, &theirs.record) {
            (Some(a), Some(b)) if a != b => (None, true),
            (a, b) => (a.clone().or_else(|| b.clone()), false),
        };
        let image = ImageLock {
            sources: sources.into_iter().cloned().collect(),
            tape,
            request: join_requests(&ours.request, &theirs.request),
            record,
        };
        (image, dropped)
    }
}

/// A pin's place: kinds are kept apart.
fn named(pin: &Pin) -> String {
    format!("{} {}", pin.kind(), pin.request())
}

fn shown(pin: &Pin) -> String {
    let children = pin.platforms().into_iter().flatten().map(|(platform, child)| format!(" {platform} {child}"));
    std::iter::once(pin.result()).chain(children).collect()
}

/// One pin with the platforms of both, if they agree in everything else.
fn join(a: &Pin, b: &Pin) -> Option<Pin> {
    if a == b {
        return Some(a.clone());
    }
    let (own, other) = (a.platforms()?, b.platforms()?);
    if a.result() != b.result() || own.iter().any(|(platform, child)| other.get(platform).is_some_and(|c| c != child)) {
        return None;
    }
    let mut joined = a.clone();
    let platforms: BTreeMap<_, Digest> =
        own.iter().chain(other).map(|(platform, child)| (platform.clone(), *child)).collect();
    match &mut joined {
        Pin::Image { platforms: slot, .. } | Pin::Layout { platforms: slot, .. } => *slot = platforms,
        Pin::Http { .. } | Pin::Git { .. } => return None,
    }
    Some(joined)
}

fn join_requests(ours: &Request, theirs: &Request) -> Request {
    let agree = |key: &String, fact: &Fact, other: &Request| other.facts.get(key) == Some(fact);
    let facts = ours.facts.iter().filter(|(key, fact)| agree(key, fact, theirs));
    Request { facts: facts.map(|(key, fact)| (key.clone(), fact.clone())).collect() }
}
