//! An image of the archive: what its config and manifest say, and how it came to be.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::layer::{InspectedLayer, Listed, layer};
use super::number::Number;
use crate::image::validate::{ConfigFacts, HistoryFacts, ImageFacts, Role};
use crate::json::Text;

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

pub fn image(facts: &ImageFacts, listings: &mut BTreeMap<Vec<u8>, Listed>) -> InspectedImage {
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
            let item = |item: &HistoryFacts| HistoryDocument {
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
