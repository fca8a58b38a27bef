//! `repro lock`: pins what manifest and Dockerfiles ask for.

use super::arguments;
use super::document::{DriftDocument, ErrorDocument, LockChange, LockDocument};
use super::job::Shop;
use super::online;
use super::project::{Project, ProjectError};
use super::report::{Document, Report};
use super::session::Session;
use super::tape_record;
use super::tapes;
use super::wanted::{survey_all, wanted};
use crate::drift::{self, Drift};
use crate::escape;
use crate::lockfile::{self, Change, Lockfile, LockfileError, Lookup, Pin, Selection, Side, SourceKind, Wanted};
use crate::manifest::NamedContext;
use crate::resolve::{Request, Resolved, Resolver};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// Locking stopped.
#[derive(Debug, thiserror::Error)]
enum LockError {
    #[error("`{}` is no source of this manifest", escape::text(.0))]
    UnknownSource(String),
    #[error("`--offline`: {} not pinned yet: {}", if .0.len() == 1 { "one source is" } else { "sources are" }, .0.join(", "))]
    Offline(Vec<String>),
    #[error("`--locked`: the lockfile would change")]
    Locked,
    #[error("repro.lock line {line} is not as `repro` writes it: `repro lock` would change the file")]
    Form { line: usize },
    #[error("{key}: upstream is younger than asked for: made {made}")]
    TooYoung { key: String, made: String },
    #[error("{key}: upstream does not tell its age")]
    Ageless { key: String },
    #[error("{key}: the Dockerfile demands {expected}, upstream has {found}")]
    Checksum { key: String, expected: String, found: String },
}

