//! What a delta says of itself in its header (`docs/formats.md`, "Delta, version 1").

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::DeltaError;
use super::space::Stream;
use crate::digest::{DiffId, Digest};
use crate::json::{self, Value};
use crate::layer::zlib::Program;
use crate::limits::{LimitExceeded, Limits};

/// The line before the header, without its end.
pub(super) const MAGIC: &[u8] = b"repro delta ";
/// What follows there.
pub(super) const VERSION: &[u8] = b"1";

/// What a delta says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The images that it takes from.
    pub bases: Vec<BaseImage>,
    /// The blobs of the target, sorted by digest.
    pub blobs: Vec<Blob>,
    /// Bytes between the header and the digest at the end.
    pub body: u64,
    /// The target's documents, packed together.
    pub documents: Part,
    /// The layers of bases that contents are copied from, sorted by place.
    pub streams: Vec<BaseStream>,
    /// The image that it gives.
    pub target: TargetImage,
}

/// A base, as it is told from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseImage {
    /// The configs of its images, sorted.
    pub configs: Vec<Digest>,
    /// What it is called by, sorted.
    pub digests: Vec<Digest>,
}

/// The image that a delta gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetImage {
    /// What it is called by, sorted.
    pub digests: Vec<Digest>,
    /// The images of its `manifest.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<Vec<DockerImage>>,
    /// Bytes of its `index.json`, which begins the documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

/// An image of a `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerImage {
    /// The config.
    pub config: Digest,
    /// The layers, base first.
    pub layers: Vec<Digest>,
    /// What it is tagged.
    pub tags: Vec<String>,
}

/// Something packed as one zstd frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Bytes of what it gives.
    pub content: u64,
    /// Bytes of the frame.
    pub size: u64,
}

/// A layer of a base in the space that contents are copied from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseStream {
    /// The blob.
    pub blob: Digest,
    /// What its uncompressed bytes hash to; absent if it is taken as it is stored.
    #[serde(rename = "diffId", skip_serializing_if = "Option::is_none")]
    pub diff_id: Option<DiffId>,
    /// How many bytes it has there.
    pub size: u64,
    /// Where it begins.
    pub start: u64,
}

/// A blob of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// What its bytes hash to.
    pub digest: Digest,
    /// Where they come from.
    #[serde(flatten)]
    pub form: BlobForm,
    /// How many there are.
    pub size: u64,
}

/// Where the bytes of a blob come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum BlobForm {
    /// A base has it.
    Base,
    /// It is among the documents.
    Document,
    /// A part's instructions give a content, and a recipe the blob.
    Delta {
        /// Bytes of the content.
        content: u64,
        /// Bytes of the content that are copied from the bases.
        copied: u64,
        /// Bytes of the part.
        part: u64,
        /// How the blob comes back from the content.
        recipe: Recipe,
    },
}

/// How a stored blob comes back from a content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Recipe {
    /// The layer is stored uncompressed: the content is the blob.
    Stored,
    /// One gzip member as image form 1 has it.
    GzipForm1,
    /// One gzip member as another program makes it.
    Gzip(Member),
    /// Nothing gives these bytes back: the content is the blob itself, compressed as it is.
    Whole,
}

/// A gzip member that one of the programs made which [`crate::layer::zlib`] imitates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The program.
    pub program: Program,
    /// Its level, from 1 to 9.
    pub level: u8,
    /// What stands before the deflate stream.
    pub head: Vec<u8>,
}

impl Recipe {
    /// Bytes of a gzip member's head, at most.
    pub(super) const LONGEST_HEAD: usize = 1024;

    /// Its name in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Stored => "stored".to_owned(),
            Self::GzipForm1 => "gzip-form-1".to_owned(),
            Self::Gzip(Member { program: Program::Zlib, level, .. }) => format!("zlib-{level}"),
            Self::Gzip(Member { program: Program::Gzip, level, .. }) => format!("gnu-gzip-{level}"),
            Self::Whole => "whole".to_owned(),
        }
    }

    /// Whether the content is compressed to give the blob.
    pub(super) fn compresses(&self) -> bool {
        matches!(self, Self::GzipForm1 | Self::Gzip(_))
    }
}

