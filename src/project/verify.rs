//! Rebuilds without cache, and whether each image is the recorded one and the published one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::commit::{self, CheckedOut};
use super::contradiction;
use super::engines::{EngineOptions, Engines};
use super::explanation::{Explanation, Rebuild, Witnesses, explain};
use super::export::{self, ExportOptions};
use super::locked::LockedProject;
use super::machine::Machine;
use super::online;
use super::open::Project;
use super::published::{LookedAt, Question, look};
use super::ready::{ReadyImage, ReadyOptions, ready};
use super::rebuild::{RebuildOptions, rebuild};
use super::rebuilt::{Packing, Rebuilt, Round};
use super::record;
use super::report;
use super::scratch::ScratchDirectory;
use super::stand_in::StandsIn;
use super::upstream;
use crate::compare::compare;
use crate::digest::Digest;
use crate::epoch::Epoch;
use crate::lockfile::{Pin, Record};
use crate::platform::Platform;
use crate::source::{Place, Published, Reader};
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::{Evidence, FrontendsDiffer, RunNetwork, Verdict, judge};

/// What is verified, and against what.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Names of images; none for all.
    pub images: Vec<String>,
    /// Platforms; none for all.
    pub platforms: Vec<Platform>,
    /// The published image, if it is looked at: where it is, and how that was typed.
    pub against: Option<(Place, String)>,
    /// Look at what is published under the names of the manifest, instead.
    pub published: bool,
    /// The image that is meant, by its name, where several are there.
    pub published_name: Option<String>,
    /// A file whose record counts instead of the lockfile's.
    pub record: Option<PathBuf>,
    /// Ask upstream for every source first.
    pub fresh: bool,
    /// Whether an image that is equal is enough where RUN could reach everything.
    pub accepts_open_network: bool,
    /// Whether a difference is explained.
    pub explains: bool,
    /// Where the recorded image is, if it is at hand.
    pub expected: Option<PathBuf>,
    /// Whether the explanation is reported, which takes one image.
    pub is_reported: bool,
    /// Where the rebuilt image is written.
    pub export: Option<ExportOptions>,
    /// Which engines, and what they may do.
    pub engine: EngineOptions,
}

/// What verifying came to.
pub struct Verification {
    /// The published image that was looked at, as it was named.
    pub against: Option<String>,
    /// The commit that was verified, and what is not as it has it; none outside git.
    pub checked_out: Option<CheckedOut>,
    /// Mirrors that spoke for servers that were not reached.
    pub mirrors: BTreeSet<MirrorSaid>,
    /// The images that were rebuilt.
    pub images: Vec<VerifiedImage>,
    /// What went wrong with single images.
    pub failures: Vec<Failure>,
}

/// What a mirror said in place of a server that was not reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MirrorSaid {
    /// The request, or the published name.
    pub name: String,
    /// The mirror.
    pub mirror: String,
    /// When it was asked.
    pub occasion: Occasion,
}

/// When a mirror was asked what a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// When the pin was made.
    Pinned,
    /// Whether upstream still has it.
    Fresh,
    /// What is published.
    Published,
}

/// One image that was rebuilt.
pub struct VerifiedImage {
    /// Its name in the manifest.
    pub name: String,
    /// The engines that rebuilt it.
    pub engines: Vec<String>,
    /// What weakens each verdict on it.
    pub warnings: Vec<String>,
    /// Image form.
    pub form: u32,
    /// The epoch.
    pub epoch: Epoch,
    /// Digest of the rebuilt index, with more than one platform.
    pub index: Option<Digest>,
    /// The record's index, if all its platforms were rebuilt.
    pub recorded_index: Option<Digest>,
    /// What the published name stands for, if it was looked at.
    pub published_index: Option<Digest>,
    /// Platforms of the published image that were not compared.
    pub not_compared: Vec<Platform>,
    /// Attestations of the published image, which were not looked into.
    pub attestations: usize,
    /// What refers to the published image from beside it; none where a registry knows, or no image was looked at.
    pub referrers: Option<usize>,
    /// What the manifest says reads its Dockerfile, and what that names itself; none where the Dockerfile decides.
    pub frontend: Option<(String, Option<String>)>,
    /// Platforms that the record has from another Dockerfile frontend.
    pub frontends: BTreeMap<Platform, FrontendsDiffer>,
    /// What is known of each platform, and what that amounts to.
    pub platforms: Vec<(Evidence, Verdict)>,
    /// Whether all platforms were judged; a failure says why not.
    pub is_complete: bool,
    /// Why it is not the image that was meant, where that was asked and found out.
    pub explanation: Option<Explanation>,
}

impl Verification {
    /// The most urgent of all verdicts and failures.
    pub fn status(&self) -> Status {
        let verdicts = self.images.iter().flat_map(|image| &image.platforms).map(|(_, verdict)| verdict.status());
        let failures = self.failures.iter().map(|failure| failure.status());
        verdicts.chain(failures).fold(Status::Success, Status::or)
    }
}

