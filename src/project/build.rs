//! Images from locked sources, compared with the record of their tree, or recorded.

use std::path::PathBuf;

use super::build_info::{self, build_info};
use super::built_delta;
use super::commit::{self, CheckedOut};
use super::contradiction;
use super::diff::Diff;
use super::engines::{EngineOptions, Engines};
use super::export::{self, ExportOptions};
use super::locked::LockedProject;
use super::machine::Machine;
use super::open::Project;
use super::ready::{ReadyImage, ReadyOptions, ready};
use super::rebuild::{RebuildOptions, rebuild};
use super::rebuilt::{Packing, Rebuilt, Round};
use super::record::{self, RecordTarget};
use super::remembered::{self, Remembered};
use super::report;
use super::scratch::ScratchDirectory;
use super::self_check::{self, Checked};
use super::ship::{PushedBuild, push_build, pushed_names};
use super::tape::say_private;
use crate::build::{AssembledPlatform, Scrubbed};
use crate::compare::{Facts, compare};
use crate::digest::Digest;
use crate::drift::Stale;
use crate::epoch::Epoch;
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::FrontendsDiffer;

/// What is built, and what becomes of it.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Names of images; none for all.
    pub images: Vec<String>,
    /// Platforms; none for all.
    pub platforms: Vec<Platform>,
    /// Where what comes out is recorded, if it is.
    pub record: Option<RecordTarget>,
    /// Where the image is written.
    pub export: Option<ExportOptions>,
    /// Where a delta is written, and the images that it is from; none for the base.
    pub delta: Option<(PathBuf, Vec<PathBuf>)>,
    /// Push the image under the names of the manifest.
    pub push: bool,
    /// Fail rather than build a tree that is not recorded.
    pub locked: bool,
    /// Start without any cache.
    pub no_cache: bool,
    /// Build once more, and hold both builds against each other.
    pub self_check: bool,
    /// Whether why both builds differ is reported, which takes one image.
    pub is_reported: bool,
    /// Add the scrub profiles that the self-check found to the manifest.
    pub fix: bool,
    /// Whether how the images were built is attested, for which the checkout is looked at.
    pub is_attested: bool,
    /// Where what BuildKit v0.11 wrote of a build is written, if it is.
    pub build_info: Option<PathBuf>,
    /// Which engines, and what they may do.
    pub engine: EngineOptions,
}

impl BuildOptions {
    /// Whether nothing of a build is wanted but what a record says.
    fn wants_only_digests(&self) -> bool {
        let written = self.export.is_some() || self.delta.is_some() || self.build_info.is_some();
        let wants_build = written || self.push || self.is_attested;
        !(wants_build || self.no_cache || self.self_check)
    }
}

/// What a build gave.
pub struct Build {
    /// The images that were built.
    pub images: Vec<BuiltImage>,
    /// The commit that was built, where that is attested.
    pub checked_out: Option<CheckedOut>,
    /// What went wrong with single images.
    pub failures: Vec<Failure>,
}

/// One image that was built.
pub struct BuiltImage {
    /// Its name in the manifest.
    pub name: String,
    /// The engines that built it.
    pub engines: Vec<String>,
    /// The epoch.
    pub epoch: Epoch,
    /// Whether this tree has a record, or got one now.
    pub is_recorded: bool,
    /// Digest of the index, with more than one platform.
    pub index: Option<Digest>,
    /// What came out, by platform.
    pub platforms: Vec<BuiltPlatform>,
    /// Where it was pushed, if it was.
    pub pushed: Option<PushedBuild>,
    /// Why a second build differs, if there was one.
    pub diff: Option<Diff>,
}

/// One platform that was built.
pub struct BuiltPlatform {
    /// The platform.
    pub platform: Platform,
    /// What its image is known by.
    pub facts: Facts,
    /// What each scrub rule named in new layers.
    pub scrubbed: Vec<(String, Scrubbed)>,
    /// What a second build showed.
    pub checked: Option<Checked>,
}

/// What came out is not what the record of this tree says.
#[derive(Debug, thiserror::Error)]
#[error("`{image}` {platform} differs from its record in {level}: recorded {expected}, built {found}{}", cause.as_ref().map(|cause| format!("; {cause}")).unwrap_or_default())]
struct Unlike {
    image: String,
    platform: Platform,
    level: String,
    expected: Digest,
    found: Digest,
    cause: Option<FrontendsDiffer>,
}