/// How a delta spells it.
impl From<Recipe> for String {
    fn from(recipe: Recipe) -> Self {
        let mut text = recipe.name();
        if let Recipe::Gzip(Member { head, .. }) = &recipe {
            text.push(' ');
            text.extend(head.iter().map(|byte| format!("{byte:02x}")));
        }
        text
    }
}

impl TryFrom<String> for Recipe {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unknown = || format!("the recipe `{}` is not known", crate::escape::text(&text));
        match text.as_str() {
            "stored" => return Ok(Self::Stored),
            "gzip-form-1" => return Ok(Self::GzipForm1),
            "whole" => return Ok(Self::Whole),
            _ => {}
        }
        let (name, hex) = text.split_once(' ').ok_or_else(unknown)?;
        let (program, level) = name.rsplit_once('-').ok_or_else(unknown)?;
        let program = match program {
            "zlib" => Program::Zlib,
            "gnu-gzip" => Program::Gzip,
            _ => return Err(unknown()),
        };
        let level = level.parse().ok().filter(|level| (1..=9).contains(level)).ok_or_else(unknown)?;
        let digits = hex.as_bytes();
        if digits.len() > 2 * Self::LONGEST_HEAD || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(unknown());
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let head: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        Ok(Self::Gzip(Member { program, level, head: head.ok_or_else(unknown)? }))
    }
}

impl DockerImage {
    /// The entry of a `manifest.json`, in which files are called by their digests.
    fn to_value(&self) -> Value {
        let blob = |digest: &Digest| Value::string(format!("blobs/sha256/{}", digest.hex()));
        Value::Object(vec![
            (b"Config".to_vec(), blob(&self.config)),
            (b"RepoTags".to_vec(), if self.tags.is_empty() { Value::Null } else { Value::strings(&self.tags) }),
            (b"Layers".to_vec(), Value::Array(self.layers.iter().map(blob).collect())),
        ])
    }
}

impl TargetImage {
    /// Its `manifest.json`.
    pub(super) fn docker_manifest(&self) -> Option<Vec<u8>> {
        let images = self.docker.as_ref()?;
        Some(Value::Array(images.iter().map(DockerImage::to_value).collect()).to_compact())
    }
}

impl BaseStream {
    pub(super) fn of(stream: &Stream) -> Self {
        Self { blob: stream.blob, diff_id: stream.diff_id, size: stream.size, start: stream.start }
    }

    pub(super) fn stream(&self) -> Stream {
        Stream { blob: self.blob, diff_id: self.diff_id, start: self.start, size: self.size }
    }
}

impl Header {
    /// Everything before the body.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, DeltaError> {
        let mut bytes = [MAGIC, VERSION, b"\n"].concat();
        bytes.extend(self.spelled()?.into_bytes());
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The header as JSON, members sorted by name.
    fn spelled(&self) -> Result<String, DeltaError> {
        // The values of a map are sorted, those of a type stand as it declares them.
        let value = serde_json::to_value(self).map_err(|error| DeltaError::malformed(error.to_string()))?;
        Ok(value.to_string())
    }

