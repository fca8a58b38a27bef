//! Base images as the pins have them: documents and layers, the same for every engine.

use std::cell::RefCell;
use std::sync::Arc;

use super::sources::Sources;
use crate::build::{Blob, BuiltLayer, Plan};
use crate::digest::Digest;
use crate::dockerfile::target::{BaseConfig, BaseImages, Image};
use crate::lockfile::Pin;
use crate::resolve::LockedImage;
use crate::status::{ExitStatus, Failure, Status};

/// An image that the target is built upon or takes files from.
pub struct BaseImage {
    /// The pin's request, by which its blobs are asked for.
    pub request: String,
    /// Digest of the image manifest.
    pub manifest: Digest,
    /// The image manifest and the config.
    pub documents: LockedImage,
}

/// All base images of a build.
pub struct BaseImagesOf<'a> {
    plan: &'a Plan,
    sources: &'a dyn Sources,
    images: RefCell<Vec<Arc<BaseImage>>>,
}

/// The name by which a layout's named context is put into the question.
pub fn store_name(index: usize) -> String {
    format!("context-{index}")
}

impl<'a> BaseImagesOf<'a> {
    /// The base images of `plan`, whose documents come from `sources`.
    pub fn new(plan: &'a Plan, sources: &'a dyn Sources) -> Self {
        Self { plan, sources, images: RefCell::default() }
    }

    /// The image that a stage or a `--from` names: its pin, and the documents that the pin leads to.
    pub fn image(&self, image: &Image) -> Result<Arc<BaseImage>, Failure> {
        let (request, is_layout) = self.request(image);
        let pin = self.plan.pins.iter().find(|pin| match pin {
            Pin::Image { request: pinned, .. } => !is_layout && *pinned == request,
            Pin::Layout { request: pinned, .. } => is_layout && *pinned == request,
            _ => false,
        });
        let Some(pin @ (Pin::Image { digest, platforms, .. } | Pin::Layout { digest, platforms, .. })) = pin else {
            return Err(NotLocked(request).into());
        };
        let platform = image.platform.normalised();
        let manifest = *platforms.get(&platform).unwrap_or(digest);
        let known = |base: &&Arc<BaseImage>| base.manifest == manifest && base.request == request;
        if let Some(base) = self.images.borrow().iter().find(known) {
            return Ok(Arc::clone(base));
        }
        let documents = self.sources.image(pin, manifest)?;
        let base = Arc::new(BaseImage { request, manifest, documents });
        self.images.borrow_mut().push(Arc::clone(&base));
        Ok(base)
    }

    fn request(&self, image: &Image) -> (String, bool) {
        let store = image.layout.as_ref().map(|(store, _)| store.as_str());
        let mut contexts = self.plan.inputs.contexts.keys().enumerate();
        match contexts.find(|(index, _)| store == Some(store_name(*index).as_str())) {
            Some((_, name)) => (name.clone(), true),
            None => (image.reference.clone(), false),
        }
    }
}

/// A source that the lockfile does not hold.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not locked", crate::escape::text(.0))]
pub struct NotLocked(pub String);

impl ExitStatus for NotLocked {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        Some("`repro lock` pins it".to_owned())
    }
}

impl BaseImages for &BaseImagesOf<'_> {
    type Error = Failure;

    fn config(&mut self, base: &Image) -> Result<BaseConfig, Failure> {
        let image = self.image(base)?;
        let config = &image.documents.config;
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        Ok(BaseConfig {
            env: config.run.env.iter().map(text).collect(),
            onbuild: config.run.on_build.iter().map(text).collect(),
            working_dir: text(&config.run.working_dir),
            user: text(&config.run.user),
            shell: config.run.shell.iter().map(text).collect(),
            is_empty: image.is_empty(),
            is_pending: false,
        })
    }
}

impl BaseImage {
    /// Whether it has no layer, so that builds upon it start from nothing.
    pub fn is_empty(&self) -> bool {
        let config = &self.documents.config;
        config.diff_ids.is_empty() && config.layer_items() == 0
    }

    /// The layers as they are in the registry.
    pub fn built_layers(&self) -> Vec<BuiltLayer> {
        let layers = self.documents.manifest.layers.iter().zip(&self.documents.config.diff_ids);
        layers
            .map(|(layer, diff_id)| BuiltLayer::Base {
                media_type: layer.media_type.clone(),
                digest: layer.digest,
                size: layer.size,
                diff_id: *diff_id,
                blob: Blob::Remote { request: self.request.clone() },
            })
            .collect()
    }
}
