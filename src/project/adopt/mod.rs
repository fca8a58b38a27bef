//! From a Dockerfile to a record in one go: manifest, pins, tape, two builds, what makes them equal, record, verdict.
//!
//! The build that records what RUN downloads is the first of the two builds; the second one comes from the tape alone and
//! is the verdict's rebuild. What both differ in is mended without another build where scrub profiles do that
//! ([`Rebuilt::packed_again`]). `choose` says what is added to the manifest, and when: what one build shows already
//! is added before the second, which then is the first of two. So an image is built twice, or three times where its
//! manifest changes what RUN or the context gives. Every file is written whole, so a run that is stopped is gone on with
//! by the next.

mod choose;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::engines::{EngineOptions, Engines};
use super::init::{Initialised, init};
use super::lock::{LockNetwork, LockOptions, lock, lock_keeping};
use super::locked::LockedProject;
use super::machine::Machine;
use super::open::Project;
use super::ready::{ReadyImage, ReadyOptions, ready};
use super::rebuild::{RebuildOptions, rebuild};
use super::rebuilt::{Packing, Rebuilt, Round};
use super::record::{self, RecordTarget};
use super::scratch::ScratchDirectory;
use super::self_check::{self, Checked, compare_builds};
use super::tape::say_private;
use super::verify::{Verification, VerifiedImage, judge_image};
use crate::digest::Digest;
use crate::imports::Note;
use crate::lockfile::{Change, Selection};
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::RunNetwork;
use choose::Additions;

/// What is adopted, and by what.
#[derive(Clone, Debug)]
pub struct AdoptOptions {
    /// The Dockerfile of a new manifest; none for those that are there.
    pub dockerfile: Option<PathBuf>,
    /// The image's name in a new manifest; none for the directory's.
    pub name: Option<String>,
    /// Which engines, and what they may do.
    pub engine: EngineOptions,
}

/// What adopting came to.
pub struct Adopted {
    /// The manifest.
    pub file: PathBuf,
    /// Whether it was written now.
    pub written: bool,
    /// What was seen, and what of a new manifest follows from it.
    pub notes: Vec<Note>,
    /// Pins and tapes that are new or other ones.
    pub changes: Vec<Change>,
    /// The images, in the manifest's order, as far as they were built.
    pub images: Vec<AdoptedImage>,
    /// The verdicts of the last builds on what was recorded, and what went wrong with single images.
    pub verification: Verification,
}

/// One image that was adopted, or why not.
pub struct AdoptedImage {
    /// Its name in the manifest.
    pub name: String,
    /// How often an engine built each of its platforms, each time without cache.
    pub builds: u32,
    /// What was added to the manifest for it.
    pub added: Additions,
    /// What the last two builds showed, by platform, before what they asked for was added.
    pub checked: Vec<Checked>,
}

/// What was changed for one image is in the context of another one, which was built before.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not recorded: repro.toml, which is a part of its context, was changed after it was built")]
struct ManifestMoved(String);

impl ExitStatus for ManifestMoved {
    fn status(&self) -> Status {
        Status::Differs
    }

    fn hint(&self) -> Option<String> {
        Some("run `repro adopt` again: it goes on with what it has now".to_owned())
    }
}

/// One image on its way.
struct Image {
    first: Rebuilt,
    second: Option<Rebuilt>,
    checked: Vec<Checked>,
    builds: u32,
    added: Additions,
    /// The files that it was built of.
    files: Files,
}

impl Image {
    /// Whether both builds are equal, or are made so by what is left out.
    fn is_good(&self) -> bool {
        self.checked.iter().all(|checked| checked.is_reproducible() || checked.check.is_fixed)
    }
}

/// The files that an image is built of, by their digests.
#[derive(PartialEq, Eq)]
struct Files(Digest, BTreeMap<String, Digest>);

impl Files {
    fn of(ready: &ReadyImage<'_>) -> Self {
        Self(ready.tree.context.digest(), ready.tree.context_digests())
    }
}

/// One run: what it works with, and what it has so far.
struct Adoption<'a> {
    machine: &'a Machine,
    engine: &'a EngineOptions,
    work: &'a ScratchDirectory,
    images: BTreeMap<String, Image>,
    failures: Vec<Failure>,
}

