//! Two sides, held against each other down to the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::error::DiffError;
use super::pairs::{Pairs, pairs};
use super::{Diff, DiffVerdict, PlatformDiff};
use crate::bounds::Bounds;
use crate::compare::Side;
use crate::compare::layers::Unlike;
use crate::digest::AnyDigest;
use crate::explain::{Class, Difference, ImagePair, Missing, explain_indexes, layers_to_read};
use crate::finding::Finding;
use crate::platform::Platform;
use crate::status::Failure;

/// What of two sides is compared.
pub(in crate::project) struct Asked<'a> {
    /// The platforms that count; all if it is empty.
    pub platforms: &'a [Platform],
    /// Compare what is to be seen in the end, not layer by layer.
    pub is_merged: bool,
}

/// Why two sides differ, each called by its place.
///
/// Blobs that both sides name are not read, unless nothing else tells whether their bytes are what they are called.
///
/// # Errors
/// When a blob can't be had, or a limit is lower than is needed.
pub(in crate::project) fn compare(
    places: [String; 2],
    sides: &mut [Side<'_>; 2],
    asked: &Asked<'_>,
    bounds: Bounds<'_>,
) -> Result<Diff, Failure> {
    let mut diff = Diff::of(places);
    diff.failures = broken(&diff.places, sides);
    if !diff.failures.is_empty() {
        return Ok(diff);
    }
    let pairs = pairs(sides, asked.platforms)?;
    let mut wanted: [BTreeSet<Vec<u8>>; 2] = Default::default();
    for images in both(&pairs) {
        let more = layers_to_read([&sides[0], &sides[1]], images, asked.is_merged);
        wanted.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
    }
    let unlike = Unlike::default();
    let [one, other] = sides;
    let (first, second) = rayon::join(
        || one.examine(&wanted[0], Some(&unlike.side(0)), bounds),
        || other.examine(&wanted[1], Some(&unlike.side(1)), bounds),
    );
    first.and(second).map_err(DiffError::from)?;
    diff.failures = broken(&diff.places, sides);
    if !diff.failures.is_empty() {
        return Ok(diff);
    }
    if asked.platforms.is_empty() {
        diff.index = explain_indexes(&sides[0], &sides[1]).map_err(DiffError::from)?;
    }
    for (platform, images) in &pairs {
        let found = platform_diff(sides, platform.clone(), *images, (&unlike, asked.is_merged), bounds);
        diff.platforms.push(found.map_err(DiffError::from)?);
    }
    let is_equal = |found: &PlatformDiff| matches!(found.verdict, DiffVerdict::Same | DiffVerdict::Packaging);
    let equal = pairs.iter().zip(&diff.platforms).filter(|(_, found)| is_equal(found)).map(|(pair, _)| pair.clone());
    confirm(sides, &equal.collect(), bounds).map_err(DiffError::from)?;
    diff.failures = broken(&diff.places, sides);
    if !diff.failures.is_empty() {
        diff = Diff { failures: diff.failures, ..Diff::of(diff.places) };
    }
    Ok(diff)
}

fn both(pairs: &Pairs) -> impl Iterator<Item = [usize; 2]> {
    pairs.iter().filter_map(|(_, [one, other])| Some([(*one)?, (*other)?]))
}

/// Hashes the layers of images that count as equal and were not read: a file may hold other bytes than it says.
fn confirm(sides: &mut [Side<'_>; 2], equal: &Pairs, bounds: Bounds<'_>) -> io::Result<()> {
    let mut blobs: [BTreeMap<Vec<u8>, AnyDigest>; 2] = Default::default();
    for images in both(equal) {
        for (side, image) in images.into_iter().enumerate() {
            let layers = &sides[side].closure.images[image].layers;
            blobs[side].extend(layers.iter().filter_map(|layer| Some((layer.member.clone(), layer.digest?))));
        }
    }
    let [one, other] = sides;
    let (first, second) = rayon::join(|| one.confirm(&blobs[0], bounds), || other.confirm(&blobs[1], bounds));
    first.and(second)
}

/// What is wrong with either side.
pub(super) fn broken(places: &[String; 2], sides: &[Side<'_>; 2]) -> Vec<Failure> {
    let of = |(place, side): (&String, &Side<'_>)| violations(place, side);
    places.iter().zip(sides).flat_map(of).collect()
}

/// What is wrong with one side.
pub(super) fn violations(place: &str, side: &Side<'_>) -> Vec<Failure> {
    let failure = |finding: &Finding| -> Failure {
        DiffError::Broken { place: place.to_owned(), finding: finding.clone() }.into()
    };
    side.violations().iter().map(failure).collect()
}

fn platform_diff(
    sides: &[Side<'_>; 2],
    platform: String,
    images: [Option<usize>; 2],
    (unlike, is_merged): (&Unlike, bool),
    bounds: Bounds<'_>,
) -> io::Result<PlatformDiff> {
    let facts = |side: usize| images[side].map(|image| sides[side].closure.images[image].clone());
    let mut found = PlatformDiff {
        platform,
        verdict: DiffVerdict::Missing,
        images: [facts(0), facts(1)],
        differences: Vec::new(),
        unread_layers: 0,
    };
    let [Some(one), Some(other)] = images else {
        let missing = if images[0].is_some() { Missing::Second } else { Missing::First };
        found.differences = vec![Difference::platform_missing(&found.platform, missing)];
        return Ok(found);
    };
    let pair = ImagePair { sides: [&sides[0], &sides[1]], images: [one, other], unlike, is_merged };
    let mut lower = |place: usize| {
        let mut left = bounds.limits.compare_entries;
        let layers = sides[0].closure.images[one].layers[..place].iter();
        layers.map(|layer| sides[0].read_table(layer, &mut left, bounds)).collect()
    };
    found.differences = pair.explain(bounds, &mut lower)?;
    found.differences.sort_by(Difference::worst_first);
    let is_packaging = found.differences.iter().all(|difference| difference.class == Class::Packaging);
    found.verdict = match is_packaging {
        _ if found.differences.is_empty() => DiffVerdict::Same,
        true => DiffVerdict::Packaging,
        false => DiffVerdict::Differs,
    };
    let image = &sides[0].closure.images[one];
    let is_unread = |layer| sides[0].closure.examined(&sides[0].archive, layer).is_none();
    found.unread_layers = image.layers.iter().filter(|layer| is_unread(layer)).count();
    Ok(found)
}
