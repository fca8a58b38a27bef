//! The layers of the base image: those that the pin names, whatever blobs the daemon has of them.
//!
//! BuildKit keeps one blob for one content, the first that it saw. Where a mirror, or another image, had the same files
//! packed otherwise, its result holds that blob, in each build alike.

use crate::build::BuiltLayer;
use crate::digest::Digest;
use crate::engine::base_images::BaseImage;
use crate::engine::buildkit::failure::BuildKitError;

/// Puts the layers of `base` in the place of those that a build on it left untouched; none is a build from nothing.
///
/// A blob that the daemon has as the pin names it stays where it is; others are fetched by whoever wants their bytes.
///
/// # Errors
/// The untouched layers have other contents than the base's, or are more or fewer.
pub fn take_from_pin(layers: &mut [BuiltLayer], base: Option<&BaseImage>) -> Result<(), BuildKitError> {
    let pinned = base.map(BaseImage::built_layers).unwrap_or_default();
    let is_untouched = |layer: &&mut BuiltLayer| matches!(layer, BuiltLayer::Base { .. });
    let untouched: Vec<&mut BuiltLayer> = layers.iter_mut().take_while(is_untouched).collect();
    let request = base.map_or("scratch", |base| &base.request);
    if let Some(base) = base
        && base.documents.manifest.layers.len() != pinned.len()
    {
        let (layers, ids) = (base.documents.manifest.layers.len(), pinned.len());
        return Err(other(request, format!("its image manifest has {layers} layers, its config {ids} diff IDs")));
    }
    if untouched.len() != pinned.len() {
        let (found, expected) = (untouched.len(), pinned.len());
        return Err(other(request, format!("{found} layers were left as they are, the locked image has {expected}")));
    }
    for (number, (layer, pinned)) in untouched.into_iter().zip(pinned).enumerate() {
        let (found, expected) = (layer.diff_id(), pinned.diff_id());
        if found != expected {
            return Err(other(request, format!("layer {} is {found}, the locked image has {expected}", number + 1)));
        }
        if blob_digest(layer) != blob_digest(&pinned) {
            *layer = pinned;
        }
    }
    Ok(())
}

fn blob_digest(layer: &BuiltLayer) -> Option<Digest> {
    match layer {
        BuiltLayer::Base { digest, .. } => Some(*digest),
        BuiltLayer::New { .. } => None,
    }
}

fn other(request: &str, reason: String) -> BuildKitError {
    BuildKitError::Unusable {
        message: format!("BuildKit built on something else than `{}`: {reason}", crate::escape::text(request)),
        fix: "`buildctl prune --all` makes the daemon forget what others left there".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Blob;
    use crate::digest::DiffId;
    use crate::image::{Config, Descriptor, Document, ImageManifest};
    use crate::limits::Limits;
    use crate::resolve::LockedImage;

    const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

    /// A base image with a layer for each content, packed in a way that `packing` stands for.
    fn base(contents: &[&str], packing: &str) -> BaseImage {
        let ids: Vec<String> = contents.iter().map(|content| DiffId::of(content.as_bytes()).to_string()).collect();
        let config =
            serde_json::json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}});
        let config = config.to_string().into_bytes();
        let layers = contents.iter().map(|content| {
            let blob = format!("{content} {packing}");
            Descriptor::new(GZIP, Digest::of(blob.as_bytes()), blob.len() as u64)
        });
        let manifest = ImageManifest {
            media_type: Some("application/vnd.oci.image.manifest.v1+json".to_owned()),
            config: Descriptor::of("application/vnd.oci.image.config.v1+json", &config),
            layers: layers.collect(),
            annotations: Default::default(),
            artifact_type: None,
            subject: None,
        };
        let manifest = Document::<ImageManifest>::parse(manifest.to_bytes(), &Limits::default()).unwrap();
        let config = Document::<Config>::parse(config, &Limits::default()).unwrap();
        let documents = LockedImage { manifest, config };
        BaseImage { request: "registry.example/base:1".to_owned(), manifest: documents.manifest.digest(), documents }
    }

    /// What the daemon wrote: the base's layers in its archive, and a new one.
    fn written(base: &BaseImage) -> Vec<BuiltLayer> {
        let mut layers = base.built_layers();
        for layer in &mut layers {
            let BuiltLayer::Base { blob, .. } = layer else { unreachable!() };
            *blob = Blob::Bytes(Vec::new().into());
        }
        layers.push(BuiltLayer::New { diff_id: DiffId::of(b"new"), size: 1, tar: Blob::Bytes(Vec::new().into()) });
        layers
    }

    #[test]
    fn blobs_are_those_of_the_pin_whatever_the_daemon_has() {
        let pinned = base(&["a", "b"], "gzip");
        for packing in ["gzip", "another level"] {
            let mut layers = written(&base(&["a", "b"], packing));
            take_from_pin(&mut layers, Some(&pinned)).unwrap();
            for (layer, pinned) in layers.iter().zip(pinned.built_layers()) {
                assert_eq!(blob_digest(layer), blob_digest(&pinned));
                let BuiltLayer::Base { blob, .. } = layer else { panic!("{layer:?}") };
                assert_eq!(matches!(blob, Blob::Bytes(_)), packing == "gzip", "what is at hand is not fetched");
            }
            assert!(matches!(layers[2], BuiltLayer::New { .. }));
        }
        let mut layers = written(&base(&[], ""));
        take_from_pin(&mut layers, None).unwrap();
    }

    #[test]
    fn another_base_than_the_pin_is_refused() {
        let pinned = base(&["a", "b"], "gzip");
        for (contents, base, want) in [
            (
                &["a", "x"][..],
                Some(&pinned),
                "BuildKit built on something else than `registry.example/base:1`: layer 2 is sha256:",
            ),
            (&["a"], Some(&pinned), "1 layers were left as they are, the locked image has 2"),
            (&["a", "b", "c"], Some(&pinned), "3 layers were left as they are, the locked image has 2"),
            (&["a"], None, "BuildKit built on something else than `scratch`: 1 layers"),
        ] {
            let mut layers = written(&super::tests::base(contents, "gzip"));
            let error = take_from_pin(&mut layers, base).unwrap_err();
            assert_eq!(crate::status::ExitStatus::status(&error), crate::status::Status::Engine);
            assert!(error.to_string().contains(want), "{error}");
        }
    }
}
