//! One of the two images that are compared: what was read of it, and what is read later.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

use serde_json::Value;

use super::layers::Table;
use crate::bounds::Bounds;
use crate::digest::Algorithm;
use crate::finding::Finding;
use crate::image::archive::{Archive, Surroundings};
use crate::image::validate::{self, Closure, ImageFacts, LayerFacts, Selection};
use crate::layer::decompress::Compression;
use crate::layer::{Examination, Listed};

/// An archive or layout whose documents were checked. Its layers are read when they are asked for.
pub struct Side {
    /// Everything that it holds.
    pub archive: Archive,
    /// What was found in it.
    pub closure: Closure,
}

/// A document of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub value: Value,
}

impl Side {
    /// Checks the documents of an archive whose layers were left alone.
    ///
    /// # Errors
    /// When a temporary file can't be read.
    pub fn new(mut archive: Archive, bounds: Bounds<'_>) -> io::Result<Self> {
        let selection = Selection { is_fast: true, ..Selection::default() };
        let closure = validate::check(&mut archive, &selection, bounds.limits)?;
        Ok(Self { archive, closure })
    }

    /// What is wrong with it.
    pub fn violations(&self) -> &[Finding] {
        &self.closure.findings.violations
    }

    /// Reads layers by the members that hold them, and checks all that is known of the image then.
    ///
    /// # Errors
    /// When the archive or a temporary file can't be read.
    pub fn examine(&mut self, members: &BTreeSet<Vec<u8>>, bounds: Bounds<'_>) -> io::Result<()> {
        let around = |sums_both| Surroundings {
            limits: bounds.limits,
            cancel: bounds.cancel,
            threads: rayon::current_num_threads(),
            is_fast: false,
            listed: Listed::Contents,
            sums_both,
        };
        let selection = Selection { listed: Listed::Contents, ..Selection::default() };
        self.archive.examine(members, &around(false))?;
        self.closure = validate::check(&mut self.archive, &selection, bounds.limits)?;
        Ok(())
    }

    /// The image manifest; none in docker archives, which have none.
    pub fn manifest(&self, image: &ImageFacts) -> io::Result<Option<Document>> {
        match &image.manifest {
            Some(digest) => self.document(digest.blob_path().as_bytes()),
            None => Ok(None),
        }
    }

    /// The config.
    pub fn config(&self, image: &ImageFacts) -> io::Result<Option<Document>> {
        let found = self
            .closure
            .documents
            .iter()
            .find(|document| document.kind == "config" && Some(document.digest) == image.config_digest);
        match found {
            Some(document) => self.document(&document.member),
            None => Ok(None),
        }
    }

    /// The document that a member holds.
    pub fn document(&self, member: &[u8]) -> io::Result<Option<Document>> {
        let Some(file) = self.archive.file(member) else { return Ok(None) };
        let Some(bytes) = self.archive.bytes(file)? else { return Ok(None) };
        // What was checked can be read.
        Ok(serde_json::from_slice(&bytes).ok().map(|value| Document { bytes, value }))
    }

    /// The table of a layer that was examined; takes its entries from `left`.
    ///
    /// # Errors
    /// As [`Table::of`].
    pub fn table(&self, layer: &LayerFacts, left: &mut u64, bounds: Bounds<'_>) -> io::Result<Table> {
        match self.closure.examined(&self.archive, layer) {
            Some(examined) => Table::of(examined, left, bounds.limits),
            None => Ok(Table::default()),
        }
    }

    /// The table of any layer, which is read for it; takes its entries from `left`.
    ///
    /// # Errors
    /// As [`Table::of`], and when the layer can't be read.
    pub fn read_table(&self, layer: &LayerFacts, left: &mut u64, bounds: Bounds<'_>) -> io::Result<Table> {
        if self.closure.examined(&self.archive, layer).is_some_and(|examined| examined.listing.is_some()) {
            return self.table(layer, left, bounds);
        }
        let how = Examination {
            workspace: &self.archive.workspace,
            limits: bounds.limits,
            algorithm: Algorithm::Sha256,
            listed: Listed::Contents,
        };
        let mut stored = self.archive.open(&layer.member)?;
        let mut start = Vec::new();
        stored.by_ref().take(16).read_to_end(&mut start)?;
        Table::of(&how.run(&start, stored)?, left, bounds.limits)
    }

    /// The stored bytes of a layer, and how they are packed.
    pub fn open(&self, layer: &LayerFacts) -> io::Result<(impl Read + Send + '_, Compression)> {
        let mut stored = self.archive.open(&layer.member)?;
        let mut start = Vec::new();
        stored.by_ref().take(16).read_to_end(&mut start)?;
        let compression = Compression::of_magic(&start);
        Ok((Cursor::new(start).chain(stored), compression))
    }
}
