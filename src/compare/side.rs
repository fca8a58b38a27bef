//! One of the two images that are compared: what was read of it, and what is read later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::Value;

use super::layers::Table;
use crate::bounds::Bounds;
use crate::digest::{Algorithm, AnyDigest, Summing};
use crate::finding::Finding;
use crate::image::archive::{Archive, Content, Surroundings};
use crate::image::validate::{self, Closure, ImageFacts, LayerFacts, Selection};
use crate::layer::decompress::Compression;
use crate::layer::{Contents, Examination, Listed};

/// An archive or layout whose documents were checked. Its layers are read when they are asked for.
pub struct Side<'a> {
    /// Everything that it holds.
    pub archive: Archive,
    /// What was found in it.
    pub closure: Closure,
    name: Option<String>,
    elsewhere: Option<Box<dyn Elsewhere + 'a>>,
}

/// Where blobs are that an archive only knows by their size: in a registry, or not packed yet.
pub trait Elsewhere: Send + Sync {
    /// A file with the blob of that member, which has so many bytes.
    ///
    /// # Errors
    /// When it can't be had.
    fn fetch(&self, member: &[u8], size: u64) -> io::Result<PathBuf>;
}

/// A document of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub value: Value,
}

impl<'a> Side<'a> {
    /// Checks the documents of an archive whose layers were left alone; of several images the one called `name` counts.
    /// Layers that the archive does not hold are asked for `elsewhere`.
    ///
    /// # Errors
    /// When a temporary file can't be read.
    pub fn new(
        mut archive: Archive,
        name: Option<&str>,
        elsewhere: Option<Box<dyn Elsewhere + 'a>>,
        bounds: Bounds<'_>,
    ) -> io::Result<Self> {
        let selection = Selection { image: name.map(str::to_owned), is_fast: true, ..Selection::default() };
        let closure = validate::check(&mut archive, &selection, bounds.limits)?;
        Ok(Self { archive, closure, name: name.map(str::to_owned), elsewhere })
    }

    /// What is wrong with it.
    pub fn violations(&self) -> &[Finding] {
        &self.closure.findings.violations
    }

    /// Reads layers by the members that hold them, and checks all that is known of the image then. The contents of their
    /// files go to `contents`.
    ///
    /// # Errors
    /// When the archive or a temporary file can't be read.
    pub fn examine(
        &mut self,
        members: &BTreeSet<Vec<u8>>,
        contents: Option<&dyn Contents>,
        bounds: Bounds<'_>,
    ) -> io::Result<()> {
        let around = |sums_both| Surroundings {
            limits: bounds.limits,
            cancel: bounds.cancel,
            threads: rayon::current_num_threads(),
            is_fast: false,
            listed: Listed::Contents,
            contents,
            sums_both,
        };
        let selection = Selection { image: self.name.clone(), listed: Listed::Contents, ..Selection::default() };
        for member in members {
            if let Some(path) = self.fetched(member)? {
                self.archive.provide(member, path);
            }
        }
        self.archive.examine(members, &around(false))?;
        self.closure = validate::check(&mut self.archive, &selection, bounds.limits)?;
        Ok(())
    }

    /// Hashes blobs that were left alone, without looking into them; what is not as its digest says is a violation. What
    /// the archive does not hold is what its digest says once it is fetched.
    ///
    /// # Errors
    /// When the archive can't be read, or work should stop.
    pub fn confirm(&mut self, blobs: &BTreeMap<Vec<u8>, AnyDigest>, bounds: Bounds<'_>) -> io::Result<()> {
        let is_left_alone = |member: &[u8]| {
            self.archive.file(member).is_some_and(|file| matches!(file.content, Content::Skipped))
                && self.archive.holds(member)
        };
        let blobs: Vec<_> = blobs.iter().filter(|(member, _)| is_left_alone(member)).collect();
        let computed = blobs.par_iter().map(|(member, expected)| self.hash(member, expected.algorithm(), bounds));
        let computed = computed.collect::<io::Result<Vec<Option<AnyDigest>>>>()?;
        for ((_, expected), computed) in blobs.iter().zip(computed) {
            if let Some(computed) = computed.filter(|computed| computed != *expected) {
                let what = format!("digest mismatch: computed {computed}, expected {expected}");
                self.closure.findings.violation("V1", format!("blob {expected}"), what);
            }
        }
        Ok(())
    }

    fn hash(&self, member: &[u8], algorithm: Algorithm, bounds: Bounds<'_>) -> io::Result<Option<AnyDigest>> {
        let mut stored = Summing::new(self.archive.open(member)?, algorithm);
        let mut piece = vec![0; 1 << 17];
        while stored.read(&mut piece)? > 0 {
            bounds.cancel.check().map_err(io::Error::other)?;
        }
        Ok(stored.into_parts().1.in_algorithm(algorithm))
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
            contents: None,
        };
        let mut stored: Box<dyn Read + Send + '_> = match self.fetched(&layer.member)? {
            Some(path) => Box::new(File::open(path)?),
            None => self.archive.open(&layer.member)?,
        };
        let mut start = Vec::new();
        stored.by_ref().take(16).read_to_end(&mut start)?;
        Table::of(&how.run(&start, stored)?, left, bounds.limits)
    }

    /// The file of a blob that the archive does not hold.
    fn fetched(&self, member: &[u8]) -> io::Result<Option<PathBuf>> {
        match (&self.elsewhere, self.archive.file(member)) {
            (Some(elsewhere), Some(file)) if !self.archive.holds(member) => {
                elsewhere.fetch(member, file.size).map(Some)
            }
            _ => Ok(None),
        }
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
