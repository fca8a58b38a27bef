//! An image in image form 1, and what it is compared by.

use std::io;
use std::path::Path;

use crate::build::Blob;
use crate::build::compress::{gzip, sink, store, threads_for_each};
use crate::build::noise::Scrubbed;
use crate::cancel::Cancel;
use crate::compare::Facts;
use crate::digest::{DiffId, Digest};
use crate::image::Descriptor;
use crate::image::media_type::{Kind, LayerCompression, kind};
use crate::platform::Platform;

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
    /// The uncompressed tar of a new layer, for as long as the build's directory is there.
    pub tar: Option<Blob>,
}

impl AssembledLayer {
    /// Writes the stored bytes of a layer that is at hand; packs it once more if nobody wanted to keep them.
    ///
    /// # Errors
    /// `NotFound` for what was not fetched, and those of reading and writing.
    pub fn write(&self, target: &Path, cancel: &Cancel) -> io::Result<()> {
        let is_gzip = kind(&self.descriptor.media_type) == Kind::Layer(LayerCompression::Gzip);
        match (&self.blob, &self.tar) {
            (None, Some(tar)) if is_gzip => {
                let size = self.descriptor.size;
                gzip(tar, size, &mut sink(Some(target))?, threads_for_each([size].into_iter()), cancel)?;
            }
            (Some(stored), _) | (None, Some(stored)) => {
                store(stored, Some(target), cancel)?;
            }
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
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
