//! Resolving what manifest and Dockerfiles ask for, and the lockfile does not have.

use std::collections::BTreeMap;

use super::machine::Machine;
use super::open::Project;
use super::survey::{Surveyed, survey_all, wanted};
use crate::escape;
use crate::lockfile::{self, Change, Lockfile, Lookup, Pin, Selection, SourceKind, Wanted};
use crate::manifest::NamedContext;
use crate::resolve::{Request, Resolved, Resolver};
use crate::status::{ExitStatus, Failure, Status};

/// A lockfile that has all that is asked for.
pub struct Settled<'a> {
    /// The lockfile.
    pub lockfile: Lockfile,
    /// How it differs from the old one.
    pub changes: Vec<Change>,
    /// What its images ask for.
    pub surveyed: Vec<Surveyed<'a>>,
}

/// Nothing was settled.
#[derive(Debug, thiserror::Error)]
enum SettleError {
    #[error("`{}` is no source of this manifest", escape::text(.0))]
    UnknownSource(String),
    #[error("`--offline`: {} not pinned yet: {}", if .0.len() == 1 { "one source is" } else { "sources are" }, .0.join(", "))]
    Offline(Vec<String>),
    #[error("{key}: upstream is newer than `--min-age` allows: created {made}")]
    TooYoung { key: String, made: String },
    #[error("{key}: upstream does not tell its age")]
    Ageless { key: String },
    #[error("{key}: the Dockerfile demands {expected}, upstream has {found}")]
    Checksum { key: String, expected: String, found: String },
    #[error("{key}: the imported document says {claimed}, the source is {found}")]
    Claim { key: String, claimed: String, found: String },
}

impl ExitStatus for SettleError {
    fn status(&self) -> Status {
        match self {
            Self::UnknownSource(_) | Self::Offline(_) => Status::Usage,
            Self::TooYoung { .. } | Self::Ageless { .. } | Self::Checksum { .. } | Self::Claim { .. } => Status::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownSource(_) => Some("`repro sources` lists them".to_owned()),
            Self::TooYoung { .. } | Self::Ageless { .. } => Some("without `--min-age` it is taken".to_owned()),
            Self::Claim { key, .. } => Some(format!("`repro lock --update {key}` takes what is there now")),
            Self::Offline(_) | Self::Checksum { .. } => None,
        }
    }
}

/// Resolves what is missing until the images ask for nothing new: base images may bring triggers and variables.
pub fn settle<'a>(
    machine: &Machine,
    project: &'a Project,
    resolver: &Resolver,
    old: &Lockfile,
    selection: &Selection,
    min_age: Option<u64>,
) -> Result<Settled<'a>, Failure> {
    let mut pins: Vec<Pin> = Vec::new();
    let mut asked = BTreeMap::new();
    let mut known = old.clone();
    let mut selection = selection.clone();
    loop {
        let surveyed = survey_all(machine, project, &known, Some(resolver), &[])?;
        let wanted = wanted(project, &surveyed)?;
        if let Some(name) = selection.unmatched(&wanted).first()
            && pins.is_empty()
        {
            return Err(SettleError::UnknownSource(name.clone()).into());
        }
        let lookups = lockfile::lookups(&known, &wanted, &selection);
        if lookups.is_empty() {
            let (mut lockfile, mut changes) = lockfile::update(old, &wanted, &pins);
            changes.extend(lockfile.set_mirrors(old, &asked));
            tell_unused_claims(machine, old, &wanted);
            return Ok(Settled { lockfile, changes, surveyed });
        }
        for (lookup, (pin, mirror)) in
            lookups.iter().zip(resolve(machine, project, resolver, (&lookups, &wanted), min_age)?)
        {
            // Platforms that are completed come by digest.
            if lookup.at.is_none() {
                asked.insert(pin.key(), mirror);
            }
            pins.push(pin);
        }
        known = lockfile::update(old, &wanted, &pins).0;
        selection = Selection::None;
    }
}

