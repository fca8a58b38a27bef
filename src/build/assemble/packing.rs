//! How the layers of one image become blobs.

use std::io;
use std::path::PathBuf;

use super::error::AssembleError;
use super::image::AssembledLayer;
use crate::bounds::Bounds;
use crate::build::compress::{Packed, gzip, sink, store};
use crate::build::noise::{Noise, Scrubbed};
use crate::build::packed::PackedLayers;
use crate::build::{Blob, BuiltLayer, Plan, WorkDirectories};
use crate::cancel::Cancelled;
use crate::digest::{DiffId, Digest};
use crate::image::Descriptor;
use crate::image::media_type::{Family, Kind, LayerCompression, kind};
use crate::manifest::Compression;
use crate::store::StoreError;

/// Says on a new layer which epoch its times were lowered to.
const REWRITTEN: &str = "buildkit/rewritten-timestamp";

/// Bytes of a layer that stays in memory when it is packed.
const LITTLE: u64 = 256 << 10;

/// How the layers of one image are packed.
pub struct Packing<'a> {
    /// What is built.
    pub plan: &'a Plan,
    /// The family of the image.
    pub family: Family,
    /// Where packed layers stay, if anybody wants them.
    pub keep: Option<&'a dyn WorkDirectories>,
    /// What earlier builds packed.
    pub earlier: Option<&'a PackedLayers>,
    /// Threads for each layer.
    pub threads: usize,
    /// How much may be read, and whether to go on.
    pub bounds: Bounds<'a>,
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
    pub fn layer(&self, number: usize, layer: &BuiltLayer) -> Result<(AssembledLayer, Vec<Scrubbed>), AssembleError> {
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
            let mut noise = Noise::find(tar, &plan.form.scrub, self.bounds).map_err(failed)?;
            check(noise.diff_id.unwrap_or(claimed))?;
            let scrubbed = std::mem::take(&mut noise.scrubbed);
            (noise.remove(tar, self.bounds), scrubbed)
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
        if self.bounds.cancel.is_cancelled() { Cancelled.into() } else { AssembleError::Layer { number, error } }
    }

    /// Where to keep the blob, if anybody wants it.
    fn target(&self, number: usize) -> Result<Option<PathBuf>, StoreError> {
        let Some(keep) = self.keep else { return Ok(None) };
        let name = format!("{}-{number}", self.plan.platform.to_string().replace('/', "-"));
        Ok(Some(keep.directory()?.join(name)))
    }

    /// A layer that stays as it is; what lies somewhere is not copied.
    fn store(&self, layer: &NewLayer<'_>) -> Result<(Packed, Option<Blob>), AssembleError> {
        let NewLayer { tar, claimed, size, number } = *layer;
        let failed = |error| self.failed(number, error);
        if matches!(tar, Blob::File(_) | Blob::Slice { .. } | Blob::Bytes(_)) {
            let packed = match self.keep.is_some() && self.plan.form.scrub.is_empty() {
                // Who read it from the engine checked it, and who copies it does so again.
                true => Packed { digest: Digest::from_bytes(*claimed.as_bytes()), size, diff_id: claimed },
                false => store(tar, None, self.bounds.cancel).map_err(failed)?,
            };
            return Ok((packed, self.keep.map(|_| tar.clone())));
        }
        let target = self.target(number)?;
        Ok((store(tar, target.as_deref(), self.bounds.cancel).map_err(failed)?, target.map(Blob::File)))
    }

    /// A compressed layer; one that was packed before is not read.
    fn gzip(&self, layer: &NewLayer<'_>) -> Result<(Packed, Option<Blob>), AssembleError> {
        let NewLayer { tar, claimed, size, number } = *layer;
        let earlier = self.earlier.filter(|_| self.plan.form.scrub.is_empty());
        let pack = |sink: &mut dyn io::Write| gzip(tar, size, sink, self.threads, self.bounds.cancel);
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
