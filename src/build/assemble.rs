//! Image form 1: image manifest and index, written by nobody else.
//!
//! The bytes are those that BuildKit v0.13–v0.32 writes for the same content (`docs/formats.md`, image form 1).

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;

use super::compress::{Packed, gzip, sink, store, threads_for_each};
use super::noise::{Noise, Scrubbed};
use super::packed::PackedLayers;
use super::{Blob, Built, BuiltLayer, Plan, Workplace};
use crate::cancel::{Cancel, Cancelled};
use crate::compare::Facts;
use crate::digest::{DiffId, Digest};
use crate::image::document::View;
use crate::image::media_type::{Family, Kind, LayerCompression, kind};
use crate::image::{Config, Descriptor, DescriptorPlatform, ImageManifest, Index, InvalidDocument};
use crate::limits::Limits;
use crate::manifest::{Compression, MediaTypes};
use crate::platform::Platform;
use crate::status::{ExitStatus, Status};
use crate::store::StoreError;

/// Says on a new layer which epoch its times were lowered to.
const REWRITTEN: &str = "buildkit/rewritten-timestamp";

/// An image in image form 1.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// One image manifest a platform, in the manifest's order.
    pub platforms: Vec<AssembledPlatform>,
    /// The index's exact bytes, with more than one platform.
    pub index: Option<Vec<u8>>,
}

/// One platform's image.
#[derive(Clone, Debug)]
pub struct AssembledPlatform {
    /// The platform.
    pub platform: Platform,
    /// The image manifest's exact bytes.
    pub manifest: Vec<u8>,
    /// What a descriptor of the image manifest says.
    pub descriptor: Descriptor,
    /// The config's exact bytes.
    pub config: Vec<u8>,
    /// The layers, base first.
    pub layers: Vec<AssembledLayer>,
    /// What each scrub rule named in new layers: the rule as lockfiles have it, in the plan's order.
    pub scrubbed: Vec<(String, Scrubbed)>,
}

/// One layer of an assembled image.
#[derive(Clone, Debug)]
pub struct AssembledLayer {
    /// As the image manifest has it.
    pub descriptor: Descriptor,
    /// Diff ID.
    pub diff_id: DiffId,
    /// Where the stored bytes are; none if nobody wanted to keep them.
    pub blob: Option<Blob>,
    /// The uncompressed tar of a new layer, for as long as the build's folder is there.
    pub tar: Option<Blob>,
}

/// The image could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A layer can't be read or its blob not be written.
    #[error("cannot pack layer {number}: {error}")]
    Layer {
        /// The layer, 1-based, base first.
        number: usize,
        /// What the system said.
        error: io::Error,
    },
    /// The engine claims a diff ID that its bytes don't have.
    #[error("the engine reports layer {number} as {claimed}, and wrote {found}")]
    Untrue {
        /// The layer, 1-based, base first.
        number: usize,
        /// What it says.
        claimed: DiffId,
        /// What it wrote.
        found: DiffId,
    },
    /// The config that the new diff IDs belong in can't be read.
    #[error("the engine's config: {0}")]
    Config(InvalidDocument),
    /// The config would change in more than its diff IDs.
    #[error("the engine's config is not in BuildKit's form, so nothing can be scrubbed")]
    ConfigForm,
    /// A base layer is of a kind that images of this family can't hold.
    #[error("layer {number} has the media type `{}`, which is no layer", crate::escape::text(media_type))]
    NotALayer {
        /// The layer, 1-based, base first.
        number: usize,
        /// What the base says.
        media_type: String,
    },
    /// There is no place for the blobs.
    #[error(transparent)]
    NoPlace(#[from] StoreError),
    /// Stopped by a signal.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for AssembleError {
    fn status(&self) -> Status {
        match self {
            Self::Layer { .. } | Self::Untrue { .. } | Self::Config(_) | Self::ConfigForm => Status::Engine,
            Self::NotALayer { .. } => Status::Malformed,
            Self::NoPlace(error) => error.status(),
            Self::Cancelled(_) => Status::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlace(error) => error.hint(),
            _ => None,
        }
    }
}

impl AssembledPlatform {
    /// What the image is compared by.
    pub fn facts(&self) -> Facts {
        Facts {
            manifest: self.descriptor.digest,
            config: Digest::of(&self.config),
            layers: self.layers.iter().map(|layer| layer.diff_id).collect(),
        }
    }
}

/// Bytes of new layers that are packed one after the other.
const SMALL: u64 = 1 << 20;
/// Bytes of a layer that stays in memory when it is packed.
const LITTLE: u64 = 256 << 10;

