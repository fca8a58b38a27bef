//! Attestations pushed beside the images that they are about, an artifact each (`docs/formats.md`).
//!
//! By digest alone; a registry that keeps no list of what refers to an image gets one under a tag
//! ([`Registry::ship`]).

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::Arc;

use super::super::machine::Machine;
use super::super::online;
use super::error::AttestError;
use super::gather::{AttestSources, gather};
use crate::attest::built::{self, Built};
use crate::attest::bundle;
use crate::attest::envelope::Envelope;
use crate::attest::line::{Content, RawLine, line_limits};
use crate::attest::referrer::{Artifact, EMPTY};
use crate::attest::statement::Statement;
use crate::attest::summary::{self, Outcome, Summary};
use crate::digest::Digest;
use crate::image::media_type::OCI_MANIFEST;
use crate::image::{Descriptor, Index};
use crate::reference::Reference;
use crate::registry::{ImageDocument, OpenBlob, Registry, RegistryError, Shipment, ShippedDocument};
use crate::status::Failure;

/// Where attestations are pushed.
#[derive(Clone, Debug)]
pub struct PushTarget {
    /// The image, or only its repository.
    pub reference: Reference,
    /// Whether those that failed are pushed, too.
    pub with_failed: bool,
}

/// What became of the attestations.
#[derive(Clone, Debug, Default)]
pub struct PushedAttestations {
    /// What is there now.
    pub pushed: Vec<PushedAttestation>,
    /// Lines that were left out: where they stand, and why.
    pub left_out: Vec<(String, String)>,
}

/// An attestation that refers to an image of a registry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedAttestation {
    /// Where it stands here.
    pub place: String,
    /// The predicate type.
    pub predicate_type: String,
    /// The image that it is about.
    pub subject: Digest,
    /// The artifact that it is.
    pub digest: Digest,
}

/// Pushes the attestations of files.
pub fn attest_push(machine: &Machine, files: &[PathBuf], target: &PushTarget) -> Result<PushedAttestations, Failure> {
    let mut all = Vec::new();
    let sources = AttestSources { files: files.to_vec(), from: Vec::new() };
    gather(machine, &sources, &[], &mut |gathered| {
        all.extend(gathered.into_iter().map(|(place, line)| (place, line.content)));
    })?;
    push(machine, target, all)
}

/// Pushes lines that were just made.
pub fn push_lines(machine: &Machine, target: &PushTarget, lines: &[Vec<u8>]) -> Result<PushedAttestations, Failure> {
    let mut all = Vec::new();
    for (number, bytes) in (1..).zip(lines) {
        let raw = RawLine { number: Some(number), bytes: bytes.clone() };
        let place = format!("statement {number}");
        let line = raw.read(&machine.limits);
        all.push((place.clone(), line.map_err(|error| AttestError::Lines { path: place, error })?.content));
    }
    let pushed = push(machine, target, all)?;
    for (place, reason) in &pushed.left_out {
        machine.progress.note(&format!("{place} is not pushed: {reason}"));
    }
    let count = pushed.pushed.len();
    machine.progress.note(&format!("pushed beside the image, into `{}`: {count} artifacts", target.reference.name()));
    Ok(pushed)
}

/// A repository, and what of it is known.
struct Repository<'a> {
    registry: Registry,
    reference: &'a Reference,
    /// The index that the reference stands for.
    index: Option<(Descriptor, Index)>,
    /// What statements are about, as far as it is there.
    subjects: BTreeMap<Digest, Option<Descriptor>>,
}

fn push(machine: &Machine, target: &PushTarget, all: Vec<(String, Content)>) -> Result<PushedAttestations, Failure> {
    let mut repository = Repository::open(machine, &target.reference)?;
    let mut done = PushedAttestations::default();
    for (place, content) in all {
        machine.cancel.check()?;
        let artifacts = match artifacts(content, machine, target.with_failed) {
            Ok(artifacts) => artifacts,
            Err(reason) => {
                done.left_out.push((place, reason));
                continue;
            }
        };
        for (statement, artifact) in artifacts {
            let subjects = repository.subjects_of(&statement)?;
            if subjects.is_empty() {
                let reason = format!("nothing that it is about is in `{}`", target.reference.name());
                done.left_out.push((place.clone(), reason));
            }
            for subject in subjects {
                let digest = repository.ship(&artifact, &subject)?;
                let (place, predicate_type) = (place.clone(), artifact.predicate_type.clone());
                done.pushed.push(PushedAttestation { place, predicate_type, subject: subject.digest, digest });
            }
        }
    }
    match (done.pushed.is_empty(), done.left_out.first()) {
        (true, Some((place, reason))) => {
            Err(AttestError::NotPushed { place: place.clone(), reason: reason.clone() }.into())
        }
        _ => Ok(done),
    }
}

