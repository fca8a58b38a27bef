//! An image rebuilt from what its provenance tells, and compared with it.
//!
//! Nothing is taken from the project that stands here, if one does: the request and the claims on sources come from the
//! provenance, each source is resolved and checked, the Dockerfile comes from the commit that was the context, or from
//! the user where that was local. What is not told is named; what can't be tried without it is an error with the status of
//! a record that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::engines::{EngineOptions, Engines};
use super::explanation::{Rebuild, Witnesses, explain};
use super::import::{ImportSource, read};
use super::locked::LockedProject;
use super::machine::Machine;
use super::online;
use super::open::Project;
use super::ready::{ReadyOptions, ready};
use super::rebuild::{RebuildOptions, rebuild};
use super::rebuilt::{Packing, Rebuilt, Round};
use super::record::FORM;
use super::scratch::ScratchDirectory;
use super::settle::settle;
use super::verify::{MirrorSaid, Occasion, Verification, judge_image};
use super::without_manifest::DockerfileFlags;
use crate::build::AssembledPlatform;
use crate::digest::Digest;
use crate::dockerfile::{self, network};
use crate::epoch::Epoch;
use crate::http::without_user;
use crate::imports::{self, Note, RecordedBuild};
use crate::lockfile::{Lockfile, PlatformRecord, Record, Selection};
use crate::manifest::{EpochSource, FILE_NAME, Image, Manifest, NamedContext, Network, Recipe};
use crate::platform::Platform;
use crate::resolve::{Checkout, Request, Resolver};
use crate::source::{Place, Published, PublishedImage};
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::RunNetwork;

/// What is rebuilt, and with what.
#[derive(Clone, Debug)]
pub struct ProvenanceOptions {
    /// The image, and how it was typed.
    pub image: (Place, String),
    /// The files that were local, from the user.
    pub files: Option<DockerfileFlags>,
    /// Platforms; none for all that are told.
    pub platforms: Vec<Platform>,
    /// Whether to say why it differs.
    pub explains: bool,
    /// Whether an image that is equal is enough where RUN could reach everything.
    pub accepts_open_network: bool,
    /// Which engines, and what they may do.
    pub engine: EngineOptions,
}

/// What came of it.
pub struct FromProvenance {
    /// The verdicts.
    pub verification: Verification,
    /// What the provenance does not tell.
    pub notes: Vec<Note>,
}

/// The provenance tells too little to try.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("the context was local: the provenance has its name, not its files")]
    Context,
    #[error("the context came from {0}, an archive over HTTP, which is not rebuilt")]
    Archive(String),
    #[error("the named context `{0}` was local: the provenance has its name, not its files")]
    NamedContext(String),
    #[error(
        "the provenance tells no SOURCE_DATE_EPOCH: without it the image has the times of its build, and no rebuild is equal"
    )]
    Epoch,
    #[error("`{0}` is not the Dockerfile that the provenance tells")]
    Dockerfile(String),
    #[error("there is no `{0}` in the commit that was the context")]
    NoDockerfile(String),
    #[error("the image is for none of the platforms that the provenance tells: {0}")]
    Platforms(String),
}

impl ExitStatus for Untold {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Context => Some("`--dockerfile FILE --context DIR` give the files".to_owned()),
            Self::NamedContext(name) => {
                let name = crate::escape::text(name);
                Some(format!("`--dockerfile FILE --build-context {name}=DIR` gives its files"))
            }
            Self::Epoch => Some("`--dockerfile FILE --build-arg SOURCE_DATE_EPOCH=SECONDS` gives it".to_owned()),
            _ => None,
        }
    }
}

