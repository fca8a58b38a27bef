//! What an engine wrote, read as hostile input: every document and blob by size and digest, every claim compared.

use std::io::Read;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use super::archive::Archive;
use super::layer_times::{LayerTimes, read_new_layer};
use crate::bounds::Bounds;
use crate::build::BuiltLayer;
use crate::digest::{DiffId, Digest, Hasher};
use crate::engine::buildkit::failure::BuildKitError;
use crate::epoch::Epoch;
use crate::image::time::Time;
use crate::image::{Config, Descriptor, Document, ImageManifest, Index};
use crate::json;
use crate::limits::LimitExceeded;
use crate::process::ProcessError;

const REWRITTEN: &str = "buildkit/rewritten-timestamp";
const UNCOMPRESSED: [&str; 2] =
    ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"];
/// Bytes of `oci-layout`.
const MARKER: u64 = 4096;

/// An image as an engine wrote it, checked.
#[derive(Debug)]
pub struct Output {
    /// The config.
    pub config: Document<Config>,
    /// The layers, base first.
    pub layers: Vec<BuiltLayer>,
    /// What the entries of each new layer say of their times, in the order of the new layers.
    pub times: Vec<LayerTimes>,
    manifest: Digest,
}

/// Reads an engine's archive.
pub struct OutputReader<'a> {
    /// The engine's name.
    pub engine: &'static str,
    /// The epoch that was asked for.
    pub epoch: Epoch,
    /// How much the archive may hold.
    pub bounds: Bounds<'a>,
}

/// What a client says that it built.
#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "containerimage.digest")]
    manifest: Option<String>,
    #[serde(rename = "containerimage.config.digest")]
    config: Option<String>,
    #[serde(rename = "containerimage.descriptor")]
    descriptor: Option<ClaimedDescriptor>,
}

#[derive(Deserialize)]
struct ClaimedDescriptor {
    digest: String,
}

#[derive(Deserialize)]
struct Marker {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl OutputReader<'_> {
    /// Reads the image in the archive at `path`; layers up to the first one that says it was rewritten are the base's.
    pub fn read(&self, path: &Path) -> Result<Output, BuildKitError> {
        let archive = Archive::open(path, self.engine)?;
        let marker = archive.read(archive.member("oci-layout")?, MARKER)?;
        let marker: Marker = json::parse(&marker, self.bounds.limits)
            .map_err(|error| self.malformed("oci-layout", error.to_string()))?;
        if marker.version != "1.0.0" {
            return Err(self.malformed("oci-layout", "version 1.0.0 was expected".to_owned()));
        }
        let index = archive.read(archive.member("index.json")?, self.bounds.limits.json_bytes)?;
        let index: Document<Index> =
            Document::parse(index, self.bounds.limits).map_err(BuildKitError::document(self.engine, "index.json"))?;
        let images: Vec<&Descriptor> = index.manifests.iter().filter(|d| !d.is_attestation()).collect();
        let [image] = images[..] else {
            return Err(self.malformed("index.json", format!("{} images, expected one", images.len())));
        };
        let manifest: Document<ImageManifest> = self.document(&archive, image, "image manifest")?;
        let config: Document<Config> = self.document(&archive, &manifest.config, "config")?;
        if config.diff_ids.len() != manifest.layers.len() {
            let (ids, layers) = (config.diff_ids.len(), manifest.layers.len());
            return Err(self.malformed("config", format!("{ids} diff IDs, the image manifest has {layers} layers")));
        }
        let fresh = self.new_layers(&manifest, &config)?;
        let descriptors: Vec<(usize, &Descriptor)> = manifest.layers.iter().enumerate().collect();
        let layers: Vec<(BuiltLayer, Option<LayerTimes>)> = descriptors
            .par_iter()
            .map(|(number, descriptor)| self.layer(&archive, descriptor, config.diff_ids[*number], *number >= fresh))
            .collect::<Result<_, _>>()?;
        let total: u64 = manifest.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        self.within("image-bytes", self.bounds.limits.image_bytes, total, "the image")?;
        if fresh < manifest.layers.len() && config.created != Some(Time::from(self.epoch)) {
            return Err(BuildKitError::NotRewritten {
                layer: config.diff_ids[fresh],
                reason: "`created` in the config is not the epoch".to_owned(),
            });
        }
        let (layers, times): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
        Ok(Output { layers, times: times.into_iter().flatten().collect(), manifest: manifest.digest(), config })
    }

    /// Compares what the client says in its metadata file with what was written.
    pub fn check_claims(&self, metadata: &[u8], output: &Output) -> Result<(), BuildKitError> {
        let claims: Claims = json::parse(metadata, self.bounds.limits)
            .map_err(|error| self.malformed("the metadata file", error.to_string()))?;
        let descriptor = claims.descriptor.ok_or_else(|| BuildKitError::Unusable {
            message: format!("{} reports no image descriptor: its driver can't write reproducible images", self.engine),
            fix: "use a builder of the `docker-container` driver, or `buildctl`".to_owned(),
        })?;
        let manifest = claims.manifest.as_ref();
        for (what, claimed, written) in [
            ("image manifest", manifest, output.manifest),
            ("image manifest", Some(&descriptor.digest), output.manifest),
            ("config", claims.config.as_ref(), output.config.digest()),
        ] {
            if let Some(claimed) = claimed
                && *claimed != written.to_string()
            {
                let claimed = crate::escape::text(claimed).into_owned();
                return Err(BuildKitError::Claim { engine: self.engine, what, claimed, written });
            }
        }
        Ok(())
    }