impl ExitStatus for Unlike {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// There is no lockfile that a record could go into.
#[derive(Debug, thiserror::Error)]
#[error("`--record` writes beside a manifest, and there is none: give `--record=FILE`")]
struct NowhereToRecord;

impl ExitStatus for NowhereToRecord {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// A delta gives one image.
#[derive(Debug, thiserror::Error)]
#[error("`--delta` takes one image, and there are {0}")]
struct SeveralDeltas(usize);

impl ExitStatus for SeveralDeltas {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name the image on the command line".to_owned())
    }
}

/// Builds what was asked for.
pub fn build(machine: &Machine, project: &Project, options: &BuildOptions) -> Result<Build, Failure> {
    let locked = open(machine, project, options)?;
    let images = images(&locked, options)?;
    let platforms = images.iter().map(|image| image.platforms.len()).sum();
    let target = export::target(machine, options.export.as_ref(), images.len(), platforms)?;
    if options.delta.is_some() && images.len() != 1 {
        return Err(SeveralDeltas(images.len()).into());
    }
    if options.is_reported {
        report::check_count(images.len())?;
    }
    if options.push {
        images.iter().try_for_each(|image| pushed_names(image.surveyed.name, image.surveyed.image).map(drop))?;
    }
    let engines = Engines::new(&locked, &options.engine)?;
    let work = ScratchDirectory::new(machine)?;
    let rebuilding = RebuildOptions {
        engine: &options.engine,
        no_cache: is_uncached(options),
        packing: match target.is_some() || options.push || options.delta.is_some() {
            true => Packing::Kept,
            false => Packing::Digests,
        },
        round: Round::First,
    };
    let checked_out = if options.is_attested { commit::look(machine, project, &images, None)? } else { None };
    let mut build = Build { images: Vec::new(), checked_out, failures: Vec::new() };
    let mut infos = Vec::new();
    for image in &images {
        if options.locked && options.record.is_none() {
            Stale::unless_empty(image.unrecorded.clone())?;
        }
        if let Some(target) = options.record.as_ref().filter(|_| options.wants_only_digests())
            && let Some(remembered) = remembered::recall(&locked, image, &options.engine)?
        {
            build.images.push(record_remembered(&locked, image, remembered, target)?);
            continue;
        }
        let mut rebuilt = rebuild(&locked, &engines, image, &rebuilding, &work);
        // A daemon gives what it kept of an earlier build with the times of that one, which then may lie before the epoch.
        let may_be_kept = |rebuilt: &Rebuilt| rebuilt.engines != ["native"] && is_unlike_record(image, rebuilt);
        if !rebuilding.no_cache && rebuilt.as_ref().is_ok_and(may_be_kept) {
            machine.progress.note(&format!(
                "`{}` is not the recorded image, maybe for what was kept of an earlier build; building again without that",
                image.surveyed.name
            ));
            let again = RebuildOptions { no_cache: true, round: Round::Second, ..rebuilding };
            rebuilt = rebuild(&locked, &engines, image, &again, &work);
        }
        let rebuilt = match rebuilt {
            Ok(rebuilt) => rebuilt,
            Err(failure) => {
                build.failures.push(failure);
                continue;
            }
        };
        machine.cancel.check()?;
        let failed = build.failures.len();
        let (mut checked, mut diff) = (Vec::new(), None);
        if options.self_check {
            match self_check::run(&locked, &engines, image, &rebuilding, &work, &rebuilt) {
                Ok((found, explained)) => {
                    if found.iter().all(Checked::is_reproducible) {
                        remembered::keep(&locked, image, &rebuilt, &options.engine)?;
                    }
                    (checked, diff) = (found, Some(explained));
                }
                Err(failure) => {
                    build.failures.push(failure);
                    continue;
                }
            }
        }
        let mut is_recorded = image.unrecorded.is_empty();
        match &options.record {
            None => compare_with_record(machine, image, &rebuilt, &mut build.failures),
            Some(target) if checked.iter().all(Checked::is_reproducible) => {
                record::write(&locked, image, record::of(&locked, image, &rebuilt), target)?;
                if let Some(tape) = &image.tape {
                    say_private(&locked, image.surveyed.image, image.surveyed.name, tape);
                }
                is_recorded = true;
            }
            Some(_) => {
                machine.progress.note(&format!("`{}` is not recorded: it is not reproducible", image.surveyed.name));
            }
        }
        let mut pushed = None;
        if options.push && build.failures.len() == failed {
            let names = pushed_names(image.surveyed.name, image.surveyed.image)?;
            pushed = Some(push_build(&locked, image.surveyed.image, &rebuilt.assembled, &names)?);
        }
        if let Some(target) = &target {
            export::write(target, image.surveyed.image, &rebuilt.assembled, image.epoch, &locked.resolver)?;
        }
        if let Some((path, from)) = &options.delta {
            built_delta::write(&locked, image, &rebuilt.assembled, path, from)?;
        }
        build.failures.extend(checked.iter().filter_map(|checked| checked.failure(image.surveyed.name)));
        if options.fix {
            self_check::fix(machine, project, image.surveyed.name, &checked)?;
        }
        if options.build_info.is_some() {
            infos.push((image.surveyed.name, build_info(image, &rebuilt)));
        }
        build.images.push(BuiltImage { diff, pushed, ..built(image, rebuilt, checked, is_recorded) });
    }
    if let Some(path) = &options.build_info {
        build_info::write(machine, path, infos)?;
    }
    Ok(build)
}

/// The locked project, once it is known that it has the images and a place for their records.
pub(super) fn open<'a>(
    machine: &'a Machine,
    project: &'a Project,
    options: &BuildOptions,
) -> Result<LockedProject<'a>, Failure> {
    record::check_images(project, &options.images, options.record.as_ref())?;
    if options.record == Some(RecordTarget::Lockfile) && project.lock_path.is_none() {
        return Err(NowhereToRecord.into());
    }
    LockedProject::open(machine, project)
}