/// Says which claims nothing asks for: they are dropped.
fn tell_unused_claims(machine: &Machine, old: &Lockfile, wanted: &lockfile::Wanted) {
    let sources: Vec<&lockfile::WantedSource> = wanted.images.values().flat_map(|image| &image.sources).collect();
    for claim in old.claims.iter().filter(|claim| !sources.iter().any(|source| claim.is_about(source))) {
        let request = escape::text(&claim.request).into_owned();
        machine.progress.note(&format!("`{request}` was imported, and nothing here asks for it"));
    }
}

fn resolve(
    machine: &Machine,
    project: &Project,
    resolver: &Resolver,
    (lookups, wanted): (&[Lookup], &Wanted),
    min_age: Option<u64>,
) -> Result<Vec<(Pin, Option<String>)>, Failure> {
    let online = |lookup: &&Lookup| lookup.source.kind != SourceKind::Layout;
    if machine.offline && lookups.iter().any(|lookup| online(&lookup)) {
        let names = lookups.iter().filter(online).map(|lookup| escape::text(&lookup.source.request).into_owned());
        return Err(SettleError::Offline(names.collect()).into());
    }
    let requests = lookups.iter().map(|lookup| request(project, lookup)).collect::<Result<Vec<_>, Failure>>()?;
    let resolved = resolver.resolve_all(&requests)?;
    let mut pins = Vec::new();
    for (lookup, Resolved { pin, made, mirror }) in lookups.iter().zip(resolved) {
        let key = escape::text(&lookup.source.request).into_owned();
        if let Some(min_age) = min_age
            && lookup.source.kind != SourceKind::Layout
        {
            let oldest = machine.now.saturating_sub(min_age);
            match made.map(u64::try_from) {
                Some(Ok(made)) if made > oldest => {
                    return Err(SettleError::TooYoung { key, made: crate::epoch::rfc3339(made) }.into());
                }
                Some(_) => {}
                None => return Err(SettleError::Ageless { key }.into()),
            }
        }
        let pin = renamed(pin, lookup);
        if let Some(claim) = lookup.claim.as_ref().filter(|claim| claim.kind != SourceKind::Git)
            && pin.result() != claim.result
        {
            return Err(SettleError::Claim { key, claimed: claim.result.clone(), found: pin.result() }.into());
        }
        if let Some(source) = wanted.sources_of(&pin.key()).find(|source| !pin.agrees_with(source)) {
            let expected = source.checksum.clone().unwrap_or_default();
            return Err(SettleError::Checksum { key, expected, found: pin.result() }.into());
        }
        pins.push((pin, mirror));
    }
    Ok(pins)
}

/// What to ask for; a pin whose platforms are completed is asked for by its digest.
fn request(project: &Project, lookup: &Lookup) -> Result<Request, Failure> {
    let source = &lookup.source;
    Ok(match source.kind {
        SourceKind::Image => {
            let mut reference: crate::reference::Reference = source.request.parse()?;
            if let Some(digest) = lookup.at {
                reference = reference.with_digest(digest);
            }
            Request::Image { reference, platforms: source.platforms.clone() }
        }
        SourceKind::Layout => {
            let contexts = project.manifest.images.values().flat_map(|image| &image.files.contexts);
            let layout = contexts.filter(|(name, _)| **name == source.request).find_map(|(_, context)| match context {
                NamedContext::Layout { path, selector } => Some((project.manifest.root.join(path), selector.clone())),
                _ => None,
            });
            let Some((path, selector)) = layout else {
                return Err(SettleError::UnknownSource(source.request.clone()).into());
            };
            let selector = lookup.at.map(|digest| digest.to_string()).or(selector);
            Request::Layout { name: source.request.clone(), path, selector, platforms: source.platforms.clone() }
        }
        SourceKind::Http => Request::Http { url: source.request.clone() },
        SourceKind::Git => match &lookup.claim {
            Some(claim) => Request::GitObject { request: source.request.clone(), object: claim.result.clone() },
            None => Request::Git { request: source.request.clone() },
        },
    })
}

/// The pin under the request that the Dockerfile makes, whatever it was asked for by.
fn renamed(pin: Pin, lookup: &Lookup) -> Pin {
    match pin {
        Pin::Image { digest, platforms, .. } => {
            Pin::Image { request: lookup.source.request.clone(), digest, platforms }
        }
        other => other,
    }
}