/// Packs the new layers of `built`, all cores at once, and writes the image manifest.
///
/// What the plan's scrub rules name is left out of them before; the config then lists the diff IDs of what is left.
/// With `keep`, the packed layers stay: little ones in memory, others in its folder as `<platform>-<number>` unless the
/// engine has them already; without, only their digests are known. A plan that may use caches takes from `earlier` what
/// is known of layers that were packed before.
pub fn assemble(
    plan: &Plan,
    built: Built,
    keep: Option<&dyn Workplace>,
    earlier: Option<&PackedLayers>,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<AssembledPlatform, AssembleError> {
    let family = family(plan.form.output.media_types);
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
    let packing = Packing { plan, family, keep, earlier, threads, limits, cancel };
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
    let config = with_diff_ids(built.config, &built.layers, &layers, limits)?;
    let manifest = ImageManifest {
        media_type: Some(family.manifest().to_owned()),
        config: Descriptor::of(family.config(), &config),
        layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        annotations: if family == Family::Oci { plan.form.annotations.clone() } else { BTreeMap::new() },
        artifact_type: None,
        subject: None,
    }
    .to_bytes();
    let mut descriptor = Descriptor::of(family.manifest(), &manifest);
    descriptor.platform = Some(DescriptorPlatform {
        architecture: plan.platform.architecture.clone(),
        os: plan.platform.os.clone(),
        variant: plan.platform.variant.clone(),
        ..DescriptorPlatform::default()
    });
    Ok(AssembledPlatform { platform: plan.platform.clone(), manifest, descriptor, config, layers, scrubbed })
}

/// The index of several platforms; none for a single one.
pub fn assemble_index(
    platforms: &[AssembledPlatform],
    media_types: MediaTypes,
    annotations: &BTreeMap<String, String>,
) -> Option<Vec<u8>> {
    if platforms.len() < 2 {
        return None;
    }
    let family = family(media_types);
    let index = Index {
        media_type: Some(family.index().to_owned()),
        manifests: platforms.iter().map(|platform| platform.descriptor.clone()).collect(),
        annotations: if family == Family::Oci { annotations.clone() } else { BTreeMap::new() },
    };
    Some(index.to_bytes())
}

fn family(media_types: MediaTypes) -> Family {
    match media_types {
        MediaTypes::Oci => Family::Oci,
        MediaTypes::Docker => Family::Docker,
    }
}

/// The config with the diff IDs that the layers have now; the same bytes if none changed.
fn with_diff_ids(
    bytes: Vec<u8>,
    before: &[BuiltLayer],
    after: &[AssembledLayer],
    limits: &Limits,
) -> Result<Vec<u8>, AssembleError> {
    if before.iter().zip(after).all(|(before, after)| before.diff_id() == after.diff_id) {
        return Ok(bytes);
    }
    let mut config = Config::parse(&bytes, limits).map_err(AssembleError::Config)?;
    if config.to_bytes() != bytes {
        return Err(AssembleError::ConfigForm);
    }
    config.diff_ids = after.iter().map(|layer| layer.diff_id).collect();
    Ok(config.to_bytes())
}

/// How the layers of one image are packed.
struct Packing<'a> {
    plan: &'a Plan,
    family: Family,
    keep: Option<&'a dyn Workplace>,
    earlier: Option<&'a PackedLayers>,
    threads: usize,
    limits: &'a Limits,
    cancel: &'a Cancel,
}

/// A new layer that is to be packed.
#[derive(Clone, Copy)]
struct NewLayer<'a> {
    tar: &'a Blob,
    /// As the engine reports it; of the layer as it was before scrub rules.
    claimed: DiffId,
    size: u64,
    /// 1-based, base first.
    number: usize,
}

