//! Image form 1: image manifest and index, written by nobody else.
//!
//! The bytes are those that BuildKit v0.13–v0.32 writes for the same content (`docs/formats.md`, image form 1).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rayon::prelude::*;

use super::compress::{pack, threads_for_each};
use super::{Blob, Built, BuiltLayer, Plan};
use crate::cancel::{Cancel, Cancelled};
use crate::compare::Facts;
use crate::digest::{DiffId, Digest};
use crate::image::media_type::{Family, Kind, LayerCompression, kind};
use crate::image::{Descriptor, DescriptorPlatform, ImageManifest, Index};
use crate::manifest::{Compression, MediaTypes};
use crate::platform::Platform;
use crate::status::{ExitStatus, Status};

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
    /// A base layer is of a kind that images of this family can't hold.
    #[error("layer {number} has the media type `{}`, which is no layer", crate::escape::text(media_type))]
    NotALayer {
        /// The layer, 1-based, base first.
        number: usize,
        /// What the base says.
        media_type: String,
    },
    /// Stopped by a signal.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for AssembleError {
    fn status(&self) -> Status {
        match self {
            Self::Layer { .. } | Self::Untrue { .. } => Status::Engine,
            Self::NotALayer { .. } => Status::Malformed,
            Self::Cancelled(_) => Status::Interrupted,
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

/// Packs the new layers of `built`, all cores at once, and writes the image manifest.
///
/// With `keep`, the packed layers stay in that folder as `<platform>-<number>`; without, only their digests are known.
pub fn assemble(
    plan: &Plan,
    built: Built,
    keep: Option<&Path>,
    cancel: &Cancel,
) -> Result<AssembledPlatform, AssembleError> {
    let family = family(plan.output.media_types);
    let sizes = built.layers.iter().filter_map(|layer| match layer {
        BuiltLayer::New { size, .. } => Some(*size),
        BuiltLayer::Base { .. } => None,
    });
    let threads = threads_for_each(sizes);
    let layers = built
        .layers
        .par_iter()
        .enumerate()
        .map(|(at, layer)| assemble_layer(plan, family, at + 1, layer, keep, threads, cancel))
        .collect::<Result<Vec<_>, _>>()?;
    let manifest = ImageManifest {
        media_type: Some(family.manifest().to_owned()),
        config: Descriptor::of(family.config(), &built.config),
        layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        annotations: if family == Family::Oci { plan.annotations.clone() } else { BTreeMap::new() },
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
    Ok(AssembledPlatform { platform: plan.platform.clone(), manifest, descriptor, config: built.config, layers })
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

fn assemble_layer(
    plan: &Plan,
    family: Family,
    number: usize,
    layer: &BuiltLayer,
    keep: Option<&Path>,
    threads: usize,
    cancel: &Cancel,
) -> Result<AssembledLayer, AssembleError> {
    match layer {
        BuiltLayer::Base { media_type, digest, size, diff_id, blob } => {
            let Kind::Layer(compression) = kind(media_type) else {
                return Err(AssembleError::NotALayer { number, media_type: media_type.clone() });
            };
            let descriptor = Descriptor::new(family.layer(compression), *digest, *size);
            Ok(AssembledLayer { descriptor, diff_id: *diff_id, blob: Some(blob.clone()) })
        }
        BuiltLayer::New { diff_id, size, tar } => {
            let target =
                keep.map(|folder| folder.join(format!("{}-{number}", plan.platform.to_string().replace('/', "-"))));
            let packed = pack(tar, *size, plan.output.compression, target.as_deref(), threads, cancel);
            let packed = packed.map_err(|error| {
                if cancel.is_cancelled() { Cancelled.into() } else { AssembleError::Layer { number, error } }
            })?;
            if packed.diff_id != *diff_id {
                return Err(AssembleError::Untrue { number, claimed: *diff_id, found: packed.diff_id });
            }
            let compression = match plan.output.compression {
                Compression::Gzip => LayerCompression::Gzip,
                Compression::Uncompressed => LayerCompression::None,
            };
            let mut descriptor = Descriptor::new(family.layer(compression), packed.digest, packed.size);
            if family == Family::Oci {
                descriptor.annotations.insert(REWRITTEN.to_owned(), plan.epoch.to_string());
            }
            Ok(AssembledLayer { descriptor, diff_id: *diff_id, blob: target.map(Blob::File) })
        }
    }
}
