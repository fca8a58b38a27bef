//! One image made ready to be built: fresh pins, the tree, whether the tree is the recorded one, the epoch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{EngineChoice, Question};
use super::lock::settle;
use super::online;
use super::project::Project;
use super::session::Session;
use super::tapes;
use super::wanted::{Surveyed, platforms, survey_all, wanted};
use crate::build::{ImageForm, Inputs, Parameters, Plan, ReachedPaths, RunSurroundings, TapeUse, WorkTree};
use crate::context;
use crate::drift::{self, Drift, TreeFacts};
use crate::epoch::Epoch;
use crate::git;
use crate::lockfile::{Lockfile, Pin, Record, Selection, WantedSource};
use crate::manifest::EpochSource;
use crate::platform::Platform;
use crate::resolve::Resolver;
use crate::scrub::{Rule, RuleError};
use crate::status::{ExitStatus, Failure, Status};
use crate::tape::{Listen, Tape};

/// An image that is ready to be built.
pub struct Job<'a> {
    /// The image and what it asks for.
    pub surveyed: Surveyed<'a>,
    /// Its Dockerfile and contexts.
    pub tree: WorkTree,
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
    /// Where the tape is served.
    pub listen: Listen,
    /// Folders and repositories that may have its bodies, as `--tape` names them.
    pub tape_places: Vec<String>,
    secrets: Vec<(String, PathBuf)>,
    scrub: Vec<Rule>,
}

/// Everything that the images of one command share.
pub struct Shop<'a> {
    /// The session.
    pub session: &'a Session,
    /// The project.
    pub project: &'a Project,
    /// The lockfile that holds for this run.
    pub lockfile: Lockfile,
    /// Where bytes come from.
    pub resolver: Arc<Resolver>,
}

/// The image can't be made ready.
#[derive(Debug, thiserror::Error)]
enum JobError {
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

impl ExitStatus for JobError {
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

impl<'a> Shop<'a> {
    /// Opens the lockfile; without a manifest, sources are resolved for this run alone.
    pub fn open(session: &'a Session, project: &'a Project) -> Result<Self, Failure> {
        if project.manifest_path.is_none() {
            for image in project.manifest.images.values() {
                super::flags::check_arguments(session, &image.args)?;
            }
        }
        let resolver = online::resolver(session, project, false)?;
        let lockfile = if project.lock_path.is_some() {
            project.lockfile(session)?
        } else {
            settle(session, project, &resolver, &Lockfile::default(), &Selection::None, None)?.0
        };
        Ok(Self { session, project, lockfile, resolver: Arc::new(resolver) })
    }

    /// The images that were asked for, ready to be built; stale pins end this with status 3.
    pub fn jobs(
        &self,
        question: &Question,
        choice: &EngineChoice,
        record: impl Fn(&str) -> Option<Record>,
    ) -> Result<Vec<Job<'a>>, Failure> {
        self.jobs_with(question, choice, record, true)
    }

    /// Like [`Shop::jobs`]; without `tapes` nothing is said of tapes, which are to be recorded.
    pub fn jobs_with(
        &self,
        question: &Question,
        choice: &EngineChoice,
        record: impl Fn(&str) -> Option<Record>,
        tapes: bool,
    ) -> Result<Vec<Job<'a>>, Failure> {
        let images = &question.images;
        let surveyed = survey_all(self.session, self.project, &self.lockfile, Some(&self.resolver), images)?;
        let wanted = wanted(self.project, &surveyed)?;
        let mut stale: Vec<Drift> = drift::buildkit(wanted.buildkit.as_deref(), &self.lockfile).into_iter().collect();
        for (name, image) in &wanted.images {
            stale.extend(drift::pins(name, image, &self.lockfile));
        }
        let mut found = Vec::new();
        for image in &surveyed {
            let tape = if tapes { self.tape(image, question, &mut stale)? } else { None };
            found.push(tape.map(Arc::new));
        }
        drift::Stale::unless_empty(stale)?;
        let mut pins: Vec<Pin> = surveyed.iter().flat_map(|image| self.lockfile.pins_of(image.name)).cloned().collect();
        pins.sort();
        pins.dedup();
        self.resolver.confirm(&pins)?;
        let jobs = surveyed.into_iter().zip(found);
        jobs.map(|(image, tape)| Ok(Job { tape, ..self.job(image, question, choice, &record)? })).collect()
    }

    /// The tape of an image; what is wrong with it goes to `stale`.
    fn tape(
        &self,
        surveyed: &Surveyed<'_>,
        question: &Question,
        stale: &mut Vec<Drift>,
    ) -> Result<Option<Tape>, Failure> {
        let (name, image) = (surveyed.name, surveyed.image);
        let Some(lock) = self.lockfile.images.get(name).filter(|_| self.project.lock_path.is_some()) else {
            return Ok(None);
        };
        let is_needed = tapes::is_needed(image, surveyed.survey.runs);
        let (file, tape) = tapes::look(self.session, self.project, name, lock.tape)?;
        let platforms = platforms(name, image, &question.platforms)?;
        stale.extend(drift::tape(name, is_needed, &platforms, lock.tape, file.as_ref()));
        Ok(tape.filter(|_| is_needed))
    }