    fn document<T: crate::image::document::View>(
        &self,
        archive: &Archive,
        descriptor: &Descriptor,
        what: &str,
    ) -> Result<Document<T>, BuildKitError> {
        let member = archive.blob(descriptor.digest)?;
        let bytes = archive.read(member, self.bounds.limits.json_bytes.min(descriptor.size))?;
        let object = format!("{what} {}", descriptor.digest);
        Document::described(bytes, descriptor, self.bounds.limits).map_err(BuildKitError::document(self.engine, object))
    }

    /// The number of the first new layer; checks that all from there on say that they were rewritten.
    fn new_layers(&self, manifest: &ImageManifest, config: &Config) -> Result<usize, BuildKitError> {
        let epoch = self.epoch.to_string();
        let rewritten = |layer: &Descriptor| layer.annotations.get(REWRITTEN).is_some_and(|value| *value == epoch);
        let fresh = manifest.layers.iter().position(rewritten).unwrap_or(manifest.layers.len());
        match manifest.layers.iter().skip(fresh).position(|layer| !rewritten(layer)) {
            Some(number) => Err(self.not_annotated(config.diff_ids[fresh + number])),
            None => Ok(fresh),
        }
    }

    fn not_annotated(&self, layer: DiffId) -> BuildKitError {
        let reason = format!("it lacks the annotation `{REWRITTEN}` with the epoch {}", self.epoch);
        BuildKitError::NotRewritten { layer, reason }
    }

    fn layer(
        &self,
        archive: &Archive,
        descriptor: &Descriptor,
        diff_id: DiffId,
        is_new: bool,
    ) -> Result<(BuiltLayer, Option<LayerTimes>), BuildKitError> {
        let object = format!("layer {}", descriptor.digest);
        let member = archive.blob(descriptor.digest)?;
        if member.length != descriptor.size {
            let (found, expected) = (member.length, descriptor.size);
            return Err(self.malformed(&object, format!("{found} bytes, the image manifest says {expected}")));
        }
        if is_new {
            return self.new_layer(archive, descriptor, diff_id, &object);
        }
        self.within("blob", self.bounds.limits.blob, descriptor.size, &object)?;
        let mut hasher = Hasher::default();
        let mut reader = archive.reader(member)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            self.bounds.cancel.check().map_err(ProcessError::from)?;
            let count = reader.read(&mut buffer).map_err(|error| self.malformed(&object, error.to_string()))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        let computed = hasher.digest();
        if computed != descriptor.digest {
            return Err(self.malformed(&object, format!("its digest is {computed}")));
        }
        let layer = BuiltLayer::Base {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest,
            size: descriptor.size,
            diff_id,
            blob: archive.slice(member),
        };
        Ok((layer, None))
    }

    fn new_layer(
        &self,
        archive: &Archive,
        descriptor: &Descriptor,
        diff_id: DiffId,
        object: &str,
    ) -> Result<(BuiltLayer, Option<LayerTimes>), BuildKitError> {
        if !UNCOMPRESSED.contains(&descriptor.media_type.as_str()) {
            let found = crate::escape::text(&descriptor.media_type).into_owned();
            return Err(self.malformed(object, format!("media type `{found}`, expected an uncompressed layer")));
        }
        self.within("layer-bytes", self.bounds.limits.layer_bytes, descriptor.size, object)?;
        let member = archive.blob(descriptor.digest)?;
        let (times, hasher) = read_new_layer(archive.reader(member)?, self.bounds)
            .map_err(|error| error.into_failure(self.engine, object))?;
        let computed = hasher.diff_id();
        if computed != diff_id || descriptor.digest.as_bytes() != diff_id.as_bytes() {
            return Err(self.malformed(object, format!("its diff ID is {computed}, the config says {diff_id}")));
        }
        let epoch = self.epoch.seconds().cast_signed();
        if let Some((path, time)) = times.newest.as_ref().filter(|(_, time)| *time > epoch) {
            let path = crate::escape::name(path);
            return Err(BuildKitError::NotRewritten {
                layer: diff_id,
                reason: format!("{path} has the time {time}, which is after the epoch {epoch}"),
            });
        }
        let layer = BuiltLayer::New { diff_id, size: member.length, tar: archive.slice(member) };
        Ok((layer, Some(times)))
    }

    fn within(&self, name: &'static str, limit: u64, value: u64, object: &str) -> Result<(), BuildKitError> {
        if value > limit { Err(LimitExceeded { name, limit, object: object.to_owned() }.into()) } else { Ok(()) }
    }

    fn malformed(&self, object: &str, reason: String) -> BuildKitError {
        BuildKitError::Malformed { engine: self.engine, object: object.to_owned(), reason }
    }
}
