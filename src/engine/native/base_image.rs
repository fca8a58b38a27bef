//! Base images: their documents at once, their trees only when an instruction looks into one.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::base_tree::{Layers, StoredLayer, apply};
use super::content::Content;
use super::filesystem::{Filesystem, Tree};
use super::problem::Problem;
use super::refusal::Place;
use super::sources::Sources;
use super::spool::Spool;
use crate::bounds::Bounds;
use crate::build::{Blob, BuiltLayer, Plan};
use crate::digest::Digest;
use crate::dockerfile::target::{BaseConfig, BaseImages, Image};
use crate::image::Descriptor;
use crate::layer::decompress::{Compression, Decompressor};
use crate::lockfile::Pin;
use crate::resolve::LockedImage;
use crate::status::Failure;

/// An image that the target is built upon or takes files from.
pub(super) struct BaseImage {
    /// The pin's request, by which its blobs are asked for.
    request: String,
    manifest: Digest,
    pub(super) documents: LockedImage,
}

/// All base images of a build.
pub(super) struct BaseImagesOf<'a> {
    plan: &'a Plan,
    sources: &'a dyn Sources,
    images: RefCell<Vec<Arc<BaseImage>>>,
}

/// The name by which a layout's named context is put into the question.
pub(super) fn store_name(index: usize) -> String {
    format!("context-{index}")
}

impl<'a> BaseImagesOf<'a> {
    pub(super) fn new(plan: &'a Plan, sources: &'a dyn Sources) -> Self {
        Self { plan, sources, images: RefCell::default() }
    }

    /// The image that a stage or a `--from` names: its pin, and the documents that the pin leads to.
    pub(super) fn image(&self, image: &Image) -> Result<Arc<BaseImage>, Failure> {
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
pub(super) struct NotLocked(pub(super) String);

impl crate::status::ExitStatus for NotLocked {
    fn status(&self) -> crate::status::Status {
        crate::status::Status::Lock
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
    pub(super) fn is_empty(&self) -> bool {
        let config = &self.documents.config;
        config.diff_ids.is_empty() && config.layer_items() == 0
    }

    /// What BuildKit would fill in from its cache, if the history is silent about layers.
    pub(super) fn check_history(&self) -> Result<(), Problem> {
        let (config, request) = (&self.documents.config, crate::escape::text(&self.request));
        if config.diff_ids.len() != self.documents.manifest.layers.len() {
            let (listed, layers) = (config.diff_ids.len(), self.documents.manifest.layers.len());
            return Err(Problem::Malformed(format!(
                "`{request}`: the config lists {listed} layers, the image manifest {layers}"
            )));
        }
        if config.layer_items() == config.diff_ids.len() {
            return Ok(());
        }
        Err(Problem::Unproven(format!(
            "`{request}` has layers that its history doesn't account for, which BuildKit fills in from its cache"
        )))
    }

    /// The layers as they are in the registry.
    pub(super) fn built_layers(&self) -> Vec<BuiltLayer> {
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

    /// The tree of all layers. `work` is a directory for what has to be looked into twice.
    pub(super) fn tree(
        &self,
        files: &mut Filesystem,
        sources: &dyn Sources,
        work: &Path,
        bounds: Bounds<'_>,
        place: &Place,
    ) -> Result<Option<Tree>, Failure> {
        let mut below = Layers::default();
        let layers = self.documents.manifest.layers.iter().zip(&self.documents.config.diff_ids);
        for (number, (layer, diff_id)) in layers.enumerate() {
            let compression = self.compression(layer)?;
            let path = sources.blob(&self.request, layer.digest, layer.size)?;
            let spool = work.join(format!("base-{}-{number}.tar", &self.manifest.hex()[..16]));
            let content = Content::file(path.clone(), layer.size, layer.digest);
            let limits = bounds.limits.clone();
            let archive =
                Spool::new(spool, move || Ok(Box::new(Decompressor::new(compression, content.open()?, &limits)?)));
            let opened = File::open(&path);
            let stored = opened.map_err(|source| Problem::Io { what: format!("layer {}", layer.digest), source })?;
            let stored = StoredLayer {
                stored: Box::new(stored),
                compression,
                digest: layer.digest,
                diff_id: *diff_id,
                archive: &archive,
            };
            let applied = apply(files, &mut below, stored, bounds);
            applied.map_err(|problem| place.error(problem.of_layer(&self.request, number + 1)))?;
        }
        Ok(below.tree)
    }

    fn compression(&self, layer: &Descriptor) -> Result<Compression, Problem> {
        Compression::of_media_type(&layer.media_type).ok_or_else(|| {
            let (request, media_type) = (crate::escape::text(&self.request), crate::escape::text(&layer.media_type));
            Problem::Malformed(format!("`{request}`: layers of type `{media_type}` can't be read"))
        })
    }
}
