//! The JSON document of `repro inspect`.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::View;
use super::expected::Expected;
use crate::cli::document::ErrorDocument;
use crate::image::archive::Archive;
use crate::image::closure::{ConfigFacts, DocumentFacts, Form, ImageFacts, LayerFacts, Role};
use crate::json::Text;
use crate::limits::Limits;
use crate::status::{ExitStatus, Failure, Status};

/// Characters of a document's content that are told without `--show-contents`.
const SHORT: usize = 600;

/// What `repro inspect` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InspectDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What was looked at, as it was given.
    pub source: String,
    /// What kind of archive or layout it is; null if that is not known.
    pub form: Option<FormName>,
    /// What the check found; null if there was none.
    pub verdict: Option<ImageVerdict>,
    /// The comparison with `--expected-image-digest`; null without it, and where something is wrong with the image.
    pub expected: Option<ExpectedDocument>,
    /// The JSON documents of the image, each once, those above first.
    pub documents: Vec<ListedDocument>,
    /// How many more documents there are.
    pub more_documents: u64,
    /// Images, attestations and artifacts.
    pub images: Vec<InspectedImage>,
    /// How many more of them there are.
    pub more_images: u64,
    /// What is wrong, all of it.
    pub faults: Vec<FaultDocument>,
    /// How many more faults there are.
    pub more_faults: u64,
    /// What is worth a remark.
    pub notes: Vec<NoteDocument>,
    /// How many more notes there are.
    pub more_notes: u64,
    /// What went wrong, if anything: the first fault, or a digest that is not the expected one.
    pub error: Option<ErrorDocument>,
}

/// A kind of archive or layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormName {
    /// `index.json` and blobs.
    Oci,
    /// `manifest.json`, a config and layers.
    Docker,
    /// Both.
    OciAndDocker,
}

/// What the check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageVerdict {
    /// Everything is there and right.
    Valid,
    /// Documents are right; layers were not read (`--fast`).
    DocumentsValid,
    /// Something is wrong, or unsafe.
    Invalid,
}

/// A comparison of digests.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ExpectedDocument {
    /// What was expected.
    pub expected: String,
    /// What the image has.
    pub found: String,
    /// Whether they are equal.
    pub equal: bool,
}

/// One JSON document of an image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedDocument {
    /// `index.json`, `manifest.json`, `index`, `manifest` or `config`.
    pub kind: String,
    /// The digest of its bytes.
    pub digest: String,
    /// Its media type by its descriptor; empty for the files at the top.
    pub media_type: String,
    /// Its bytes.
    pub size: Number,
    /// How many documents stand above it.
    pub depth: usize,
    /// The platform by its descriptor.
    pub platform: Option<String>,
    /// Its text, cut after 600 characters without `--show-contents`; null where a report would be too long.
    pub content: Option<String>,
    /// Whether the text was cut.
    pub content_cut: bool,
}

/// An image, an attestation or an artifact.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InspectedImage {
    /// What it stands for.
    pub role: RoleName,
    /// What the archive calls it.
    pub names: Vec<String>,
    /// Digest of the image manifest; null in docker archives, which have none.
    pub manifest: Option<String>,
    /// Its media type.
    pub media_type: String,
    /// Digest of the config: the image id.
    pub config: Option<String>,
    /// The platform, by the config.
    pub platform: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// Who made it.
    pub author: String,
    /// `USER`
    pub user: String,
    /// `WORKDIR`
    pub working_dir: String,
    /// `ENTRYPOINT`
    pub entrypoint: Vec<String>,
    /// `CMD`
    pub cmd: Vec<String>,
    /// `ENV`
    pub env: Vec<String>,
    /// `LABEL`
    pub labels: BTreeMap<String, String>,
    /// `EXPOSE`
    pub exposed_ports: Vec<String>,
    /// `VOLUME`
    pub volumes: Vec<String>,
    /// `STOPSIGNAL`
    pub stop_signal: String,
    /// Stored bytes of manifest, config and layers.
    pub size: Number,
    /// Uncompressed bytes of the layers; null if not all were read.
    pub uncompressed_size: Option<Number>,
    /// Whether no entry of a layer is newer than `created`; null if that is not known.
    pub times_within_created: Option<bool>,
    /// The layers, base first.
    pub layers: Vec<InspectedLayer>,
    /// How the layers came to be; null if the config says nothing.
    pub history: Option<Vec<HistoryDocument>>,
    /// Free texts of the image manifest.
    pub annotations: BTreeMap<String, String>,
    /// What an artifact is.
    pub artifact_type: Option<String>,
    /// The manifest that an attestation is about.
    pub about: Option<String>,
    /// What an attestation states.
    pub predicate_types: Vec<String>,
    /// Annotations, history and how a container is run were left out, to keep the report within `report-details`.
    pub shortened: bool,
}

/// What an image manifest stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// It can be run.
    Image,
    /// It states something about an image.
    Attestation,
    /// Anything else.
    Artifact,
}

