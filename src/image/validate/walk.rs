//! The state of a check on its way through the documents: what was found, and how much may still be looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Selection;
use super::claim::Claim;
use super::facts::{DocumentFacts, EntryFacts, ImageFacts};
use crate::digest::AnyDigest;
use crate::image::archive::Archive;
use crate::image::findings::Findings;
use crate::layer::Examined;
use crate::limits::{LimitExceeded, Limits};

/// A document that was walked.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// An index: what it lists, and how many levels of indexes it needs.
    Index { children: Vec<AnyDigest>, height: u64 },
    /// An image manifest, by its place in the list of images.
    Image(usize),
}

/// What `index.json` lists.
pub(super) struct Top {
    pub(super) claim: Claim,
    /// The names that its annotations give.
    pub(super) names: Vec<String>,
}

/// The state of one check.
pub(super) struct Walk<'a> {
    pub(super) archive: &'a Archive,
    pub(super) selection: &'a Selection,
    pub(super) limits: &'a Limits,
    pub(super) findings: Findings,
    pub(super) documents: Vec<DocumentFacts>,
    pub(super) images: Vec<ImageFacts>,
    pub(super) used: BTreeSet<Vec<u8>>,
    pub(super) nodes: BTreeMap<AnyDigest, Node>,
    pub(super) tops: Vec<Top>,
    pub(super) entries: Vec<EntryFacts>,
    pub(super) docker_images: Vec<super::docker::DockerImage>,
    /// Layers that were small enough to be kept, examined.
    pub(super) examined: BTreeMap<Vec<u8>, Examined>,
    /// Layers whose violations were told.
    pub(super) told: BTreeSet<Vec<u8>>,
    /// Something was left out because it has another name; some of these names.
    pub(super) unselected: Vec<String>,
    left_out: u64,
    /// Steps of searches through the graph that are left.
    pub(super) steps: u64,
    /// Descriptors that may still be read.
    pub(super) descriptors: u64,
    /// Bytes of documents whose details may still be kept.
    pub(super) details: u64,
    /// A diff ID is in another algorithm than what was computed.
    pub(super) needs_both_sums: bool,
    /// Documents that were told.
    told_documents: BTreeSet<AnyDigest>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(archive: &'a Archive, selection: &'a Selection, limits: &'a Limits, findings: Findings) -> Self {
        Self {
            archive,
            selection,
            limits,
            findings,
            documents: Vec::new(),
            images: Vec::new(),
            used: BTreeSet::new(),
            nodes: BTreeMap::new(),
            tops: Vec::new(),
            entries: Vec::new(),
            docker_images: Vec::new(),
            examined: BTreeMap::new(),
            told: BTreeSet::new(),
            unselected: Vec::new(),
            left_out: 0,
            steps: limits.archive_steps,
            descriptors: limits.archive_descriptors,
            details: limits.report_details,
            needs_both_sums: false,
            told_documents: BTreeSet::new(),
        }
    }

    /// Takes `count` descriptors from what may be read; false when there are too many, which is told once.
    pub(super) fn takes_descriptors(&mut self, count: usize, object: &str) -> bool {
        match self.descriptors.checked_sub(count as u64) {
            Some(left) => self.descriptors = left,
            None => {
                if self.descriptors > 0 {
                    let limit = self.limits.archive_descriptors;
                    let what = LimitExceeded { name: "archive-descriptors", limit, object: "all documents".to_owned() };
                    self.findings.violation("limit", object, what);
                }
                self.descriptors = 0;
                return false;
            }
        }
        true
    }

    /// Notes that an image of these names was not asked for.
    pub(super) fn leave_out(&mut self, names: &[String]) {
        self.left_out += 1;
        if let Some(name) = names.first()
            && self.unselected.len() < super::names::MOST
        {
            super::names::add(&mut self.unselected, name);
        }
    }

    /// Whether the selection left something out.
    pub(super) fn was_unselected(&self) -> bool {
        self.left_out > 0
    }

    /// Takes one step of a search; false when there were too many.
    pub(super) fn steps_on(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// A search that was given up is a violation: what it would have found is not known.
    pub(super) fn tell_exhaustion(&mut self) {
        if self.steps == 0 {
            let limit = self.limits.archive_steps;
            let what = LimitExceeded { name: "archive-steps", limit, object: "searches".to_owned() };
            self.findings.violation("limit", "archive", what);
        }
    }

    /// Whether there is room for the details of a document of so many bytes.
    pub(super) fn has_room(&mut self, bytes: u64) -> bool {
        match self.details.checked_sub(bytes) {
            Some(left) => self.details = left,
            None => self.details = 0,
        }
        self.details > 0
    }

    /// Keeps a document for people to see.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        member: &str,
        bytes: &[u8],
        media_type: &str,
        depth: usize,
        platform: Option<&super::claim::ClaimedPlatform>,
    ) {
        let digest = AnyDigest::of(crate::digest::Algorithm::Sha256, bytes);
        if !self.told_documents.insert(digest) {
            return;
        }
        self.documents.push(DocumentFacts {
            kind,
            digest,
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            depth,
            platform: platform.map(super::claim::ClaimedPlatform::written),
            member: member.as_bytes().to_vec(),
        });
    }
}