const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Rebuilds an image from its provenance and compares it with the image.
pub fn verify_provenance(machine: &Machine, options: &ProvenanceOptions) -> Result<FromProvenance, Failure> {
    let (place, typed) = &options.image;
    let (mut build, from) = read(machine, &ImportSource::Image(PathBuf::from(typed)))?;
    let empty = empty_project(machine)?;
    let resolver = online::resolver(machine, &empty, false)?;
    let reader = online::reader(machine, Some((&resolver.registry, &resolver.cache)));
    let published = Published::read(place, None, &reader)?;
    if let Some(files) = &options.files {
        let args = files.build_args.iter().map(|(name, value)| (format!("build-arg:{name}"), value.clone()));
        build.attributes.extend(args);
        let contexts = files.build_contexts.iter().map(|(name, value)| (format!("context:{name}"), value.clone()));
        build.attributes.extend(contexts);
    }
    if !build.attributes.contains_key(&format!("build-arg:{EPOCH}")) {
        return Err(Untold::Epoch.into());
    }
    let files = files(machine, &build, options.files.as_ref(), &resolver)?;
    let (project, notes) = project(machine, &build, &files, options, &published, &from)?;
    let old = Lockfile { claims: build.claims.iter().cloned().collect(), ..Lockfile::default() };
    let resolver = online::resolver(machine, &project, false)?;
    let settled = settle(machine, &project, &resolver, &old, &Selection::None, None)?;
    let (lockfile, surveyed) = (settled.lockfile, Some(settled.surveyed));
    let locked = LockedProject { machine, project: &project, lockfile, resolver: resolver.into(), surveyed };
    let engine = &options.engine;
    let ready_options =
        ReadyOptions { platforms: &[], secrets: &engine.secrets, with_tapes: true, only_recorded: false };
    let images = ready(&locked, locked.survey(&[])?, &ready_options, None)?;
    let engines = Engines::new(&locked, engine)?;
    let rebuilding = RebuildOptions { engine, no_cache: true, packing: Packing::Digests, round: Round::First };
    let work = ScratchDirectory::new(machine)?;
    let reader = online::reader(machine, Some((&locked.resolver.registry, &locked.resolver.cache)));
    let said = |occasion| {
        move |(name, mirror): (&String, &String)| MirrorSaid { name: name.clone(), mirror: mirror.clone(), occasion }
    };
    let mut mirrors: BTreeSet<MirrorSaid> = locked.lockfile.mirrors.iter().map(said(Occasion::Pinned)).collect();
    mirrors.extend(published.mirror.iter().map(|mirror| said(Occasion::Published)((typed, mirror))));
    let mut verification = Verification {
        against: Some(typed.clone()),
        checked_out: None,
        mirrors,
        images: Vec::new(),
        failures: Vec::new(),
    };
    for image in &images {
        let rebuilt = rebuild(&locked, &engines, image, &rebuilding, &work)?;
        machine.cancel.check()?;
        let record = record(&build, image.epoch, &rebuilt, &published);
        let network = match image.has_open_network(engine.allow) {
            true => RunNetwork::Open { is_accepted: options.accepts_open_network },
            false => RunNetwork::Closed,
        };
        let (mut verified, failure) = judge_image(image, &record, &rebuilt, Some((&published, &reader)), network);
        verification.failures.extend(failure);
        if options.explains {
            let subject = Rebuild {
                locked: &locked,
                engines: &engines,
                image,
                options: &rebuilding,
                work: &work,
                rebuilt: &rebuilt,
            };
            let witnesses = Witnesses { published: Some((place, typed.as_str(), None)), recorded: None };
            verified.explanation = explain(&subject, &verified.platforms, &witnesses).unwrap_or_else(|failure| {
                machine.progress.warn(&format!("what differs is not explained: {failure}"));
                None
            });
            machine.cancel.check()?;
        }
        verification.images.push(verified);
    }
    Ok(FromProvenance { verification, notes })
}

/// A project without images, for a resolver.
pub(super) fn empty_project(machine: &Machine) -> Result<Project, Failure> {
    let text = "version = 1\n[image.app]\n";
    let manifest = Manifest::parse(text, &machine.directory.join(FILE_NAME), &machine.directory)?;
    Ok(Project { manifest, manifest_path: None, lock_path: None })
}

/// The files of a build: where the context is, and its Dockerfile.
struct BuildFiles {
    /// Keeps a checkout as long as it is used.
    _checkout: Option<Checkout>,
    context: PathBuf,
    dockerfile: PathBuf,
    shown: String,
}

