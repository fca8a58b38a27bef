//! One image made ready to be built: fresh pins, the tree, whether the tree is the recorded one, the epoch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::locked::LockedProject;
use super::machine::Machine;
use super::open::Project;
use super::recipe::check_paths;
use super::survey::{Surveyed, platforms, wanted};
use super::tape_file;
use crate::build::{BuildTree, ImageForm, Inputs, Parameters, Plan, ReachedPaths, RunSurroundings, TapeUse};
use crate::context;
use crate::drift::{self, Drift, TreeFacts};
use crate::epoch::Epoch;
use crate::explain::Instructions;
use crate::git;
use crate::lockfile::{Lockfile, Pin, Record, WantedSource};
use crate::manifest::{EpochSource, Network};
use crate::platform::Platform;
use crate::scrub::{Rule, RuleError};
use crate::status::{ExitStatus, Failure, Status};
use crate::tape::Tape;

/// What of the images is made ready, and with what.
#[derive(Clone, Copy)]
pub struct ReadyOptions<'a> {
    /// The platforms that were asked for; none for all.
    pub platforms: &'a [Platform],
    /// Secrets that were given: id and file.
    pub secrets: &'a [(String, PathBuf)],
    /// Whether the tapes that they need must be there; not so while these are recorded.
    pub with_tapes: bool,
    /// Whether nothing is built of a tree that is not the recorded one, so that it needs no epoch of its own.
    pub only_recorded: bool,
}

/// An image that is ready to be built.
pub struct ReadyImage<'a> {
    /// The image and what it asks for.
    pub surveyed: Surveyed<'a>,
    /// Its Dockerfile and contexts.
    pub tree: BuildTree,
    /// The pins that it may use.
    pub pins: Vec<Pin>,
    /// The platforms to build, in the manifest's order.
    pub platforms: Vec<Platform>,
    /// Why the record is not of this tree and these platforms; empty if it is.
    pub unrecorded: Vec<Drift>,
    /// The record that was looked at.
    pub record: Option<Record>,
    /// The epoch to build with.
    pub epoch: Epoch,
    /// The tape, where the build needs one; none while it is recorded.
    pub tape: Option<Arc<Tape>>,
    secrets: Vec<(String, PathBuf)>,
    scrub: Vec<Rule>,
}

/// The image can't be made ready.
#[derive(Debug, thiserror::Error)]
enum ReadyError {
    #[error("image `{image}`: no epoch: outside git the commit time is not known")]
    NoEpoch { image: String },
    #[error("image `{image}`: the epoch {epoch} lies ahead of this machine's clock")]
    Ahead { image: String, epoch: Epoch },
    #[error("`SOURCE_DATE_EPOCH`: {0}")]
    Variable(crate::epoch::InvalidEpoch),
    #[error(
        "image `{image}`: Dockerfile line {line}: the base has an `ONBUILD RUN`, which can't be given the variables of `run-env`"
    )]
    Trigger { image: String, line: u32 },
    #[error("image `{image}`: {error}")]
    Scrub { image: String, error: RuleError },
    #[error("image `{image}` has no secret `{}`", crate::escape::text(id))]
    NoSecret { image: String, id: String },
}

impl ExitStatus for ReadyError {
    fn status(&self) -> Status {
        match self {
            Self::Scrub { .. } => Status::Lock,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoEpoch { .. } => {
                Some("set `source-date-epoch` in the manifest, or `SOURCE_DATE_EPOCH` in the environment".to_owned())
            }
            Self::Trigger { .. } => Some("write that RUN into the Dockerfile, or leave `run-env` out".to_owned()),
            Self::NoSecret { .. } => Some("name it in the manifest's `secrets`".to_owned()),
            Self::Ahead { .. } | Self::Variable(_) | Self::Scrub { .. } => None,
        }
    }
}

