//! Which images of two sides are held against each other.

use std::collections::BTreeMap;

use super::error::DiffError;
use crate::compare::Side;
use crate::escape;
use crate::image::validate::Role;
use crate::platform::Platform;
use crate::status::Failure;

/// The images of both sides that are for the same platform, with its name.
pub(super) type Pairs = Vec<(String, [Option<usize>; 2])>;

/// Pairs the images by platform; those of one processor whose variants differ too, where each side has one.
/// Of those only `platforms` count; none for all.
pub(super) fn pairs(sides: &[Side<'_>; 2], platforms: &[Platform]) -> Result<Pairs, Failure> {
    let mut known: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, number) in sides.iter().zip([0, 1]) {
        for (place, image) in side.closure.images.iter().enumerate().filter(|(_, image)| image.role == Role::Image) {
            let name = image.platform().map_or_else(|| "unknown".to_owned(), |platform| platform.to_string());
            known.entry(name).or_default()[number].push(place);
        }
    }
    let lone = |number: usize| -> BTreeMap<String, String> {
        let only = known.iter().filter(|(_, places)| places[1 - number].is_empty() && places[number].len() == 1);
        only.map(|(name, _)| (processor(name), name.clone())).collect()
    };
    let (first, second) = (lone(0), lone(1));
    for (processor, one) in first {
        let Some(other) = second.get(&processor) else { continue };
        if let Some(places) = known.remove(other)
            && let Some(own) = known.get_mut(&one)
        {
            own[1] = places[1].clone();
        }
    }
    if !platforms.is_empty() {
        let names = known.keys().map(|name| escape::text(name).into_owned()).collect::<Vec<_>>().join(", ");
        if let Some(wanted) = platforms.iter().find(|platform| !known.contains_key(&platform.to_string())) {
            return Err(DiffError::Absent { wanted: wanted.clone(), known: names }.into());
        }
        known.retain(|name, _| platforms.iter().any(|platform| platform.to_string() == *name));
    }
    let mut pairs = Vec::new();
    for (name, [first, second]) in known {
        for at in 0..first.len().max(second.len()) {
            pairs.push((name.clone(), [first.get(at).copied(), second.get(at).copied()]));
        }
    }
    Ok(pairs)
}

/// Operating system and architecture of a platform.
fn processor(platform: &str) -> String {
    platform.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}
