//! The state of a check on its way through the documents: what was found so far.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::claim::ClaimedPlatform;
use super::facts::DocumentFacts;
use super::graph::Graph;
use super::names;
use super::selection::Selection;
use crate::digest::{Algorithm, AnyDigest};
use crate::image::archive::Archive;
use crate::image::findings::Findings;
use crate::layer::Examined;
use crate::limits::Limits;

/// The state of one check.
pub(super) struct Walk<'a> {
    pub(super) archive: &'a Archive,
    pub(super) selection: &'a Selection,
    pub(super) limits: &'a Limits,
    pub(super) budget: Budget<'a>,
    pub(super) findings: Findings,
    pub(super) documents: Documents,
    pub(super) graph: Graph,
    /// The images of `manifest.json`, to be compared with those of `index.json`.
    pub(super) docker_images: Vec<DockerImage>,
    pub(super) examinations: Examinations,
    /// Members that something refers to.
    pub(super) used: BTreeSet<Vec<u8>>,
    pub(super) left_out: LeftOut,
}

/// The documents that people are told of, each once.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) told: Vec<DocumentFacts>,
    seen: BTreeSet<AnyDigest>,
}

/// One image of `manifest.json`.
pub(super) struct DockerImage {
    pub(super) place: String,
    pub(super) config: Option<AnyDigest>,
    pub(super) diff_ids: Vec<Option<AnyDigest>>,
    pub(super) tags: Vec<String>,
}

/// What is known of the contents of layers.
#[derive(Default)]
pub(super) struct Examinations {
    /// Layers that were small enough to be kept, examined.
    pub(super) kept: BTreeMap<Vec<u8>, Examined>,
    /// Layers whose violations were told.
    pub(super) told: BTreeSet<Vec<u8>>,
    /// A diff ID is in another algorithm than what was computed.
    pub(super) needs_both_sums: bool,
}

/// Images that were not asked for.
#[derive(Default)]
pub(super) struct LeftOut {
    count: u64,
    /// Some of their names, safe to print.
    pub(super) names: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(archive: &'a Archive, selection: &'a Selection, limits: &'a Limits, findings: Findings) -> Self {
        Self {
            archive,
            selection,
            limits,
            budget: Budget::new(limits),
            findings,
            documents: Documents::default(),
            graph: Graph::default(),
            docker_images: Vec::new(),
            examinations: Examinations::default(),
            used: BTreeSet::new(),
            left_out: LeftOut::default(),
        }
    }
}

impl LeftOut {
    /// Notes that an image of these names was not asked for.
    pub(super) fn add(&mut self, names: &[String]) {
        self.count += 1;
        if let Some(name) = names.first() {
            names::add(&mut self.names, name);
        }
    }

    /// Whether the selection left nothing out.
    pub(super) fn is_nothing(&self) -> bool {
        self.count == 0
    }
}

impl Documents {
    /// Keeps a document for people to see.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        member: &str,
        bytes: &[u8],
        media_type: &str,
        depth: usize,
        platform: Option<&ClaimedPlatform>,
    ) {
        let digest = AnyDigest::of(Algorithm::Sha256, bytes);
        if !self.seen.insert(digest) {
            return;
        }
        self.told.push(DocumentFacts {
            kind,
            digest,
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            depth,
            platform: platform.map(ClaimedPlatform::written),
            member: member.as_bytes().to_vec(),
        });
    }
}