/// Makes images ready to be built; stale pins end this with status 3.
///
/// The records are those of `recorded`.
pub fn ready<'a>(
    locked: &LockedProject<'a>,
    surveyed: Vec<Surveyed<'a>>,
    options: &ReadyOptions<'_>,
    recorded: Option<&Lockfile>,
) -> Result<Vec<ReadyImage<'a>>, Failure> {
    let LockedProject { project, lockfile, resolver, .. } = locked;
    let wanted = wanted(project, &surveyed)?;
    let mut stale: Vec<Drift> = drift::buildkit(wanted.buildkit.as_deref(), lockfile).into_iter().collect();
    for (name, image) in &wanted.images {
        stale.extend(drift::pins(name, image, lockfile));
    }
    let mut tapes = Vec::new();
    for image in &surveyed {
        let found = if options.with_tapes { tape(locked, image, options.platforms, &mut stale)? } else { None };
        tapes.push(found.map(Arc::new));
    }
    drift::Stale::unless_empty(stale)?;
    let mut pins: Vec<Pin> = surveyed.iter().flat_map(|image| lockfile.pins_of(image.name)).cloned().collect();
    pins.sort();
    pins.dedup();
    resolver.confirm(&pins)?;
    let record_of = |image: &str| recorded?.images.get(image)?.record.clone();
    let images = surveyed.into_iter().zip(tapes);
    images
        .map(|(image, tape)| {
            let record = record_of(image.name);
            one(locked, image, tape, options, record)
        })
        .collect()
}

/// The tape of an image; what is wrong with it goes to `stale`.
fn tape(
    locked: &LockedProject<'_>,
    surveyed: &Surveyed<'_>,
    asked: &[Platform],
    stale: &mut Vec<Drift>,
) -> Result<Option<Tape>, Failure> {
    let (name, image) = (surveyed.name, surveyed.image);
    let Some(lock) = locked.lockfile.images.get(name).filter(|_| locked.project.lock_path.is_some()) else {
        return Ok(None);
    };
    let is_needed = tape_file::is_needed(image, surveyed.survey.runs);
    let (found, tape) = tape_file::look(locked.machine, locked.project, name, lock.tape)?;
    let platforms = platforms(name, image, asked)?;
    stale.extend(drift::tape(name, is_needed, &platforms, lock.tape, found.as_ref()));
    Ok(tape.filter(|_| is_needed))
}

fn one<'a>(
    locked: &LockedProject<'a>,
    surveyed: Surveyed<'a>,
    tape: Option<Arc<Tape>>,
    options: &ReadyOptions<'_>,
    record: Option<Record>,
) -> Result<ReadyImage<'a>, Failure> {
    let LockedProject { machine, project, lockfile, .. } = locked;
    let (name, image) = (surveyed.name, surveyed.image);
    refuse_triggers(&surveyed)?;
    let secrets = secrets(machine, name, &image.run.secrets, options.secrets)?;
    let platforms = platforms(name, image, options.platforms)?;
    let cache = machine.cache_directory()?;
    let surroundings = context::Surroundings {
        limits: &machine.limits,
        progress: &machine.progress,
        cancel: &machine.cancel,
        cache: Some(&cache),
    };
    let reached: &ReachedPaths = &surveyed.survey.reached;
    let root = &project.manifest.root;
    let manifest = project.manifest_path.as_deref();
    let tree = BuildTree::read(root, manifest, image, surveyed.dockerfile.clone(), reached, &surroundings);
    let tree = tree.map_err(|error| surveyed.of_context(error))?;
    check_paths(&image.files, &tree.context, &platforms, (name, &surveyed.dockerfile_path))?;
    let contexts = tree.context_digests();
    let facts = TreeFacts {
        context: tree.context.digest(),
        dockerfile: tree.dockerfile_digest(),
        contexts: &contexts,
        epoch: image.source_date_epoch,
        platforms: &platforms,
    };
    let unrecorded = drift::record(name, &facts, lockfile, record.as_ref());
    // A record of this tree that only lacks a platform is completed with its own epoch.
    let this_tree = unrecorded.iter().all(|drift| matches!(drift, Drift::RecordPlatform { .. }));
    let epoch = match &record {
        Some(record) if this_tree || options.only_recorded => record.epoch,
        _ => epoch(machine, name, image.source_date_epoch, &root.join(&image.files.context))?,
    };
    if epoch.seconds() > machine.now {
        return Err(ReadyError::Ahead { image: name.to_owned(), epoch }.into());
    }
    let pins = lockfile.pins_of(name).into_iter().cloned().collect();
    let scrub = drift::scrub_rules(name, image, lockfile)
        .map_err(|error| ReadyError::Scrub { image: name.to_owned(), error })?;
    Ok(ReadyImage { surveyed, tree, pins, platforms, unrecorded, record, epoch, tape, secrets, scrub })
}