/// One layer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InspectedLayer {
    /// Digest of the stored bytes.
    pub digest: Option<String>,
    /// Its diff ID, by the config.
    pub diff_id: Option<String>,
    /// Its media type; empty in docker archives.
    pub media_type: String,
    /// `uncompressed`, `gzip` or `zstd`; null if it was not read.
    pub compression: Option<String>,
    /// Stored bytes.
    pub size: Number,
    /// Uncompressed bytes; null if it was not read.
    pub uncompressed_size: Option<Number>,
    /// How many entries it has; null if it was not read.
    pub entries: Option<u64>,
    /// The newest modification time of an entry, seconds since 1970.
    pub newest_mtime: Option<Number>,
    /// Its entries, in their order (`--layers`); a layer that images share is listed once.
    pub listing: Option<Vec<EntryDocument>>,
    /// How many entries the listing leaves out, to keep the report within `report-bytes`.
    pub listing_left_out: u64,
}

/// One entry of a layer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EntryDocument {
    /// Its name; what is not UTF-8 is replaced.
    pub path: String,
    /// The name in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// `file`, `directory`, `symlink`, `hardlink`, `character-device`, `block-device`, `fifo` or `whiteout`.
    pub kind: String,
    /// Permissions in octal.
    pub mode: String,
    /// Owner.
    pub uid: Number,
    /// Group.
    pub gid: Number,
    /// Bytes of content, holes included.
    pub size: Number,
    /// Modification time, seconds since 1970.
    pub mtime: Number,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The target in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_base64: Option<String>,
    /// Major and minor number of a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<[u32; 2]>,
    /// Names of extended attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub xattrs: Vec<String>,
}

/// The entries of one layer that are told.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Those that are.
    pub entries: Vec<EntryDocument>,
    /// How many are not.
    pub left_out: u64,
}

/// One item of a history.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct HistoryDocument {
    /// When.
    pub created: Option<String>,
    /// By which instruction.
    pub created_by: String,
    /// The number of the layer that it made, the base's first layer being 1; null if it made none.
    pub layer: Option<usize>,
}

/// Something that is wrong.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FaultDocument {
    /// The rule of `docs/inspect.md` that is broken.
    pub rule: String,
    /// What is at fault.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
}

/// A remark.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct NoteDocument {
    /// What it is about.
    pub object: String,
    /// The remark.
    pub what: String,
}

/// A number that is written as a string where not every reader would take it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i128);

impl Number {
    const EXACT: i128 = 1 << 53;
}

impl<T: Into<i128>> From<T> for Number {
    fn from(number: T) -> Self {
        Self(number.into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(number) if self.0.abs() <= Self::EXACT => serializer.serialize_i64(number),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An integer; beyond 2^53 a string of its digits.",
            "type": ["integer", "string"]
        })
    }
}

/// A temporary file can't be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a document again: {0}")]
struct Unreadable(#[from] std::io::Error);

impl ExitStatus for Unreadable {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// The texts of the documents that are told, and whether each was cut.
pub(super) type Contents = Vec<(Option<String>, bool)>;

pub(super) fn contents(view: &View<'_>, archive: &Archive, limits: &Limits) -> Result<Contents, Failure> {
    let mut left = limits.report_bytes;
    let mut contents = Vec::new();
    for facts in view.closure.documents.iter().take(limits.report_items as usize) {
        let bytes = archive.file(&facts.member).map(|file| archive.bytes(file)).transpose().map_err(Unreadable)?;
        let text = bytes.flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let Some(mut text) = text.filter(|_| left > 0) else {
            contents.push((None, true));
            continue;
        };
        let cut = if view.arguments.show_contents { None } else { text.char_indices().nth(SHORT) };
        if let Some((at, _)) = cut {
            text.truncate(at);
        }
        let rest = left.checked_sub(text.len() as u64);
        left = rest.unwrap_or(0);
        contents.push((rest.map(|_| text), cut.is_some() || rest.is_none()));
    }
    Ok(contents)
}

impl InspectDocument {
    /// A document that tells nothing.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            source: String::new(),
            form: None,
            verdict: None,
            expected: None,
            documents: Vec::new(),
            more_documents: 0,
            images: Vec::new(),
            more_images: 0,
            faults: Vec::new(),
            more_faults: 0,
            notes: Vec::new(),
            more_notes: 0,
            error: None,
        }
    }

    pub(super) fn of(
        source: &str,
        view: &View<'_>,
        status: Status,
        expected: Option<&Expected>,
        contents: Contents,
        mut listings: BTreeMap<Vec<u8>, Listed>,
    ) -> Self {
        let closure = view.closure;
        let findings = &closure.findings;
        let more_documents = (closure.documents.len() - contents.len()) as u64;
        let told = contents.len().max(view.shown.len().min(findings.most_items()));
        let images: Vec<InspectedImage> = view.images().take(told).map(|facts| image(facts, &mut listings)).collect();
        let more_images = (view.shown.len() - images.len()) as u64;
        Self {
            status: status.code(),
            source: source.to_owned(),
            form: match closure.form {
                Form::Oci => Some(FormName::Oci),
                Form::Docker => Some(FormName::Docker),
                Form::Combined => Some(FormName::OciAndDocker),
                Form::None => None,
            },
            verdict: Some(match (findings.are_none(), view.arguments.fast) {
                (false, _) => ImageVerdict::Invalid,
                (true, true) => ImageVerdict::DocumentsValid,
                (true, false) => ImageVerdict::Valid,
            }),
            expected: expected.map(|expected| ExpectedDocument {
                expected: expected.expected.to_string(),
                found: expected.found.to_string(),
                equal: expected.is_equal,
            }),
            documents: closure.documents.iter().zip(contents).map(|(facts, content)| listed(facts, content)).collect(),
            more_documents,
            images,
            more_images,
            faults: findings
                .faults
                .iter()
                .map(|fault| FaultDocument {
                    rule: fault.rule.clone(),
                    object: fault.object.clone(),
                    what: fault.what.clone(),
                })
                .collect(),
            more_faults: findings.more_faults,
            notes: findings
                .notes
                .iter()
                .map(|note| NoteDocument { object: note.object.clone(), what: note.what.clone() })
                .collect(),
            more_notes: findings.more_notes,
            ..Self::empty()
        }
    }
}

