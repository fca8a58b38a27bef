//! What an engine made of a plan.

use std::collections::BTreeMap;

use super::Blob;
use crate::digest::{DiffId, Digest};

/// What an engine made: the same from every engine.
#[derive(Clone, Debug)]
pub struct Built {
    /// The config's exact bytes.
    pub config: Vec<u8>,
    /// The layers, base first.
    pub layers: Vec<BuiltLayer>,
    /// The requests of a taped build, by step, as far as the engine tells; cached steps make none.
    pub requests: Vec<StepRequests>,
    /// True URLs and how often a step asked for each, by whatever method, where the engine tells that; the tape's server
    /// saw fewer of them where the engine refused some.
    pub asked: BTreeMap<String, u64>,
    /// The version of the Dockerfile frontend that the engine brought along, if it tells and used that one.
    pub frontend: Option<String>,
    /// What weakens a verdict on it, which then says so; safe to print.
    pub warnings: Vec<String>,
}

/// What one step asked the network for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRequests {
    /// The step as the engine names it (`[2/5] RUN make`), safe to print.
    pub step: String,
    /// The first line of its instruction in the Dockerfile, from 1, where that is certain.
    pub line: Option<u32>,
    /// True URLs and the status of each response, in the order of the requests.
    pub requests: Vec<(String, u16)>,
}

/// One layer of a build.
#[derive(Clone, Debug)]
pub enum BuiltLayer {
    /// A base layer as it is in the registry.
    Base {
        /// Its media type there.
        media_type: String,
        /// Digest of the stored blob.
        digest: Digest,
        /// Bytes of the stored blob.
        size: u64,
        /// Diff ID, from the base's config.
        diff_id: DiffId,
        /// Where the blob's bytes are.
        blob: Blob,
    },
    /// A layer that this build made.
    New {
        /// Diff ID, computed by whoever wrote the tar.
        diff_id: DiffId,
        /// Bytes of the uncompressed tar.
        size: u64,
        /// Where the uncompressed tar is.
        tar: Blob,
    },
}

impl BuiltLayer {
    /// The layer's diff ID.
    pub fn diff_id(&self) -> DiffId {
        match self {
            Self::Base { diff_id, .. } | Self::New { diff_id, .. } => *diff_id,
        }
    }
}
