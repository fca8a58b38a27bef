//! An image of any place as a delta sees it: its blobs by digest, and what names them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Deserialize;

use super::error::DeltaError;
use super::format::DockerImage;
use crate::digest::{AnyDigest, DiffId, Digest, Hashing};
use crate::image::archive::{Archive, Held, Source};
use crate::image::validate::{Closure, Form};
use crate::limits::Limits;

/// An image that was read and found sound.
pub struct Side {
    archive: Archive,
    /// Where it is, safe to print.
    pub(super) place: String,
    /// What it is called by: indexes or image manifests, of a docker archive the configs.
    pub(super) tops: Vec<Digest>,
    /// The configs of its images.
    pub(super) configs: Vec<Digest>,
    pub(super) blobs: BTreeMap<Digest, SideBlob>,
    /// `index.json`.
    pub(super) index: Option<Vec<u8>>,
    /// What `manifest.json` says.
    pub(super) docker: Option<Vec<DockerImage>>,
}

/// One blob.
pub(super) struct SideBlob {
    member: Vec<u8>,
    pub(super) size: u64,
    pub(super) is_document: bool,
    /// What a config says of it as a layer.
    pub(super) diff_id: Option<DiffId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

impl Side {
    /// Takes in an archive whose check found `closure`.
    ///
    /// # Errors
    /// When something is wrong with the image, or it has what a delta does not hold.
    pub fn new(archive: Archive, closure: &Closure, place: String, limits: &Limits) -> Result<Self, DeltaError> {
        if let Some(finding) = closure.findings.violations.first() {
            return Err(DeltaError::Unsound { place, finding: Box::new(finding.clone()) });
        }
        let unfit = |what: &str| DeltaError::Unfit { place: place.clone(), what: what.to_owned() };
        let sha256 = |digest: &AnyDigest| {
            digest.sha256().ok_or_else(|| unfit("a digest that is not sha256, which no delta holds"))
        };
        let mut blobs = BTreeMap::new();
        let mut add = |digest: Digest, member: &[u8], is_document: bool, diff_id: Option<DiffId>| {
            let Some(file) = archive.file(member) else { return };
            let blob = SideBlob { member: member.to_owned(), size: file.size, is_document, diff_id };
            blobs.entry(digest).or_insert(blob);
        };
        let mut configs = BTreeSet::new();
        for document in closure.documents.iter().filter(|document| !document.kind.ends_with(".json")) {
            add(sha256(&document.digest)?, &document.member, true, None);
        }
        for image in &closure.images {
            if let Some(config) = &image.config_digest {
                let config = sha256(config)?;
                configs.insert(config);
                add(config, format!("blobs/sha256/{}", config.hex()).as_bytes(), true, None);
            }
            for layer in &image.layers {
                let digest = layer.digest.as_ref().ok_or_else(|| unfit("a layer that was not read"))?;
                let diff_id = layer.diff_id.as_ref().and_then(AnyDigest::sha256);
                add(sha256(digest)?, &layer.member, false, diff_id.map(|id| DiffId::from_bytes(*id.as_bytes())));
            }
        }
        let configs: Vec<Digest> = configs.into_iter().collect();
        let mut tops: Vec<Digest> = closure.tops.iter().map(sha256).collect::<Result<_, _>>()?;
        tops.sort_unstable();
        tops.dedup();
        if closure.form == Form::Docker {
            tops.clone_from(&configs);
        }
        if tops.is_empty() {
            return Err(unfit("there is no image"));
        }
        let unread = |error| DeltaError::Unfit { place: place.clone(), what: format!("{error}") };
        let top_file = |name: &str| match archive.file(name.as_bytes()) {
            Some(file) => archive.bytes(file).map_err(unread),
            None => Ok(None),
        };
        let index = if closure.form == Form::Docker { None } else { top_file("index.json")? };
        let docker = match (closure.form, top_file("manifest.json")?) {
            (Form::Docker | Form::Combined, Some(bytes)) => {
                let saved: Vec<Saved> =
                    crate::json::parse(&bytes, limits).map_err(|error| unfit(&error.to_string()))?;
                let members: BTreeMap<&[u8], Digest> =
                    blobs.iter().map(|(digest, blob)| (blob.member.as_slice(), *digest)).collect();
                let find = |name: &String| {
                    let name = resolve(&archive, name.as_bytes());
                    members
                        .get(name.as_slice())
                        .copied()
                        .ok_or_else(|| unfit("`manifest.json` names what no image has"))
                };
                let image = |saved: &Saved| {
                    Ok(DockerImage {
                        config: find(&saved.config)?,
                        layers: saved.layers.iter().flatten().map(find).collect::<Result<_, DeltaError>>()?,
                        tags: saved.repo_tags.clone().unwrap_or_default(),
                    })
                };
                Some(saved.iter().map(image).collect::<Result<Vec<_>, DeltaError>>()?)
            }
            _ => None,
        };
        Ok(Self { archive, place, tops, configs, blobs, index, docker })
    }

    /// Opens a blob.
    pub(super) fn open(&self, digest: Digest) -> Result<Box<dyn Read + Send + '_>, DeltaError> {
        let blob = self.blobs.get(&digest);
        blob.ok_or_else(|| io::ErrorKind::NotFound.into())
            .and_then(|blob| self.archive.open(&blob.member))
            .map_err(|error| self.broken(digest, error))
    }

    /// Where a blob's bytes are.
    pub(super) fn source(&self, digest: Digest) -> Result<Source, DeltaError> {
        let blob = self.blobs.get(&digest);
        blob.ok_or_else(|| io::ErrorKind::NotFound.into())
            .and_then(|blob| self.archive.source(&blob.member))
            .map_err(|error| self.broken(digest, error))
    }

    /// The error of a blob that can't be read, or is not what it should be.
    pub(super) fn broken(&self, digest: Digest, error: io::Error) -> DeltaError {
        DeltaError::Blob { place: self.place.clone(), digest, error }
    }

    /// Checks that a blob that was read as a whole had the right bytes.
    pub(super) fn check(&self, digest: Digest, read: Hashing<impl Read>) -> Result<(), DeltaError> {
        let (_, hasher) = read.into_parts();
        let found = hasher.digest();
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, format!("its bytes have the digest {found}"));
        if found == digest { Ok(()) } else { Err(self.broken(digest, wrong())) }
    }
}

/// The member that a name of `manifest.json` stands for: of old archives a layer may be a link to another's.
fn resolve(archive: &Archive, name: &[u8]) -> Vec<u8> {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    match archive.members.get(name) {
        Some(Held::Link { target }) => target.strip_prefix(b"../").unwrap_or(target).to_owned(),
        _ => name.to_owned(),
    }
}
