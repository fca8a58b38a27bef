//! A record's expected digests beside an image, or beside another record: as far as digests tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::compare::violations;
use super::error::DiffError;
use super::read::read;
use super::{Diff, DiffOptions, DiffVerdict, PlatformDiff};
use crate::bounds::Bounds;
use crate::compare::Side;
use crate::digest::{AnyDigest, DiffId, Digest};
use crate::explain::{Difference, Missing, explain_digests};
use crate::image::validate::{ImageFacts, LayerFacts, Role};
use crate::lockfile::{PlatformRecord, Record};
use crate::project::machine::Machine;
use crate::project::open::Project;
use crate::source::{Bare, Place};
use crate::status::Failure;

/// What a record is called by, before the name of its image.
const PREFIX: &str = "lock:";

/// The image whose record is meant; none where it is another place.
pub(super) fn name(place: &Path) -> Option<&str> {
    place.to_str()?.strip_prefix(PREFIX)
}

/// The images of one side by platform, and what lists them, as far as that is known.
struct Known<'a> {
    index: Option<AnyDigest>,
    images: BTreeMap<String, ImageFacts>,
    /// The side that was read; none for a record.
    side: Option<Side<'a>>,
}

/// Compares two places, of which one is a record at least.
pub(super) fn diff(
    machine: &Machine,
    options: &DiffOptions,
    places: [String; 2],
    records: [Option<&str>; 2],
    bounds: Bounds<'_>,
) -> Result<Diff, Failure> {
    let mut diff = Diff::of(places);
    let known = |at: usize| match records[at] {
        Some(image) => of_record(machine, image),
        None => of_place(machine, &options.places[at]),
    };
    let mut sides = [known(0)?, known(1)?];
    diff.failures = broken(&diff.places, &sides);
    if !diff.failures.is_empty() {
        return Ok(diff);
    }
    let names: BTreeSet<String> = sides.iter().flat_map(|side| side.images.keys().cloned()).collect();
    let wanted = options.platform.as_ref().map(ToString::to_string);
    if let (Some(platform), Some(wanted)) = (&options.platform, &wanted)
        && !names.contains(wanted)
    {
        let known = names.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DiffError::Absent { wanted: platform.clone(), known }.into());
    }
    for platform in names.into_iter().filter(|name| wanted.as_ref().is_none_or(|wanted| name == wanted)) {
        let images = [0, 1].map(|at| sides[at].images.get(&platform).cloned());
        diff.platforms.push(platform_diff(platform, images));
    }
    if let ([Some(one), Some(other)], None) = (sides.each_ref().map(|side| side.index), &wanted)
        && one != other
    {
        diff.index.push(Difference::of_recorded_index(one, other));
    }
    confirm(&mut sides, &diff.platforms, bounds)?;
    diff.failures = broken(&diff.places, &sides);
    if !diff.failures.is_empty() {
        diff = Diff { failures: diff.failures, ..Diff::of(diff.places) };
    }
    Ok(diff)
}

fn broken(places: &[String; 2], sides: &[Known<'_>; 2]) -> Vec<Failure> {
    let read = places.iter().zip(sides).filter_map(|(place, known)| Some((place, known.side.as_ref()?)));
    read.flat_map(|(place, side)| violations(place, side)).collect()
}

fn platform_diff(platform: String, images: [Option<ImageFacts>; 2]) -> PlatformDiff {
    let (verdict, differences) = match &images {
        [Some(one), Some(other)] => {
            let differences = explain_digests(one, other);
            let is_equal = one.config_digest == other.config_digest;
            let verdict = match differences.is_empty() {
                true => DiffVerdict::Same,
                false if is_equal => DiffVerdict::Packaging,
                false => DiffVerdict::Differs,
            };
            (verdict, differences)
        }
        [one, _] => {
            let missing = if one.is_some() { Missing::Second } else { Missing::First };
            (DiffVerdict::Missing, vec![Difference::platform_missing(&platform, missing)])
        }
    };
    let unread_layers = images[0].as_ref().map_or(0, |image| image.layers.len());
    PlatformDiff { platform, verdict, images, differences, unread_layers }
}

/// What counts as equal is what its digests say: stored layers are hashed, and where the image manifest is another one
/// their contents, too, since the config's diff IDs are all that speaks for them.
fn confirm(sides: &mut [Known<'_>; 2], platforms: &[PlatformDiff], bounds: Bounds<'_>) -> Result<(), Failure> {
    for (at, known) in sides.iter_mut().enumerate() {
        let Some(side) = &mut known.side else { continue };
        let of = |verdict: DiffVerdict| {
            let images = platforms.iter().filter(move |found| found.verdict == verdict);
            images.filter_map(move |found| found.images[at].as_ref()).flat_map(|image| &image.layers)
        };
        let stored = of(DiffVerdict::Same).filter_map(|layer| Some((layer.member.clone(), layer.digest?))).collect();
        side.confirm(&stored, bounds).map_err(DiffError::from)?;
        // The layers of a docker archive have no other name than their content.
        let nameless = of(DiffVerdict::Same).filter(|layer| layer.digest.is_none());
        let read: BTreeSet<Vec<u8>> =
            of(DiffVerdict::Packaging).chain(nameless).map(|layer| layer.member.clone()).collect();
        if !read.is_empty() {
            side.examine(&read, None, bounds).map_err(DiffError::from)?;
        }
    }
    Ok(())
}

fn of_record(machine: &Machine, name: &str) -> Result<Known<'static>, Failure> {
    let project = Project::open(machine)?;
    project.images(&[name.to_owned()])?;
    let lockfile = project.lockfile(machine)?;
    let record = lockfile.images.get(name).and_then(|image| image.record.as_ref());
    let Record { index, platforms, .. } = record.ok_or_else(|| DiffError::NoRecord(name.to_owned()))?;
    let images = platforms.iter().map(|(platform, record)| (platform.to_string(), facts(record))).collect();
    Ok(Known { index: index.map(AnyDigest::from), images, side: None })
}

/// What a record says of an image.
fn facts(record: &PlatformRecord) -> ImageFacts {
    let layer = |diff_id: &DiffId| LayerFacts {
        digest: None,
        member: Vec::new(),
        media_type: String::new(),
        size: 0,
        diff_id: Some(AnyDigest::Sha256(Digest::from_bytes(*diff_id.as_bytes()))),
        compression: None,
        uncompressed_size: None,
        entries: None,
        newest_mtime: None,
        annotations: BTreeMap::new(),
    };
    ImageFacts {
        role: Role::Image,
        manifest: Some(record.manifest.into()),
        manifest_size: record.size,
        media_type: String::new(),
        names: Vec::new(),
        config_digest: Some(record.config.into()),
        config_size: 0,
        config: None,
        layers: record.layers.iter().map(layer).collect(),
        is_shortened: true,
        annotations: BTreeMap::new(),
        artifact_type: None,
        about: None,
        subject: None,
    }
}

fn of_place(machine: &Machine, place: &Path) -> Result<Known<'static>, Failure> {
    let side = read(machine, &Place::parse(place, Bare::Path, &machine.directory)?, None)?;
    let images = side.closure.images.iter().filter(|image| image.role == Role::Image);
    let named =
        |image: &ImageFacts| image.platform().map_or_else(|| "unknown".to_owned(), |platform| platform.to_string());
    let images = images.map(|image| (named(image), image.clone())).collect();
    let index = match side.closure.tops[..] {
        [top] if side.closure.images.iter().all(|image| image.manifest != Some(top)) => Some(top),
        _ => None,
    };
    Ok(Known { index, images, side: Some(side) })
}