/// Adopts every image of the manifest that is here, or of a new one.
pub fn adopt(machine: &Machine, options: &AdoptOptions) -> Result<Adopted, Failure> {
    let initialised = init(machine, options.dockerfile.as_deref(), options.name.as_deref())?;
    let project = Project::open(machine)?;
    let mut changes = Vec::new();
    if initialised.written {
        // Only with its pins is known what a base brings along.
        changes.extend(lock(machine, &project, &locking(LockNetwork::Nothing, &options.engine))?.changes);
        choose::surroundings(machine, &project)?;
    }
    let work = ScratchDirectory::new(machine)?;
    let mut adoption =
        Adoption { machine, engine: &options.engine, work: &work, images: BTreeMap::new(), failures: Vec::new() };
    let project = Project::open(machine)?;
    let locked = lock_keeping(machine, &project, &locking(LockNetwork::Missing, &options.engine), Some(&work))?;
    changes.extend(locked.changes);
    let recorded = locked.recordings.into_iter().filter_map(|it| Some((it.image, it.rebuilt?))).collect();
    adoption.build_first(&project, recorded)?;
    let project = adoption.add(&project)?;
    adoption.build_second(&project)?;
    let project = adoption.add(&project)?;
    let verified = adoption.record(&project)?;
    let Adoption { mut images, failures, .. } = adoption;
    let in_order = project.manifest.images.keys().filter_map(|name| {
        let Image { checked, builds, added, .. } = images.remove(name)?;
        Some(AdoptedImage { name: name.clone(), builds, added, checked })
    });
    let images = in_order.collect();
    let verification =
        Verification { against: None, checked_out: None, mirrors: BTreeSet::new(), images: verified, failures };
    let Initialised { file, written, notes } = initialised;
    Ok(Adopted { file, written, notes, changes, images, verification })
}

fn locking(network: LockNetwork, engine: &EngineOptions) -> LockOptions {
    LockOptions {
        selection: Selection::None,
        min_age: None,
        side: None,
        locked: false,
        dry_run: false,
        network,
        engine: engine.clone(),
    }
}