impl Packing<'_> {
    /// One layer, and what each scrub rule named in it.
    fn layer(&self, number: usize, layer: &BuiltLayer) -> Result<(AssembledLayer, Vec<Scrubbed>), AssembleError> {
        match layer {
            BuiltLayer::Base { media_type, digest, size, diff_id, blob } => {
                let Kind::Layer(compression) = kind(media_type) else {
                    return Err(AssembleError::NotALayer { number, media_type: media_type.clone() });
                };
                let descriptor = Descriptor::new(self.family.layer(compression), *digest, *size);
                let layer = AssembledLayer { descriptor, diff_id: *diff_id, blob: Some(blob.clone()), tar: None };
                Ok((layer, Vec::new()))
            }
            BuiltLayer::New { diff_id, size, tar } => self.new_layer(number, *diff_id, *size, tar),
        }
    }

    fn new_layer(
        &self,
        number: usize,
        claimed: DiffId,
        size: u64,
        tar: &Blob,
    ) -> Result<(AssembledLayer, Vec<Scrubbed>), AssembleError> {
        let failed = |error| self.failed(number, error);
        let check =
            |found| if found == claimed { Ok(()) } else { Err(AssembleError::Untrue { number, claimed, found }) };
        let plan = self.plan;
        let (tar, scrubbed) = if plan.form.scrub.is_empty() {
            (tar.clone(), Vec::new())
        } else {
            let mut noise = Noise::find(tar, &plan.form.scrub, self.limits, self.cancel).map_err(failed)?;
            check(noise.diff_id.unwrap_or(claimed))?;
            let scrubbed = std::mem::take(&mut noise.scrubbed);
            (noise.remove(tar, self.limits, self.cancel), scrubbed)
        };
        let layer = NewLayer { tar: &tar, claimed, size, number };
        let (packed, blob) = match plan.form.output.compression {
            Compression::Uncompressed => self.store(&layer)?,
            Compression::Gzip => self.gzip(&layer)?,
        };
        if plan.form.scrub.is_empty() {
            check(packed.diff_id)?;
        }
        let stored = match plan.form.output.compression {
            Compression::Gzip => LayerCompression::Gzip,
            Compression::Uncompressed => LayerCompression::None,
        };
        let mut descriptor = Descriptor::new(self.family.layer(stored), packed.digest, packed.size);
        if self.family == Family::Oci {
            descriptor.annotations.insert(REWRITTEN.to_owned(), plan.epoch.to_string());
        }
        Ok((AssembledLayer { descriptor, diff_id: packed.diff_id, blob, tar: Some(tar) }, scrubbed))
    }

    fn failed(&self, number: usize, error: io::Error) -> AssembleError {
        if self.cancel.is_cancelled() { Cancelled.into() } else { AssembleError::Layer { number, error } }
    }

    /// Where to keep the blob, if anybody wants it.
    fn target(&self, number: usize) -> Result<Option<PathBuf>, StoreError> {
        let Some(keep) = self.keep else { return Ok(None) };
        let name = format!("{}-{number}", self.plan.platform.to_string().replace('/', "-"));
        Ok(Some(keep.folder()?.join(name)))
    }

    /// A layer that stays as it is; what lies somewhere is not copied.
    fn store(&self, layer: &NewLayer<'_>) -> Result<(Packed, Option<Blob>), AssembleError> {
        let NewLayer { tar, claimed, size, number } = *layer;
        let failed = |error| self.failed(number, error);
        if matches!(tar, Blob::File(_) | Blob::Slice { .. } | Blob::Bytes(_)) {
            let packed = match self.keep.is_some() && self.plan.form.scrub.is_empty() {
                // Who read it from the engine checked it, and who copies it does so again.
                true => Packed { digest: Digest::from_bytes(*claimed.as_bytes()), size, diff_id: claimed },
                false => store(tar, None, self.cancel).map_err(failed)?,
            };
            return Ok((packed, self.keep.map(|_| tar.clone())));
        }
        let target = self.target(number)?;
        Ok((store(tar, target.as_deref(), self.cancel).map_err(failed)?, target.map(Blob::File)))
    }

    /// A compressed layer; one that was packed before is not read.
    fn gzip(&self, layer: &NewLayer<'_>) -> Result<(Packed, Option<Blob>), AssembleError> {
        let NewLayer { tar, claimed, size, number } = *layer;
        let earlier = self.earlier.filter(|_| self.plan.form.scrub.is_empty());
        let pack = |sink: &mut dyn io::Write| gzip(tar, size, sink, self.threads, self.cancel);
        let failed = |error| self.failed(number, error);
        if size <= LITTLE {
            let known = earlier.and_then(|earlier| {
                let packed = earlier.find(&claimed)?;
                Some((packed, if self.keep.is_some() { earlier.read(&packed)? } else { Vec::new() }))
            });
            let (packed, bytes) = match known {
                Some(known) => known,
                None => {
                    let mut bytes = Vec::new();
                    let packed = pack(&mut bytes).map_err(failed)?;
                    earlier.inspect(|earlier| earlier.learn_bytes(&packed, &bytes));
                    (packed, bytes)
                }
            };
            return Ok((packed, self.keep.map(|_| Blob::Bytes(bytes.into()))));
        }
        let target = self.target(number)?;
        let is_ready = |packed: &Packed| match (&target, earlier) {
            (Some(target), Some(earlier)) => earlier.fetch(packed, target),
            _ => true,
        };
        let packed = match earlier.and_then(|earlier| earlier.find(&claimed)).filter(is_ready) {
            Some(packed) => packed,
            None => {
                let packed = sink(target.as_deref()).and_then(|mut sink| pack(&mut *sink)).map_err(failed)?;
                earlier.inspect(|earlier| earlier.learn(&packed, target.as_deref()));
                packed
            }
        };
        Ok((packed, target.map(Blob::File)))
    }
}