    /// Bytes of the target's blobs.
    pub fn target_size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).fold(0, u64::saturating_add)
    }

    /// Reads the line of a header that is spelled as it would be written; `whole` is the size of the file.
    pub(super) fn parse(text: &[u8], limits: &Limits, whole: u64) -> Result<Self, DeltaError> {
        let header: Self =
            json::parse(text, limits).map_err(|error| DeltaError::malformed(format!("its header: {error}")))?;
        if header.spelled()?.as_bytes() != text {
            return Err(DeltaError::malformed("its header is not spelled as `repro` writes it"));
        }
        header.check(limits, whole)?;
        Ok(header)
    }

    /// Checks what the header says of itself: order, sums, and that nothing goes over a limit.
    fn check(&self, limits: &Limits, whole: u64) -> Result<(), DeltaError> {
        let is_sorted = |digests: &[Digest]| digests.is_sorted_by(|one, other| one < other) && !digests.is_empty();
        let bases_are_named = self
            .bases
            .iter()
            .all(|base| is_sorted(&base.digests) && base.configs.is_sorted_by(|one, other| one < other));
        if !bases_are_named || !is_sorted(&self.target.digests) {
            return Err(DeltaError::malformed("the digests of an image are missing or not sorted"));
        }
        if !self.blobs.is_sorted_by(|one, other| one.digest < other.digest) {
            return Err(DeltaError::malformed("its blobs are not sorted by digest, or one is there twice"));
        }
        let mut end = Some(0_u64);
        for stream in &self.streams {
            if end.is_none_or(|end| stream.start < end) {
                return Err(DeltaError::malformed("its streams overlap or are not sorted"));
            }
            end = stream.start.checked_add(stream.size);
        }
        if end.is_none_or(|end| end > limits.image_bytes) {
            return Err(exceeded("image-bytes", limits.image_bytes, "what a delta copies from"));
        }
        let (mut parts, mut output) = (self.documents.size, self.documents.content);
        let mut documents = self.target.index.unwrap_or(0);
        for blob in &self.blobs {
            if blob.size > limits.blob {
                return Err(exceeded("blob", limits.blob, &format!("blob {}", blob.digest)));
            }
            match &blob.form {
                BlobForm::Base => {}
                BlobForm::Document => documents = documents.saturating_add(blob.size),
                BlobForm::Delta { content, copied, part, recipe } => {
                    let (content, copied, part) = (*content, *copied, *part);
                    if content > limits.layer_bytes {
                        return Err(exceeded("layer-bytes", limits.layer_bytes, &format!("blob {}", blob.digest)));
                    }
                    if copied > content || !recipe.compresses() && content != blob.size {
                        return Err(DeltaError::malformed(format!("blob {}: its sizes disagree", blob.digest)));
                    }
                    parts = parts.saturating_add(part);
                    output = output.saturating_add(content);
                }
            }
        }
        if documents != self.documents.content {
            return Err(DeltaError::malformed("its documents have not the bytes that their sizes add up to"));
        }
        if self.target.index.is_some_and(|index| index > limits.json_bytes) {
            return Err(exceeded("json-bytes", limits.json_bytes, "the `index.json` of a delta"));
        }
        if documents > limits.archive_documents {
            return Err(exceeded("archive-documents", limits.archive_documents, "the documents of a delta"));
        }
        if output > limits.image_bytes {
            return Err(exceeded("image-bytes", limits.image_bytes, "what a delta gives"));
        }
        let read = self.streams.iter().map(|stream| stream.size).fold(whole, u64::saturating_add);
        if output > limits.layer_ratio_from && output > read.saturating_mul(limits.layer_ratio) {
            return Err(exceeded("layer-ratio", limits.layer_ratio, "what a delta gives"));
        }
        if parts != self.body {
            return Err(DeltaError::malformed("its parts have not the bytes of the body"));
        }
        let made = |blob: &&Blob| !matches!(blob.form, BlobForm::Base);
        let own: BTreeSet<&Digest> = self.blobs.iter().filter(made).map(|blob| &blob.digest).collect();
        if let Some(stream) = self.streams.iter().find(|stream| own.contains(&stream.blob)) {
            return Err(DeltaError::malformed(format!("it takes from {}, which it gives itself", stream.blob)));
        }
        let named: BTreeSet<&Digest> = self.blobs.iter().map(|blob| &blob.digest).collect();
        let docker = self.target.docker.iter().flatten();
        if docker.flat_map(|image| image.layers.iter().chain([&image.config])).any(|digest| !named.contains(digest)) {
            return Err(DeltaError::malformed("`docker` names a blob that is none of the target's"));
        }
        if self.target.docker.is_none() && self.target.index.is_none() {
            return Err(DeltaError::malformed("it gives neither an OCI image nor a docker archive"));
        }
        Ok(())
    }
}

pub(super) fn exceeded(name: &'static str, limit: u64, object: &str) -> DeltaError {
    LimitExceeded { name, limit, object: object.to_owned() }.into()
}