/// The context's commit, or what the user gives.
fn files(
    machine: &Machine,
    build: &RecordedBuild,
    given: Option<&DockerfileFlags>,
    resolver: &Resolver,
) -> Result<BuildFiles, Failure> {
    let name = build.dockerfile.clone().unwrap_or_else(|| "Dockerfile".to_owned());
    let files = match (&build.context, given) {
        (_, Some(flags)) => {
            let dockerfile = machine.resolve(&flags.dockerfile);
            let directory = dockerfile.parent().unwrap_or(&machine.directory).to_owned();
            let context = flags.context.as_ref().map_or(directory, |context| machine.resolve(context));
            let shown = super::files::shown(&flags.dockerfile);
            BuildFiles { _checkout: None, context, dockerfile, shown }
        }
        (None, None) => return Err(Untold::Context.into()),
        (Some(uri), None) => {
            let Some(object) = build.context_digest.clone().filter(|digest| digest.len() != 64 || imports::is_git(uri))
            else {
                return Err(Untold::Archive(without_user(uri)).into());
            };
            let resolved = resolver.resolve_all(&[Request::GitObject { request: uri.clone(), object }])?;
            let commit = resolved.first().map(|resolved| resolved.pin.result()).unwrap_or_default();
            let checkout = resolver.check_out(uri, &commit)?;
            let subdirectory =
                uri.split_once('#').and_then(|(_, fragment)| fragment.split_once(':')).map_or("", |(_, below)| below);
            let context =
                inside(&checkout.files(), subdirectory).ok_or_else(|| Untold::NoDockerfile(subdirectory.to_owned()))?;
            let dockerfile = inside(&context, &name).ok_or_else(|| Untold::NoDockerfile(name.clone()))?;
            BuildFiles { _checkout: Some(checkout), context, dockerfile, shown: name }
        }
    };
    let text = super::files::read_file(&files.dockerfile, machine.limits.dockerfile)?;
    match &build.dockerfile_text {
        Some(told) if *told != text => Err(Untold::Dockerfile(files.shown).into()),
        _ => Ok(files),
    }
}

/// What is there of that name in a directory, links followed, and not outside.
fn inside(directory: &Path, name: &str) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let path = directory.join(name.trim_start_matches('/')).canonicalize().ok()?;
    path.starts_with(&directory).then_some(path)
}

/// The manifest that the provenance stands for.
fn project(
    machine: &Machine,
    build: &RecordedBuild,
    files: &BuildFiles,
    options: &ProvenanceOptions,
    published: &Published,
    from: &str,
) -> Result<(Project, Vec<Note>), Failure> {
    let text = super::files::read_file(&files.dockerfile, machine.limits.dockerfile)?;
    let run_needs_network = network::is_needed(&dockerfile::parse(&text, &machine.limits)?);
    let here =
        imports::Surroundings { context: ".", dockerfile: "Dockerfile", dockerfile_text: &text, run_needs_network };
    let carried = imports::carry(build, &here);
    let root = &files.context;
    let manifest_text = carried.table.text("image", &[], from);
    let mut manifest = Manifest::parse(&manifest_text, &root.join(FILE_NAME), root)?;
    for image in manifest.images.values_mut() {
        complete(image, files, run_needs_network);
        image.platforms.retain(|platform| published.platforms.contains_key(platform));
        image.platforms.retain(|platform| options.platforms.is_empty() || options.platforms.contains(platform));
        if image.platforms.is_empty() {
            let told: Vec<String> = build.platforms.iter().map(Platform::to_string).collect();
            return Err(Untold::Platforms(told.join(", ")).into());
        }
        if image.source_date_epoch == EpochSource::Commit {
            return Err(Untold::Epoch.into());
        }
        let given = options.files.as_ref().map(|files| &files.build_contexts);
        for (name, context) in &mut image.files.contexts {
            if let NamedContext::Local(path) = context {
                let Some(directory) = given.and_then(|given| given.get(name)) else {
                    return Err(Untold::NamedContext(name.clone()).into());
                };
                *path = machine.resolve(Path::new(directory));
            }
        }
    }
    let about_files = ["context", "dockerfile", "source-date-epoch"];
    let notes = carried.notes.into_iter().filter(|note| !about_files.contains(&note.what.as_str())).collect();
    Ok((Project { manifest, manifest_path: None, lock_path: None }, notes))
}

/// What a manifest says that a provenance doesn't.
fn complete(image: &mut Image, files: &BuildFiles, run_needs_network: bool) {
    image.files.recipe = Recipe::Dockerfile(files.dockerfile.clone());
    image.run.network = if run_needs_network { Network::Open } else { Network::None };
}

/// The published image in the form of a record.
fn record(build: &RecordedBuild, epoch: Epoch, rebuilt: &Rebuilt, published: &Published) -> Record {
    let of_platform = |built: &AssembledPlatform| {
        let image: &PublishedImage = published.platforms.get(&built.platform)?;
        let facts = image.facts()?;
        let record = PlatformRecord {
            manifest: facts.manifest,
            size: built.descriptor.size,
            config: facts.config,
            frontend: build.frontend_version.clone(),
            layers: facts.layers,
        };
        Some((built.platform.clone(), record))
    };
    let none = Digest::of(b"");
    Record {
        form: FORM,
        epoch,
        pins: none,
        context: none,
        dockerfile: none,
        contexts: BTreeMap::new(),
        index: None,
        platforms: rebuilt.assembled.platforms.iter().filter_map(of_platform).collect(),
    }
}