    fn job(
        &self,
        surveyed: Surveyed<'a>,
        question: &Question,
        choice: &EngineChoice,
        record: impl Fn(&str) -> Option<Record>,
    ) -> Result<Job<'a>, Failure> {
        let (name, image) = (surveyed.name, surveyed.image);
        refuse_triggers(&surveyed)?;
        let secrets = secrets(self.session, name, &image.secrets, choice)?;
        let platforms = platforms(name, image, &question.platforms)?;
        let cache = self.session.cache_folder()?;
        let surroundings = context::Surroundings {
            limits: &self.session.limits,
            progress: &self.session.progress,
            cancel: &self.session.cancel,
            cache: Some(&cache),
        };
        let reached: &ReachedPaths = &surveyed.survey.reached;
        let root = &self.project.manifest.root;
        let manifest = self.project.manifest_path.as_deref();
        let mut tree = WorkTree::read(root, manifest, image, surveyed.dockerfile.clone(), reached, &surroundings)?;
        // Messages name it as the user would.
        tree.dockerfile_path = self.session.near(&tree.dockerfile_path);
        let record = record(name);
        let contexts = tree.context_digests();
        let facts = TreeFacts {
            context: tree.context.digest(),
            dockerfile: tree.dockerfile_digest(),
            contexts: &contexts,
            epoch: image.source_date_epoch,
            platforms: &platforms,
        };
        let unrecorded = drift::record(name, &facts, &self.lockfile, record.as_ref());
        // A record of this tree that only lacks a platform is completed with its own epoch.
        let this_tree = unrecorded.iter().all(|drift| matches!(drift, Drift::RecordPlatform { .. }));
        let epoch = match &record {
            Some(record) if this_tree => record.epoch,
            _ => self.epoch(name, image.source_date_epoch, &root.join(&image.context))?,
        };
        if epoch.seconds() > self.session.now {
            return Err(JobError::Ahead { image: name.to_owned(), epoch }.into());
        }
        let pins = self.lockfile.pins_of(name).into_iter().cloned().collect();
        let scrub = drift::scrub_rules(name, image, &self.lockfile)
            .map_err(|error| JobError::Scrub { image: name.to_owned(), error })?;
        let (listen, tape_places) = (tapes::listen(choice), choice.tape.clone());
        Ok(Job {
            surveyed,
            tree,
            pins,
            platforms,
            unrecorded,
            record,
            epoch,
            tape: None,
            listen,
            tape_places,
            secrets,
            scrub,
        })
    }

    /// The epoch of a tree that is not the recorded one.
    fn epoch(&self, image: &str, source: EpochSource, context: &Path) -> Result<Epoch, Failure> {
        let variable = self.session.variable("SOURCE_DATE_EPOCH").map(|value| value.to_string_lossy().into_owned());
        if let EpochSource::Fixed(epoch) = source {
            return Ok(epoch);
        }
        if let Some(time) = git::head_commit_time(context)? {
            if variable.is_some() {
                self.session.progress.note("`SOURCE_DATE_EPOCH` is ignored: the commit's time counts");
            }
            return Ok(time);
        }
        match variable {
            Some(text) => Ok(text.parse().map_err(JobError::Variable)?),
            None => Err(JobError::NoEpoch { image: image.to_owned() }.into()),
        }
    }
}

impl Job<'_> {
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
            inputs: Inputs::of(image, &project.manifest.root, &self.tree, &pins),
            parameters: Parameters::of(image, build_platform),
            pins,
            run: RunSurroundings::of(image, self.epoch, tape, &self.secrets, consents),
            form: ImageForm::of(image, &self.scrub),
            no_cache,
        }
    }

    /// The scrub rules as they are locked.
    pub fn scrub(&self) -> &[Rule] {
        &self.scrub
    }

    /// The pins that one platform's target uses: a source that only another platform takes is none of its.
    fn pins_of(&self, platform: &Platform) -> Vec<Pin> {
        let survey = &self.surveyed.survey;
        let Some(sources) = survey.platforms.get(platform) else { return self.pins.clone() };
        let mut keys: BTreeSet<String> =
            drift::wanted_sources(self.surveyed.image, sources).iter().map(WantedSource::key).collect();
        keys.extend(survey.frontend.iter().filter_map(|name| Some(drift::frontend_source(name).ok()?.key())));
        self.pins.iter().filter(|pin| keys.contains(&pin.key())).cloned().collect()
    }
}

/// Triggers stand in their base and can't be given variables: refused rather than run without them.
fn refuse_triggers(surveyed: &Surveyed<'_>) -> Result<(), JobError> {
    let mut lines = surveyed.survey.platforms.values().flat_map(|sources| &sources.triggered_runs);
    match lines.next() {
        Some(lines) if !surveyed.image.run_env.is_empty() => {
            Err(JobError::Trigger { image: surveyed.name.to_owned(), line: lines.start })
        }
        _ => Ok(()),
    }
}

fn secrets(
    session: &Session,
    image: &str,
    known: &[String],
    choice: &EngineChoice,
) -> Result<Vec<(String, PathBuf)>, JobError> {
    let known: BTreeSet<&String> = known.iter().collect();
    let given = choice.secrets.iter().map(|(id, file)| {
        if known.contains(id) {
            Ok((id.clone(), session.resolve(Path::new(file))))
        } else {
            Err(JobError::NoSecret { image: image.to_owned(), id: id.clone() })
        }
    });
    given.collect()
}