impl VerifiedImage {
    /// What explains that a platform is not the recorded one, where that is known.
    pub fn cause(&self, evidence: &Evidence, verdict: &Verdict) -> Option<String> {
        let is_of_record =
            verdict.status() != Status::Success && evidence.expected.manifest != evidence.rebuilt.manifest;
        self.frontends.get(&evidence.platform).filter(|_| is_of_record).map(ToString::to_string)
    }
}

/// A record of the same platforms has another index around them.
#[derive(Debug, thiserror::Error)]
#[error("index of `{image}`: recorded {recorded}, rebuilt {rebuilt}")]
struct IndexDiffers {
    image: String,
    recorded: Digest,
    rebuilt: Digest,
}

impl ExitStatus for IndexDiffers {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// Rebuilds and compares what was asked for.
pub fn verify(machine: &Machine, project: &Project, options: &VerifyOptions) -> Result<Verification, Failure> {
    let locked = LockedProject::open(machine, project)?;
    let file = options.record.as_ref().map(|file| record::read(machine, file)).transpose()?;
    let VerifyOptions { images, platforms, engine, .. } = options;
    let ready_options = ReadyOptions { platforms, secrets: &engine.secrets, with_tapes: true, only_recorded: true };
    let images =
        ready(&locked, locked.survey(images)?, &ready_options, Some(file.as_ref().unwrap_or(&locked.lockfile)))?;
    for image in &images {
        record::check(project, image)?;
        if let Some(record) = &image.record {
            contradiction::check_index(image.surveyed.name, image.surveyed.image, record)?;
        }
    }
    let checked_out = commit::look(machine, project, &images, options.record.as_deref())?;
    let platforms = images.iter().map(|image| image.platforms.len()).sum();
    let target = export::target(machine, options.export.as_ref(), images.len(), platforms)?;
    let pins: BTreeSet<String> = images.iter().flat_map(|image| &image.pins).map(Pin::key).collect();
    let pinned = locked.lockfile.mirrors.iter().filter(|(key, _)| pins.contains(*key));
    let said = |occasion| {
        move |(name, mirror): (&String, &String)| MirrorSaid { name: name.clone(), mirror: mirror.clone(), occasion }
    };
    let mut mirrors: BTreeSet<MirrorSaid> = pinned.map(said(Occasion::Pinned)).collect();
    if options.fresh {
        mirrors.extend(upstream::check(machine, &locked.resolver, &images)?.iter().map(said(Occasion::Fresh)));
    }
    let reader = online::reader(machine, Some((&locked.resolver.registry, &locked.resolver.cache)));
    let question = Question {
        against: options.against.as_ref(),
        is_of_manifest: options.published,
        name: options.published_name.as_deref(),
    };
    let mut looked_at = BTreeMap::new();
    for image in &images {
        looked_at.insert(image.surveyed.name, look(image, &question, &reader)?);
    }
    let names: BTreeSet<&str> = looked_at.values().flatten().map(|at: &LookedAt| at.typed.as_str()).collect();
    let against = (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(", "));
    let spoke = looked_at.values().flatten().filter_map(|at| Some((&at.typed, at.image.mirror.as_ref()?)));
    mirrors.extend(spoke.map(said(Occasion::Published)));
    if options.is_reported {
        report::check_count(images.len())?;
    }
    let engines = Engines::new(&locked, engine)?;
    let packing = if target.is_some() { Packing::Kept } else { Packing::Digests };
    let rebuilding = RebuildOptions { engine, no_cache: true, packing, round: Round::First };
    let work = ScratchDirectory::new(machine)?;
    let mut verification = Verification { against, checked_out, mirrors, images: Vec::new(), failures: Vec::new() };
    for image in &images {
        let Some(record) = &image.record else { continue };
        match rebuild(&locked, &engines, image, &rebuilding, &work) {
            Ok(rebuilt) => {
                machine.cancel.check()?;
                let at = looked_at.get(image.surveyed.name).and_then(Option::as_ref);
                verification.failures.extend(at.and_then(|at| at.other_tag.clone()).map(Failure::from));
                let published_image = at.map(|at| (&at.image, &reader));
                let network = network(image, options);
                let (mut verified, failure) = judge_image(image, record, &rebuilt, published_image, network);
                verification.failures.extend(failure);
                if options.explains {
                    let rebuild = Rebuild {
                        locked: &locked,
                        engines: &engines,
                        image,
                        options: &rebuilding,
                        work: &work,
                        rebuilt: &rebuilt,
                    };
                    verified.explanation = explanation(&rebuild, &verified, at, options)?;
                }
                // Layers can't be read any more once they are written.
                if let Some(target) = &target {
                    export::write(target, image.surveyed.image, &rebuilt.assembled, image.epoch, &locked.resolver)?;
                }
                verification.images.push(verified);
            }
            Err(failure) => verification.failures.push(failure),
        }
    }
    Ok(verification)
}

/// Why an image is not the one that was meant. That this can't be found out changes no verdict.
fn explanation(
    rebuild: &Rebuild<'_>,
    verified: &VerifiedImage,
    at: Option<&LookedAt>,
    options: &VerifyOptions,
) -> Result<Option<Explanation>, Failure> {
    let machine = rebuild.locked.machine;
    let published = at.map(|at| (&at.place, at.typed.as_str(), options.published_name.as_deref()));
    let witnesses = Witnesses { published, recorded: options.expected.as_deref() };
    let explained = explain(rebuild, &verified.platforms, &witnesses);
    machine.cancel.check()?;
    match explained {
        Ok(None)
            if options.is_reported
                && verified.platforms.iter().all(|(_, verdict)| verdict.status() == Status::Success) =>
        {
            Ok(Some(Explanation::of_nothing("repro.lock", &verified.platforms)))
        }
        Ok(explained) => Ok(explained),
        Err(failure) => {
            machine.progress.warn(&format!("what differs is not explained: {failure}"));
            Ok(None)
        }
    }
}

/// What RUN may reach.
fn network(image: &ReadyImage<'_>, options: &VerifyOptions) -> RunNetwork {
    match image.has_open_network(options.engine.allow) {
        true => RunNetwork::Open { is_accepted: options.accepts_open_network },
        false => RunNetwork::Closed,
    }
}

/// What each platform's comparison amounts to, as far as the published image can be read.
pub(super) fn judge_image(
    image: &ReadyImage<'_>,
    record: &Record,
    rebuilt: &Rebuilt,
    published: Option<(&Published, &Reader<'_>)>,
    network: RunNetwork,
) -> (VerifiedImage, Option<Failure>) {
    let mut verified = VerifiedImage {
        name: image.surveyed.name.to_owned(),
        engines: rebuilt.engines.clone(),
        warnings: rebuilt.warnings.clone(),
        form: record.form,
        epoch: image.epoch,
        index: rebuilt.assembled.index.as_deref().map(Digest::of),
        recorded_index: None,
        published_index: published.and_then(|(published, _)| published.top),
        not_compared: Vec::new(),
        attestations: published.map_or(0, |(published, _)| published.attestations),
        referrers: published.and_then(|(published, _)| published.referrers),
        frontend: image.surveyed.chosen_frontend(),
        frontends: BTreeMap::new(),
        platforms: Vec::new(),
        is_complete: false,
        explanation: None,
    };
    for built in &rebuilt.assembled.platforms {
        let Some(expected) = record.platforms.get(&built.platform) else { continue };
        if let Err(contradiction) = contradiction::check_platform(&verified.name, expected, built) {
            return (verified, Some(contradiction.into()));
        }
        let frontend = rebuilt.frontends.get(&built.platform).map(String::as_str);
        if let Some(differ) = FrontendsDiffer::between(expected.frontend.as_deref(), frontend) {
            verified.frontends.insert(built.platform.clone(), differ);
        }
        let evidence = Evidence {
            platform: built.platform.clone(),
            expected: record::facts(expected),
            rebuilt: built.facts(),
            published: published.map(|(published, _)| published.platforms.get(&built.platform).cloned()),
            network,
        };
        if let (Some((published, reader)), Some(Some(image))) = (published, &evidence.published)
            && let Some(facts) = image.facts()
            && compare(&facts, &evidence.rebuilt).is_some_and(|difference| difference.layers.is_empty())
        {
            let known = built.layers.iter().map(|layer| (layer.descriptor.digest, layer.diff_id)).collect();
            if let Err(error) = published.confirm(&built.platform, &known, reader) {
                return (verified, Some(error.into()));
            }
        }
        let verdict = judge(&evidence);
        verified.platforms.push((evidence, verdict));
    }
    let mut stands_in = None;
    if let Some((published, _)) = published {
        let is_compared =
            |platform: &&Platform| verified.platforms.iter().any(|(evidence, _)| evidence.platform == **platform);
        verified.not_compared = published.platforms.keys().filter(|it| !is_compared(it)).cloned().collect();
        let compared: Vec<&Platform> = verified.platforms.iter().map(|(case, _)| &case.platform).collect();
        // What is recorded was left out on purpose.
        let recorded = |platform: &&Platform| record.platforms.contains_key(*platform);
        let others: Vec<Platform> = verified.not_compared.iter().filter(|it| !recorded(it)).cloned().collect();
        stands_in = StandsIn::find(&verified.name, &others, &compared);
    }
    verified.is_complete = true;
    // A record of the same platforms must have the same index around them.
    if image.platforms.len() == image.surveyed.image.platforms.len() {
        verified.recorded_index = record.index;
    }
    let differs = match (verified.recorded_index, verified.index) {
        (Some(recorded), Some(rebuilt)) if recorded != rebuilt => {
            Some(IndexDiffers { image: verified.name.clone(), recorded, rebuilt }.into())
        }
        _ => stands_in.map(Failure::from),
    };
    (verified, differs)
}
