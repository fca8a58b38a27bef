//! Why a rebuilt image is not the one that was meant: held against the published image, the recorded bytes, or a second
//! build of its own, whichever is at hand.

use std::path::Path;

use super::diff::{Asked, Diff, PlatformDiff, built, compare, read};
use super::engines::Engines;
use super::files::shown;
use super::locked::LockedProject;
use super::ready::ReadyImage;
use super::rebuild::RebuildOptions;
use super::rebuilt::Rebuilt;
use super::scratch::ScratchDirectory;
use super::self_check;
use crate::bounds::Bounds;
use crate::compare::Side;
use crate::escape;
use crate::platform::Platform;
use crate::source::Place;
use crate::status::{Failure, Status};
use crate::verify::{Evidence, Verdict};

/// Why a rebuilt image is not the one that was meant.
pub struct Explanation {
    /// What the rebuilt image was held against.
    pub question: Question,
    /// How they differ.
    pub diff: Diff,
}

/// What a rebuilt image is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The published image.
    Published,
    /// The recorded image, whose bytes are there.
    Recorded,
    /// A second build: whether the image is reproducible at all.
    SecondBuild,
    /// Nothing, since nothing differs.
    Nothing,
}

/// What there is to hold a rebuilt image against.
pub(super) struct Witnesses<'a> {
    /// The published image: where it is, how that was typed, and its name among several.
    pub published: Option<(&'a Place, &'a str, Option<&'a str>)>,
    /// Where the recorded bytes are.
    pub recorded: Option<&'a Path>,
}

/// What one image is explained from.
pub(super) struct Rebuild<'a> {
    pub locked: &'a LockedProject<'a>,
    pub engines: &'a Engines,
    pub image: &'a ReadyImage<'a>,
    pub options: &'a RebuildOptions<'a>,
    pub work: &'a ScratchDirectory,
    pub rebuilt: &'a Rebuilt,
}

/// Explains the verdicts on an image; nothing where there is nothing to explain.
///
/// # Errors
/// When what it is held against can't be had or read.
pub(super) fn explain(
    rebuild: &Rebuild<'_>,
    verdicts: &[(Evidence, Verdict)],
    witnesses: &Witnesses<'_>,
) -> Result<Option<Explanation>, Failure> {
    let machine = rebuild.locked.machine;
    let unlike = |is_unlike: fn(&Evidence) -> bool| {
        let verdicts =
            verdicts.iter().filter(|(evidence, verdict)| verdict.status() == Status::Differs && is_unlike(evidence));
        verdicts.map(|(evidence, _)| evidence).collect::<Vec<_>>()
    };
    let unlike_published = unlike(is_unlike_published);
    if let (Some((place, typed, name)), false) = (witnesses.published, unlike_published.is_empty()) {
        match place {
            Place::Stdin => machine.progress.note(
                "the published image came through a pipe and can't be read again: what differs from it is not explained",
            ),
            _ => {
                let published = read(machine, place, name)?;
                let diff = rebuild.compare(escape::text(typed).into_owned(), published, &unlike_published)?;
                return Ok(Some(Explanation { question: Question::Published, diff }));
            }
        }
    }
    let unlike_recorded = unlike(is_unlike_recorded);
    if unlike_recorded.is_empty() {
        return Ok(None);
    }
    if let Some(path) = witnesses.recorded {
        let recorded = read(machine, &Place::Path(path.to_owned()), None)?;
        if unlike_recorded.iter().all(|evidence| is_recorded(&recorded, evidence)) {
            let diff = rebuild.compare(shown(path), recorded, &unlike_recorded)?;
            return Ok(Some(Explanation { question: Question::Recorded, diff }));
        }
        machine.progress.warn(&format!("`{}` is not the recorded image: nothing is held against it", shown(path)));
    }
    let Rebuild { locked, engines, image, options, work, rebuilt } = *rebuild;
    let second = self_check::again(locked, engines, image, options, work)?;
    let diff = self_check::two_builds(locked, image, [rebuilt, &second], work)?;
    Ok(Some(Explanation { question: Question::SecondBuild, diff }))
}

impl Explanation {
    /// What is told of an image that is the one that was meant.
    pub(super) fn of_nothing(record: &str, verdicts: &[(Evidence, Verdict)]) -> Self {
        let platforms = verdicts.iter().map(|(evidence, _)| PlatformDiff::same(evidence.platform.to_string()));
        let diff = Diff { platforms: platforms.collect(), ..Diff::of([record.to_owned(), REBUILT.to_owned()]) };
        Self { question: Question::Nothing, diff }
    }
}

/// What the rebuilt image is called.
const REBUILT: &str = "rebuilt";

impl Rebuild<'_> {
    /// Holds the rebuilt image against another one.
    fn compare(&self, place: String, other: Side<'_>, unlike: &[&Evidence]) -> Result<Diff, Failure> {
        let machine = self.locked.machine;
        let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
        let work = self.work.sub("compared".to_owned());
        let rebuilt = built(&self.rebuilt.assembled, &self.locked.resolver, &work, bounds)?;
        let platforms: Vec<Platform> = unlike.iter().map(|evidence| evidence.platform.clone()).collect();
        let asked = Asked { platforms: &platforms, is_merged: false };
        let mut diff = compare([place, REBUILT.to_owned()], &mut [other, rebuilt], &asked, bounds)?;
        diff.find_lines(&self.image.instructions());
        Ok(diff)
    }
}

fn is_unlike_published(evidence: &Evidence) -> bool {
    let Some(Some(published)) = &evidence.published else { return false };
    match published.manifest {
        Some(manifest) => manifest != evidence.rebuilt.manifest,
        None => published.config != evidence.rebuilt.config,
    }
}

fn is_unlike_recorded(evidence: &Evidence) -> bool {
    evidence.expected.manifest != evidence.rebuilt.manifest
}

/// Whether a side holds the recorded image of a platform; a docker archive has its config only.
fn is_recorded(side: &Side<'_>, evidence: &Evidence) -> bool {
    side.closure.images.iter().any(|image| match image.manifest {
        Some(manifest) => manifest == evidence.expected.manifest.into(),
        None => image.config_digest == Some(evidence.expected.config.into()),
    })
}
