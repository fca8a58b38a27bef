//! What BuildKit v0.10 and v0.11 wrote of a build: frontend, attributes, sources.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::build::{RecordedBuild, Told};
use super::error::ImportError;
use super::material::{check_request, image, whole_digest};
use super::note::has_credentials;
use super::provenance::or_empty;
use crate::http::without_user;
use crate::json;
use crate::limits::Limits;
use crate::lockfile::{Claim, SourceKind};

/// The keys of a config, newest first: the code wrote `.v1`, the old text says `.v0`.
const KEYS: [&str; 2] = ["moby.buildkit.buildinfo.v1", "moby.buildkit.buildinfo.v0"];
const OBJECT: &str = "build info";

#[derive(Deserialize, Default)]
#[serde(default)]
struct BuildInfo {
    #[serde(deserialize_with = "or_empty")]
    attrs: Option<BTreeMap<String, Option<String>>>,
    #[serde(deserialize_with = "or_empty")]
    sources: Vec<Source>,
    #[serde(deserialize_with = "or_empty")]
    deps: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source {
    #[serde(rename = "type", deserialize_with = "or_empty")]
    kind: String,
    #[serde(rename = "ref", deserialize_with = "or_empty")]
    reference: String,
    #[serde(deserialize_with = "or_empty")]
    pin: String,
}

/// The build info of an image's config; none if there is none.
pub(super) fn of_config(config: &Value, limits: &Limits) -> Result<Option<RecordedBuild>, ImportError> {
    let Some(found) = KEYS.iter().find_map(|key| config.get(key)) else { return Ok(None) };
    encoded(found, limits).map(Some)
}

/// Build info as it is, or in base64 as configs and raw responses have it.
pub(super) fn encoded(value: &Value, limits: &Limits) -> Result<RecordedBuild, ImportError> {
    match value {
        Value::String(text) => {
            let bytes = STANDARD.decode(text).map_err(|error| ImportError::malformed(OBJECT, error.to_string()))?;
            of_value(&json::parse::<Value>(&bytes, limits)?)
        }
        other => of_value(other),
    }
}

fn of_value(value: &Value) -> Result<RecordedBuild, ImportError> {
    let read = BuildInfo::deserialize(value).map_err(ImportError::of_part(OBJECT))?;
    let has_attributes = read.attrs.is_some();
    let told = Told { request: has_attributes, arguments: has_attributes, secrets: false, sources: true };
    let mut build = RecordedBuild { told, ..RecordedBuild::default() };
    build.attributes =
        read.attrs.unwrap_or_default().into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    for source in &read.sources {
        take(source, &mut build)?;
    }
    for (name, inner) in &read.deps {
        let inner = of_value(inner)?;
        build.claims.extend(inner.claims);
        build.notes.extend(inner.notes);
        build.note(
            format!("contexts.{name}"),
            "an input from another build, with sources of its own: those are among the pins, the build is not carried over",
        );
    }
    Ok(build)
}

fn take(source: &Source, build: &mut RecordedBuild) -> Result<(), ImportError> {
    let Source { kind, reference, pin } = source;
    check_request(reference)?;
    if has_credentials(reference) {
        build.note(without_user(reference), "its address has credentials: not taken for a pin");
        return Ok(());
    }
    let claim = match kind.as_str() {
        "docker-image" => image(reference, whole_digest(reference, pin)?)?,
        "oci-layout" => Claim::new(SourceKind::Layout, reference, whole_digest(reference, pin)?),
        "http" | "https" => Claim::new(SourceKind::Http, reference, whole_digest(reference, pin)?),
        "git" => Claim::git(reference, pin)
            .ok_or_else(|| ImportError::malformed(reference, format!("`{pin}` is no commit")))?,
        other => {
            build.note(reference, format!("a source of the unknown type `{other}`: no pin"));
            return Ok(());
        }
    };
    build.claims.insert(claim);
    Ok(())
}