/// The images that were asked for, ready.
pub(super) fn images<'a>(locked: &LockedProject<'a>, options: &BuildOptions) -> Result<Vec<ReadyImage<'a>>, Failure> {
    let BuildOptions { images, platforms, engine, .. } = options;
    let ready_options = ReadyOptions { platforms, secrets: &engine.secrets, with_tapes: true, only_recorded: false };
    ready(locked, locked.survey(images)?, &ready_options, Some(&locked.lockfile))
}

/// Whether the build starts without any cache: one that records does, and one whose result another is to equal.
pub fn is_uncached(options: &BuildOptions) -> bool {
    options.no_cache || options.record.is_some() || options.self_check || options.engine.names.len() > 1
}

/// Whether the tree is the recorded one, and a platform not the recorded image.
fn is_unlike_record(image: &ReadyImage<'_>, rebuilt: &Rebuilt) -> bool {
    let Some(record) = image.record.as_ref().filter(|_| image.unrecorded.is_empty()) else { return false };
    let is_unlike = |built: &AssembledPlatform| {
        let expected = record.platforms.get(&built.platform);
        expected.is_some_and(|expected| compare(&record::facts(expected), &built.facts()).is_some())
    };
    rebuilt.assembled.platforms.iter().any(is_unlike)
}

/// Compares with the record where the tree is the recorded one; says so where it is not.
fn compare_with_record(machine: &Machine, image: &ReadyImage<'_>, rebuilt: &Rebuilt, failures: &mut Vec<Failure>) {
    let Some(record) = image.record.as_ref().filter(|_| image.unrecorded.is_empty()) else {
        let reasons: Vec<String> = image.unrecorded.iter().map(|drift| drift.finding().to_string()).collect();
        machine.progress.note(&format!(
            "nothing to compare with: {}; the epoch is {} ({})",
            reasons.join("; "),
            image.epoch,
            image.epoch.rfc3339()
        ));
        return;
    };
    let name = image.surveyed.name;
    failures.extend(contradiction::check_index(name, image.surveyed.image, record).err().map(Failure::from));
    for built in &rebuilt.assembled.platforms {
        let Some(expected) = record.platforms.get(&built.platform) else { continue };
        failures.extend(contradiction::check_platform(name, expected, built).err().map(Failure::from));
        let frontend = rebuilt.frontends.get(&built.platform).map(String::as_str);
        let cause = FrontendsDiffer::between(expected.frontend.as_deref(), frontend);
        let (expected, found) = (record::facts(expected), built.facts());
        if let Some(difference) = compare(&expected, &found) {
            let unlike = Unlike {
                image: image.surveyed.name.to_owned(),
                platform: built.platform.clone(),
                level: difference.level().in_words(),
                expected: expected.manifest,
                found: found.manifest,
                cause,
            };
            failures.push(unlike.into());
        }
    }
}

fn built(image: &ReadyImage<'_>, rebuilt: Rebuilt, mut checked: Vec<Checked>, is_recorded: bool) -> BuiltImage {
    let index = rebuilt.assembled.index.as_deref().map(Digest::of);
    let platforms = rebuilt.assembled.platforms.into_iter().map(|built| {
        let of_platform = checked.iter().position(|checked| checked.platform == built.platform);
        let checked = of_platform.map(|at| checked.swap_remove(at));
        BuiltPlatform { facts: built.facts(), platform: built.platform, scrubbed: built.scrubbed, checked }
    });
    BuiltImage {
        name: image.surveyed.name.to_owned(),
        engines: rebuilt.engines,
        epoch: image.epoch,
        is_recorded,
        index,
        platforms: platforms.collect(),
        pushed: None,
        diff: None,
    }
}

/// Records what a self-check has just shown, as the build would be that it is of.
fn record_remembered(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    Remembered { engines, record }: Remembered,
    target: &RecordTarget,
) -> Result<BuiltImage, Failure> {
    let (name, image) = (ready.surveyed.name, ready.surveyed.image);
    locked.machine.progress.note(&format!(
        "`{name}` is recorded as a self-check of the same plan has just built it twice; `--no-cache` builds it again"
    ));
    record::write(locked, ready, record.clone(), target)?;
    if let Some(tape) = &ready.tape {
        say_private(locked, image, name, tape);
    }
    let index = (ready.platforms.len() == image.platforms.len()).then(|| record::index(&record, image)).flatten();
    let platform = |platform: &Platform| {
        let facts = record::facts(record.platforms.get(platform)?);
        Some(BuiltPlatform { platform: platform.clone(), facts, scrubbed: Vec::new(), checked: None })
    };
    let platforms = ready.platforms.iter().filter_map(platform).collect();
    let (epoch, name) = (record.epoch, name.to_owned());
    Ok(BuiltImage { name, engines, epoch, is_recorded: true, index, platforms, pushed: None, diff: None })
}