/// A line as artifacts, one a signature; else why it is left out.
fn artifacts(content: Content, machine: &Machine, with_failed: bool) -> Result<Vec<(Statement, Artifact)>, String> {
    let (payload, bytes, is_signed) = match content {
        Content::Unrecognised => return Err("no attestation".to_owned()),
        Content::Refused(reason) => return Err(reason.to_string()),
        Content::Statement(payload) => (payload.clone(), vec![payload], false),
        Content::Envelope(envelope) => {
            let single = |signature| Envelope::of(envelope.payload.clone(), signature);
            let bundles = envelope.signatures.iter().cloned().map(single);
            let bundles: Vec<Vec<u8>> = bundles.filter_map(|envelope| bundle::of(&envelope)).collect();
            if bundles.is_empty() {
                return Err("no signature that can be read".to_owned());
            }
            (envelope.payload, bundles, true)
        }
    };
    let statement = Statement::parse(&payload, &line_limits(&machine.limits)).map_err(|error| error.to_string())?;
    let predicate_type = statement.predicate_type.clone();
    let time = match predicate_type.as_str() {
        summary::TYPE => {
            let summary = Summary::read(&statement.predicate).map_err(|error| error.to_string())?;
            if summary.result == Outcome::Failed && !with_failed {
                return Err("it failed: `--push-failed` pushes that, too".to_owned());
            }
            Some(summary.time.to_string())
        }
        kind if kind.starts_with(built::TYPES) => Built::read(&statement.predicate).finished,
        _ => None,
    };
    let artifact = |bytes| Artifact { bytes, is_signed, predicate_type: predicate_type.clone(), time: time.clone() };
    Ok(bytes.into_iter().map(|bytes| (statement.clone(), artifact(bytes))).collect())
}

impl<'a> Repository<'a> {
    fn open(machine: &Machine, reference: &'a Reference) -> Result<Self, Failure> {
        let registry = online::registry(machine)?;
        registry.client().check_online(&format!("docker://{reference}"))?;
        let mut index = None;
        if reference.tag().is_some() || reference.digest().is_some() {
            let fetched = registry.manifest(reference)?;
            if let ImageDocument::Index(document) = &fetched.document {
                index = Some((Descriptor::of(&fetched.media_type, fetched.bytes()), Index::clone(document)));
            }
        }
        Ok(Self { registry, reference, index, subjects: BTreeMap::new() })
    }

    /// What of a statement's subjects is there, and the index that holds one of them.
    fn subjects_of(&mut self, statement: &Statement) -> Result<Vec<Descriptor>, Failure> {
        let mut subjects = Vec::new();
        for digest in statement.subjects.iter().filter_map(|subject| subject.sha256) {
            if !self.subjects.contains_key(&digest) {
                let found = match self.registry.manifest(&self.reference.clone().with_digest(digest)) {
                    Ok(fetched) => Some(Descriptor::of(&fetched.media_type, fetched.bytes())),
                    Err(RegistryError::NotFound { .. }) => None,
                    Err(error) => return Err(error.into()),
                };
                self.subjects.insert(digest, found);
            }
            subjects.extend(self.subjects.get(&digest).cloned().flatten());
        }
        if let Some((descriptor, index)) = &self.index {
            let is_in = |entry: &Descriptor| subjects.iter().any(|subject| subject.digest == entry.digest);
            if index.manifests.iter().any(is_in) {
                subjects.push(descriptor.clone());
            }
        }
        subjects.sort_by_key(|subject| subject.digest);
        subjects.dedup_by_key(|subject| subject.digest);
        Ok(subjects)
    }

    fn ship(&self, artifact: &Artifact, subject: &Descriptor) -> Result<Digest, Failure> {
        let bytes = artifact.manifest(subject);
        let digest = Digest::of(&bytes);
        let parts = [EMPTY.to_vec(), artifact.bytes.clone()].map(|bytes| (Digest::of(&bytes), bytes));
        let blobs = parts.iter().map(|(digest, bytes)| (*digest, bytes.len() as u64)).collect();
        let parts = Arc::new(BTreeMap::from(parts));
        let open: OpenBlob = Arc::new(move |digest| match parts.get(digest) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        let documents = [ShippedDocument { media_type: OCI_MANIFEST.to_owned(), bytes }];
        self.registry.ship(
            self.reference,
            &[],
            &Shipment { blobs: &blobs, documents: &documents, open: &open, from: None },
        )?;
        Ok(digest)
    }
}