impl Adoption<'_> {
    fn options(&self, round: Round) -> RebuildOptions<'_> {
        RebuildOptions { engine: self.engine, no_cache: true, packing: Packing::ToCompare, round }
    }

    fn ready<'p>(&self, locked: &LockedProject<'p>) -> Result<Vec<ReadyImage<'p>>, Failure> {
        let options =
            ReadyOptions { platforms: &[], secrets: &self.engine.secrets, with_tapes: true, only_recorded: false };
        ready(locked, locked.survey(&[])?, &options, Some(&locked.lockfile))
    }

    /// Builds what the recording of tapes has not built, and looks at what each build shows alone.
    fn build_first(&mut self, project: &Project, mut recorded: BTreeMap<String, Rebuilt>) -> Result<(), Failure> {
        let locked = LockedProject::open(self.machine, project)?;
        let engines = Engines::new(&locked, self.engine)?;
        for ready in self.ready(&locked)? {
            let name = ready.surveyed.name;
            let first = match recorded.remove(name) {
                Some(first) => Ok(first),
                None => rebuild(&locked, &engines, &ready, &self.options(Round::First), self.work),
            };
            self.machine.cancel.check()?;
            match first {
                Ok(first) => {
                    let added = choose::foreseen(self.machine, &ready, &first)?;
                    let (files, checked) = (Files::of(&ready), Vec::new());
                    self.images
                        .insert(name.to_owned(), Image { first, second: None, checked, builds: 1, added, files });
                }
                Err(failure) => self.failures.push(failure),
            }
        }
        Ok(())
    }

    /// Builds once more, first what is not what it was in the first build, and holds both against each other.
    fn build_second(&mut self, project: &Project) -> Result<(), Failure> {
        let locked = LockedProject::open(self.machine, project)?;
        let engines = Engines::new(&locked, self.engine)?;
        for ready in self.ready(&locked)? {
            let name = ready.surveyed.name;
            let Some(mut image) = self.images.remove(name) else { continue };
            match self.second(&locked, &engines, &ready, &mut image) {
                Ok(()) => {
                    self.images.insert(name.to_owned(), image);
                }
                Err(failure) => self.failures.push(failure),
            }
            self.machine.cancel.check()?;
        }
        Ok(())
    }

    fn second(
        &self,
        locked: &LockedProject<'_>,
        engines: &Engines,
        ready: &ReadyImage<'_>,
        image: &mut Image,
    ) -> Result<(), Failure> {
        let files = Files::of(ready);
        if image.added.variables.is_empty() && image.files == files {
            if !image.added.profiles.is_empty() {
                image.first = image.first.packed_again(locked, ready, Packing::ToCompare, Round::First)?;
            }
        } else {
            image.first = rebuild(locked, engines, ready, &self.options(Round::Anew), self.work)?;
            image.builds += 1;
            image.files = files;
        }
        let second = self_check::again(locked, engines, ready, &self.options(Round::First), self.work)?;
        image.builds += 1;
        let compare = |one: &Rebuilt, other: &Rebuilt| {
            compare_builds(locked, ready, self.engine.allow, [one, other], self.work).map(|(checked, _)| checked)
        };
        image.checked = compare(&image.first, &second)?;
        if !image.is_good() {
            // People are told the digests that both images have.
            let packed = |build: &Rebuilt, round| build.packed_again(locked, ready, Packing::Digests, round);
            image.checked = compare(&packed(&image.first, Round::Second)?, &packed(&second, Round::Second)?)?;
        }
        image.second = Some(second);
        image.added.take_from(ready, &image.checked);
        Ok(())
    }

    /// Adds to the manifest what was chosen since it was last written, and locks it.
    fn add(&mut self, project: &Project) -> Result<Project, Failure> {
        let additions = self.images.iter_mut().filter(|(_, image)| image.added.is_new());
        if choose::write(self.machine, project, additions.map(|(name, image)| (name, &mut image.added)))? {
            let project = Project::open(self.machine)?;
            lock(self.machine, &project, &locking(LockNetwork::Nothing, self.engine))?;
        }
        Project::open(self.machine)
    }

    /// Records what both builds gave, and gives the verdicts of the second one.
    fn record(&mut self, project: &Project) -> Result<Vec<VerifiedImage>, Failure> {
        let locked = LockedProject::open(self.machine, project)?;
        let mut verified = Vec::new();
        for ready in self.ready(&locked)? {
            let name = ready.surveyed.name;
            let Some(image) = self.images.get(name) else { continue };
            let Some(second) = &image.second else { continue };
            if !image.is_good() {
                let failures = image.checked.iter().filter_map(|checked| checked.failure(name));
                self.failures.extend(failures);
                continue;
            }
            if image.files != Files::of(&ready) {
                self.failures.push(ManifestMoved(name.to_owned()).into());
                continue;
            }
            let packed = |build: &Rebuilt, packing, round| build.packed_again(&locked, &ready, packing, round);
            let compared = |build| packed(build, Packing::ToCompare, Round::Second);
            if !compared(&image.first)?.is_equal_to(&compared(second)?) {
                self.failures.extend(image.checked.iter().filter_map(|checked| checked.failure(name)));
                continue;
            }
            let first = packed(&image.first, Packing::Digests, Round::First)?;
            let second = second.packed_as(&first);
            record::write(&locked, &ready, record::of(&locked, &ready, &first), &RecordTarget::Lockfile)?;
            if let Some(tape) = &ready.tape {
                say_private(&locked, ready.surveyed.image, name, tape);
            }
            let written = project.lockfile(self.machine)?;
            let Some(record) = written.images.get(name).and_then(|lock| lock.record.as_ref()) else { continue };
            let network = match ready.has_open_network(self.engine.allow) {
                true => RunNetwork::Open { is_accepted: false },
                false => RunNetwork::Closed,
            };
            let (verdict, failure) = judge_image(&ready, record, &second, None, network);
            self.failures.extend(failure);
            verified.push(verdict);
        }
        Ok(verified)
    }
}
