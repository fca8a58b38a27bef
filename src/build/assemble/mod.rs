//! Image form 1: image manifest and index, written by nobody else.
//!
//! The bytes are those that BuildKit v0.13–v0.34 writes for the same content (`docs/formats.md`, image form 1).

mod error;
mod image;
mod index;
mod packing;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use error::AssembleError;
pub use image::{Assembled, AssembledLayer, AssembledPlatform};
pub use index::{assemble_index, platform_descriptor};

use super::compress::threads_for_each;
use super::noise::Scrubbed;
use super::packed::PackedLayers;
use super::{Built, BuiltLayer, Plan, WorkDirectories};
use crate::bounds::Bounds;
use crate::digest::Digest;
use crate::image::document::View;
use crate::image::media_type::Family;
use crate::image::{Config, Descriptor, ImageManifest};
use crate::limits::Limits;
use packing::Packing;

/// Bytes of new layers that are packed one after the other.
const SMALL: u64 = 1 << 20;
/// Packs the new layers of `built`, all cores at once, and writes the image manifest.
///
/// What the plan's scrub rules name is left out of them before; the config then lists the diff IDs of what is left.
/// With `keep`, the packed layers stay: little ones in memory, others in its directory as `<platform>-<number>` unless the
/// engine has them already; without, only their digests are known. A plan that may use caches takes from `earlier` what
/// is known of layers that were packed before.
pub fn assemble(
    plan: &Plan,
    built: &Built,
    keep: Option<&dyn WorkDirectories>,
    earlier: Option<&PackedLayers>,
    bounds: Bounds<'_>,
) -> Result<AssembledPlatform, AssembleError> {
    let family = plan.form.output.media_types.family();
    let sizes = || {
        built.layers.iter().filter_map(|layer| match layer {
            BuiltLayer::New { size, .. } => Some(*size),
            BuiltLayer::Base { .. } => None,
        })
    };
    let threads = threads_for_each(sizes());
    // Waking other threads takes longer than packing this.
    let is_small = sizes().count() < 2 || sizes().sum::<u64>() <= SMALL;
    let earlier = earlier.filter(|_| !plan.no_cache);
    let packing = Packing { plan, family, keep, earlier, threads, bounds };
    let layer = |(at, layer)| packing.layer(at + 1, layer);
    let layers = match is_small {
        true => built.layers.iter().enumerate().map(layer).collect::<Result<Vec<_>, _>>()?,
        false => built.layers.par_iter().enumerate().map(layer).collect::<Result<Vec<_>, _>>()?,
    };
    let mut scrubbed: Vec<_> =
        plan.form.scrub.iter().map(|rule| (rule.name().to_owned(), Scrubbed::default())).collect();
    for (_, of_layer) in &layers {
        scrubbed.iter_mut().zip(of_layer).for_each(|((_, whole), part)| whole.add(part));
    }
    let layers: Vec<AssembledLayer> = layers.into_iter().map(|(layer, _)| layer).collect();
    let config = with_diff_ids(&built.config, &built.layers, &layers, bounds.limits)?;
    let manifest = ImageManifest {
        media_type: Some(family.manifest().to_owned()),
        config: Descriptor::of(family.config(), &config),
        layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        annotations: if family == Family::Oci { plan.form.annotations.clone() } else { BTreeMap::new() },
        artifact_type: None,
        subject: None,
    }
    .to_bytes();
    let descriptor = platform_descriptor(family, &plan.platform, Digest::of(&manifest), manifest.len() as u64);
    Ok(AssembledPlatform { platform: plan.platform.clone(), manifest, descriptor, config, layers, scrubbed })
}

/// The config with the diff IDs that the layers have now; the same bytes if none changed.
fn with_diff_ids(
    bytes: &[u8],
    before: &[BuiltLayer],
    after: &[AssembledLayer],
    limits: &Limits,
) -> Result<Vec<u8>, AssembleError> {
    if before.iter().zip(after).all(|(before, after)| before.diff_id() == after.diff_id) {
        return Ok(bytes.to_vec());
    }
    let mut config = Config::parse(bytes, limits).map_err(AssembleError::Config)?;
    if config.to_bytes() != bytes {
        return Err(AssembleError::ConfigForm);
    }
    config.diff_ids = after.iter().map(|layer| layer.diff_id).collect();
    Ok(config.to_bytes())
}
