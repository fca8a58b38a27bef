//! The images that a delta is made from and applied to: sound, their layers left to be read when they are wanted.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::machine::Machine;
use super::super::online;
use crate::delta::Side;
use crate::image::archive::Surroundings;
use crate::image::validate::{self, Form, Selection};
use crate::layer::Listed;
use crate::source::{Bare, Blobs, Place, ReadError, Wanted};
use crate::status::Failure;

/// Reads the image at a place.
///
/// The layers of docker archives are read here already: only their bytes tell their digests.
pub(super) fn read(machine: &Machine, typed: &Path) -> Result<Side, Failure> {
    let place = Place::parse(typed, Bare::Path, &machine.directory)?;
    let registries = match place.is_registry() && !machine.offline {
        true => Some((online::registry(machine)?, machine.cache()?)),
        false => None,
    };
    let reader = online::reader(machine, registries.as_ref().map(|(registry, cache)| (registry, cache)));
    let wanted = Wanted { blobs: Blobs::All, is_fast: true, is_listed: false, sums_both: false, is_kept: true };
    let mut archive = reader.read(&place, wanted)?;
    let broken = |error| ReadError::Broken { place: place.to_string(), error };
    let selection = Selection { image: None, is_fast: true, listed: Listed::Nothing };
    let mut closure = validate::check(&mut archive, &selection, &machine.limits).map_err(broken)?;
    if closure.form == Form::Docker && closure.findings.are_none() {
        let layers = closure.images.iter().flat_map(|image| &image.layers);
        let names: BTreeSet<Vec<u8>> = layers.map(|layer| layer.member.clone()).collect();
        let around = Surroundings {
            limits: &machine.limits,
            cancel: &machine.cancel,
            threads: rayon::current_num_threads(),
            is_fast: false,
            listed: Listed::Nothing,
            contents: None,
            sums_both: false,
        };
        archive.examine(&names, &around).map_err(broken)?;
        let selection = Selection { is_fast: false, ..selection };
        closure = validate::check(&mut archive, &selection, &machine.limits).map_err(broken)?;
    }
    Ok(Side::new(archive, &closure, place.to_string(), &machine.limits)?)
}