fn listed(facts: &DocumentFacts, (content, content_cut): (Option<String>, bool)) -> ListedDocument {
    ListedDocument {
        kind: facts.kind.to_owned(),
        digest: facts.digest.to_string(),
        media_type: facts.media_type.clone(),
        size: facts.size.into(),
        depth: facts.depth,
        platform: facts.platform.clone(),
        content,
        content_cut,
    }
}

fn image(facts: &ImageFacts, listings: &mut BTreeMap<Vec<u8>, Listed>) -> InspectedImage {
    let unknown = ConfigFacts::default();
    let config = facts.config.as_ref().unwrap_or(&unknown);
    let text = |text: &Text| String::from_utf8_lossy(text).into_owned();
    let texts = |list: &[Text]| list.iter().map(text).collect::<Vec<_>>();
    let run = &config.run;
    let layers: Vec<InspectedLayer> =
        facts.layers.iter().map(|facts| layer(facts, listings.remove(&facts.member))).collect();
    InspectedImage {
        role: match facts.role {
            Role::Image => RoleName::Image,
            Role::Attestation => RoleName::Attestation,
            Role::Artifact => RoleName::Artifact,
        },
        names: facts.names.clone(),
        manifest: facts.manifest.map(|digest| digest.to_string()),
        media_type: facts.media_type.clone(),
        config: facts.config_digest.map(|digest| digest.to_string()),
        platform: facts.platform().map(|platform| platform.to_string()),
        created: config.created.map(|time| time.to_string()),
        author: config.author.clone(),
        user: text(&run.user),
        working_dir: text(&run.working_dir),
        entrypoint: texts(&run.entrypoint),
        cmd: texts(&run.cmd),
        env: texts(&run.env),
        labels: run.labels.iter().map(|(name, value)| (text(name), text(value))).collect(),
        exposed_ports: run.exposed_ports.iter().map(text).collect(),
        volumes: run.volumes.iter().map(text).collect(),
        stop_signal: text(&run.stop_signal),
        size: facts.stored_size().into(),
        uncompressed_size: facts.uncompressed_size().map(Number::from),
        times_within_created: facts.times_within_created(),
        history: config.history.as_ref().map(|items| {
            let mut number = 0;
            let item = |item: &crate::image::closure::HistoryFacts| HistoryDocument {
                created: item.created.map(|time| time.to_string()),
                created_by: item.created_by.clone(),
                layer: (!item.is_empty).then(|| {
                    number += 1;
                    number
                }),
            };
            items.iter().map(item).collect()
        }),
        annotations: facts.annotations.clone(),
        artifact_type: facts.artifact_type.clone(),
        about: facts.about.clone(),
        predicate_types: facts
            .layers
            .iter()
            .filter_map(|layer| layer.annotations.get("in-toto.io/predicate-type").cloned())
            .collect(),
        shortened: facts.is_shortened,
        layers,
    }
}

fn layer(facts: &LayerFacts, listed: Option<Listed>) -> InspectedLayer {
    let (listing, listing_left_out) = match listed {
        Some(listed) => (Some(listed.entries), listed.left_out),
        None => (None, 0),
    };
    InspectedLayer {
        digest: facts.digest.map(|digest| digest.to_string()),
        diff_id: facts.diff_id.map(|digest| digest.to_string()),
        media_type: facts.media_type.clone(),
        compression: facts.compression.map(str::to_owned),
        size: facts.size.into(),
        uncompressed_size: facts.uncompressed_size.map(Number::from),
        entries: facts.entries,
        newest_mtime: facts.newest_mtime.map(Number::from),
        listing,
        listing_left_out,
    }
}