impl ExitStatus for LockError {
    fn status(&self) -> Status {
        match self {
            Self::UnknownSource(_) | Self::Offline(_) => Status::Usage,
            Self::Locked | Self::Form { .. } => Status::Lock,
            Self::TooYoung { .. } | Self::Ageless { .. } | Self::Checksum { .. } => Status::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownSource(_) => Some("`repro sources` lists them".to_owned()),
            Self::TooYoung { .. } | Self::Ageless { .. } => Some("without `--min-age` it is taken".to_owned()),
            Self::Locked => Some("`repro lock` without `--locked` writes it".to_owned()),
            Self::Form { .. } => Some("`repro lock` writes it in its own form; the facts in it stay".to_owned()),
            Self::Offline(_) | Self::Checksum { .. } => None,
        }
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Lock, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(session, None)?;
    if arguments.check {
        return check(session, &project);
    }
    let text = project.lock_text(session)?;
    let (old, merged) = read_old(text.as_deref(), arguments, session)?;
    let selection = match &arguments.update {
        None => Selection::None,
        Some(names) if names.is_empty() => Selection::All,
        Some(names) => Selection::Named(names.clone()),
    };
    let resolver = online::resolver(session, &project, arguments.min_age.is_some())?;
    let (mut new, mut changes) = if arguments.network_only {
        (old.clone(), Vec::new())
    } else {
        settle(session, &project, &resolver, &old, &selection, arguments.min_age)?
    };
    let tapes = if arguments.no_network {
        Vec::new()
    } else {
        let shop = Shop { session, project: &project, lockfile: new.clone(), resolver: resolver.into() };
        tape_record::record(&shop, arguments)?
    };
    for tape in &tapes {
        changes.extend(new.set_tape(&tape.image, tape.digest()));
    }
    let new_text = new.to_text();
    let differs = merged || text.as_deref() != Some(new_text.as_str());
    if differs && session.locked && !arguments.dry_run {
        return Err(LockError::Locked.into());
    }
    let mut written = false;
    if let Some(path) = project.lock_path.as_ref().filter(|_| !arguments.dry_run) {
        session.cancel.check()?;
        // A lockfile whose tape is not there yet would be stale; the other way round it is mended by locking again.
        for tape in &tapes {
            written |= tape.write(session, &project)?;
        }
        written |= replace_file(path, new_text.as_bytes())?;
    }
    let remark = match (written, differs, arguments.dry_run) {
        _ if session.quiet => "",
        (true, ..) => "wrote repro.lock\n",
        (false, true, true) => "repro.lock would change\n",
        _ => "repro.lock is up to date\n",
    };
    let mut report = report(&changes, written, remark);
    let moved: String = tapes.iter().map(tape_record::Recording::summary).collect();
    report.text.insert_str(0, &moved);
    Ok(report)
}

/// The lockfile that is there, conflicts joined; an empty one if there is none.
fn read_old(text: Option<&str>, arguments: &arguments::Lock, session: &Session) -> Result<(Lockfile, bool), Failure> {
    let Some(text) = text else { return Ok((Lockfile::default(), false)) };
    match Lockfile::parse_within(text, &session.limits) {
        Ok(lockfile) => Ok((lockfile, false)),
        Err(LockfileError::Conflict { .. }) => {
            let side = match (arguments.ours, arguments.theirs) {
                (true, _) => Some(Side::Ours),
                (_, true) => Some(Side::Theirs),
                _ => None,
            };
            let merged = lockfile::merge(text, side)?;
            for image in &merged.dropped_records {
                session.progress.note(&format!(
                    "the two sides record `{image}` differently: dropped; `repro build --record {image}` makes a new one"
                ));
            }
            Ok((merged.lockfile, true))
        }
        Err(error) => Err(error.into()),
    }
}

/// Resolves what is missing until the images ask for nothing new: base images may bring triggers and variables.
pub fn settle(
    session: &Session,
    project: &Project,
    resolver: &Resolver,
    old: &Lockfile,
    selection: &Selection,
    min_age: Option<u64>,
) -> Result<(Lockfile, Vec<Change>), Failure> {
    let mut pins: Vec<Pin> = Vec::new();
    let mut known = old.clone();
    let mut selection = selection.clone();
    loop {
        let surveyed = survey_all(session, project, &known, Some(resolver), &[])?;
        let wanted = wanted(project, &surveyed)?;
        if let Some(name) = selection.unmatched(&wanted).first()
            && pins.is_empty()
        {
            return Err(LockError::UnknownSource(name.clone()).into());
        }
        let lookups = lockfile::lookups(&known, &wanted, &selection);
        if lookups.is_empty() {
            return Ok(lockfile::update(old, &wanted, &pins));
        }
        pins.extend(resolve(session, project, resolver, &lookups, min_age)?);
        known = lockfile::update(old, &wanted, &pins).0;
        selection = Selection::None;
    }
}

fn resolve(
    session: &Session,
    project: &Project,
    resolver: &Resolver,
    lookups: &[Lookup],
    min_age: Option<u64>,
) -> Result<Vec<Pin>, Failure> {
    let online = |lookup: &&Lookup| lookup.source.kind != SourceKind::Layout;
    if session.offline && lookups.iter().any(|lookup| online(&lookup)) {
        let names = lookups.iter().filter(online).map(|lookup| escape::text(&lookup.source.request).into_owned());
        return Err(LockError::Offline(names.collect()).into());
    }
    let requests = lookups.iter().map(|lookup| request(project, lookup)).collect::<Result<Vec<_>, Failure>>()?;
    let resolved = resolver.resolve_all(&requests)?;
    let mut pins = Vec::new();
    for (lookup, Resolved { pin, made }) in lookups.iter().zip(resolved) {
        let key = escape::text(&lookup.source.request).into_owned();
        if let Some(min_age) = min_age
            && lookup.source.kind != SourceKind::Layout
        {
            let oldest = session.now.saturating_sub(min_age);
            match made.map(u64::try_from) {
                Some(Ok(made)) if made > oldest => {
                    return Err(LockError::TooYoung { key, made: crate::epoch::rfc3339(made) }.into());
                }
                Some(_) => {}
                None => return Err(LockError::Ageless { key }.into()),
            }
        }
        let pin = renamed(pin, lookup);
        if !pin.agrees_with(&lookup.source) {
            let expected = lookup.source.checksum.clone().unwrap_or_default();
            return Err(LockError::Checksum { key, expected, found: pin.result() }.into());
        }
        pins.push(pin);
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
            let contexts = project.manifest.images.values().flat_map(|image| &image.contexts);
            let layout = contexts.filter(|(name, _)| **name == source.request).find_map(|(_, context)| match context {
                NamedContext::Layout { path, selector } => Some((project.manifest.root.join(path), selector.clone())),
                _ => None,
            });
            let Some((path, selector)) = layout else {
                return Err(LockError::UnknownSource(source.request.clone()).into());
            };
            let selector = lookup.at.map(|digest| digest.to_string()).or(selector);
            Request::Layout { name: source.request.clone(), path, selector, platforms: source.platforms.clone() }
        }
        SourceKind::Http => Request::Http { url: source.request.clone() },
        SourceKind::Git => Request::Git { request: source.request.clone() },
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

fn check(session: &Session, project: &Project) -> Result<Report, Failure> {
    let text = project.lock_text(session)?.ok_or(ProjectError::NoLockfile)?;
    let lockfile = Lockfile::parse_within(&text, &session.limits)?;
    let drifts = drifts(session, project, &lockfile)?;
    if drifts.is_empty()
        && let Some(line) = lockfile.first_deviation(&text)
    {
        return Err(LockError::Form { line }.into());
    }
    let status = if drifts.is_empty() { Status::Success } else { Status::Lock };
    let drift = drifts.iter().map(describe).collect();
    let mut document = LockDocument { status: status.code(), drift, ..LockDocument::empty() };
    let mut failures: Vec<Failure> = Vec::new();
    let text = match drift::Stale::unless_empty(drifts) {
        Ok(()) if session.quiet => String::new(),
        Ok(()) => "the lockfile fits\n".to_owned(),
        Err(stale) => {
            let failure: Failure = stale.into();
            document.error = Some(ErrorDocument::of(&failure));
            failures.push(failure);
            String::new()
        }
    };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}

/// Why the lockfile does not fit the manifest, asked offline.
fn drifts(session: &Session, project: &Project, lockfile: &Lockfile) -> Result<Vec<Drift>, Failure> {
    let resolver = online::offline_resolver(session, project)?;
    let session = session.without_network();
    let surveyed = survey_all(&session, project, lockfile, resolver.as_ref(), &[])?;
    let wanted: Wanted = wanted(project, &surveyed)?;
    let mut drifts = drift::all(&wanted, lockfile);
    for image in &surveyed {
        let Some(locked) = lockfile.images.get(image.name).map(|lock| lock.tape) else { continue };
        let is_needed = tapes::is_needed(image.image, image.survey.runs);
        let (file, _) = tapes::look(&session, project, image.name, locked)?;
        drifts.extend(drift::tape(image.name, is_needed, &image.image.platforms, locked, file.as_ref()));
    }
    Ok(drifts)
}

fn describe(drift: &Drift) -> DriftDocument {
    DriftDocument { code: drift.code().to_owned(), image: drift.image().map(str::to_owned), message: drift.to_string() }
}

fn report(changes: &[Change], written: bool, remark: &str) -> Report {
    let mut text: String = changes.iter().map(|change| format!("{change}\n")).collect();
    text.push_str(remark);
    let changes = changes.iter().map(change_document).collect();
    let document = LockDocument { changes, written, ..LockDocument::empty() };
    Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) }
}

fn change_document(change: &Change) -> LockChange {
    let (source, old, new) = match change {
        Change::Added { key, new } => (key.clone(), None, Some(new.clone())),
        Change::Moved { key, old, new } => (key.clone(), Some(old.clone()), Some(new.clone())),
        Change::Removed { key, old } => (key.clone(), Some(old.clone()), None),
        Change::Platforms { key, .. } => (key.clone(), None, None),
        Change::Tape { image, old, new } => {
            (format!("tape of {image}"), old.map(|old| old.to_string()), new.map(|new| new.to_string()))
        }
        Change::Request { image, .. } | Change::ImageRemoved { image } | Change::RecordDropped { image } => {
            (image.clone(), None, None)
        }
    };
    LockChange { source, old, new, message: change.to_string() }
}
