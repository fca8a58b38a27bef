//! Base images as trees, read only when an instruction looks into one.

use std::fs::File;
use std::path::Path;

use super::base_tree::{Layers, StoredLayer, apply};
use super::content::Content;
use super::filesystem::{Filesystem, Tree};
use super::problem::Problem;
use super::refusal::Place;
use super::spool::Spool;
use crate::bounds::Bounds;
use crate::engine::base_images::BaseImage;
use crate::engine::sources::Sources;
use crate::image::Descriptor;
use crate::layer::decompress::{Compression, Decompressor};
use crate::progress::Reporter;
use crate::status::Failure;

impl BaseImage {
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

    /// The tree of all layers; what is odd about them is told to `progress`. `work` is a directory for what has to be looked
    /// into twice.
    pub(super) fn tree(
        &self,
        files: &mut Filesystem,
        sources: &dyn Sources,
        work: &Path,
        bounds: Bounds<'_>,
        progress: &Reporter,
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
            let broken = applied.map_err(|problem| place.error(problem.of_layer(&self.request, number + 1)))?;
            if let Some(broken) = broken {
                let (request, number) = (crate::escape::text(&self.request), number + 1);
                progress.warn(&format!(
                    "layer {number} of `{request}` is taken as it is unpacked, though `repro inspect` refuses it: {broken}"
                ));
            }
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