/// The epoch of a tree that is not the recorded one.
fn epoch(machine: &Machine, image: &str, source: EpochSource, context: &Path) -> Result<Epoch, Failure> {
    let variable = machine.variable("SOURCE_DATE_EPOCH").map(|value| value.to_string_lossy().into_owned());
    if let EpochSource::Fixed(epoch) = source {
        return Ok(epoch);
    }
    if let Some(time) = git::head_commit_time(context)? {
        if variable.is_some() {
            machine.progress.note("`SOURCE_DATE_EPOCH` is ignored: the commit's time is used");
        }
        return Ok(time);
    }
    match variable {
        Some(text) => Ok(text.parse().map_err(ReadyError::Variable)?),
        None => Err(ReadyError::NoEpoch { image: image.to_owned() }.into()),
    }
}

impl ReadyImage<'_> {
    /// The plan for one platform, whose RUN has `tape` for a network.
    pub fn plan(
        &self,
        project: &Project,
        platform: &Platform,
        tape: Option<TapeUse>,
        consents: bool,
        no_cache: bool,
    ) -> Plan {
        let image = self.surveyed.image;
        let build_platform = Some(&self.surveyed.build_platform).filter(|_| self.surveyed.survey.uses_build_platform);
        let pins = self.pins_of(platform);
        Plan {
            image: self.surveyed.name.to_owned(),
            platform: platform.clone(),
            epoch: self.epoch,
            inputs: Inputs::of(image, &project.manifest.root, &self.tree, self.surveyed.dockerfile_path.clone(), &pins),
            parameters: Parameters::of(image, build_platform),
            pins,
            run: RunSurroundings::of(image, self.epoch, tape, &self.secrets, consents),
            form: ImageForm::of(image, &self.scrub),
            no_cache,
        }
    }

    /// Whether RUN may reach everything: by the manifest's word, or by the network of the host, if the user consents to
    /// its `allow`.
    pub fn has_open_network(&self, consents: bool) -> bool {
        let image = self.surveyed.image;
        let has_host = image.run.allow.iter().any(|allow| allow.what == "network.host");
        image.run.network == Network::Open || (consents && has_host)
    }

    /// The Dockerfile's instructions that make the image.
    pub fn instructions(&self) -> Instructions {
        Instructions::of(&self.surveyed.dockerfile, self.surveyed.image.target.as_deref().unwrap_or_default())
    }

    /// The scrub rules as they are locked.
    pub fn scrub(&self) -> &[Rule] {
        &self.scrub
    }

    /// The pins that one platform's target uses: a source that only another platform takes is none of its.
    pub fn pins_of(&self, platform: &Platform) -> Vec<Pin> {
        let wanted = self.surveyed.survey.wanted(std::slice::from_ref(platform));
        let keys: BTreeSet<String> = wanted.map(WantedSource::key).collect();
        self.pins.iter().filter(|pin| keys.contains(&pin.key())).cloned().collect()
    }
}

/// Triggers stand in their base and can't be given variables: refused rather than run without them.
fn refuse_triggers(surveyed: &Surveyed<'_>) -> Result<(), ReadyError> {
    let mut lines = surveyed.survey.platforms.values().flat_map(|taken| &taken.sources.triggered_runs);
    match lines.next() {
        Some(lines) if !surveyed.image.run.env.is_empty() => {
            Err(ReadyError::Trigger { image: surveyed.name.to_owned(), line: lines.start })
        }
        _ => Ok(()),
    }
}

fn secrets(
    machine: &Machine,
    image: &str,
    known: &[String],
    given: &[(String, PathBuf)],
) -> Result<Vec<(String, PathBuf)>, ReadyError> {
    let known: BTreeSet<&String> = known.iter().collect();
    let given = given.iter().map(|(id, file)| {
        if known.contains(id) {
            Ok((id.clone(), machine.resolve(file)))
        } else {
            Err(ReadyError::NoSecret { image: image.to_owned(), id: id.clone() })
        }
    });
    given.collect()
}
