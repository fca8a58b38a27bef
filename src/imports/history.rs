//! What a daemon keeps of its builds: records of its history, and the lines in which `buildctl` prints them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::build::{RecordedBuild, Told};
use super::error::ImportError;
use super::output::WrittenOutput;
use super::provenance::or_empty;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Record {
    #[serde(deserialize_with = "or_empty")]
    frontend_attrs: BTreeMap<String, Option<String>>,
    #[serde(deserialize_with = "or_empty")]
    exporters: Vec<Exporter>,
    #[serde(deserialize_with = "or_empty")]
    exporter_response: BTreeMap<String, Option<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Exporter {
    #[serde(rename = "Type", deserialize_with = "or_empty")]
    kind: String,
    #[serde(deserialize_with = "or_empty")]
    attrs: BTreeMap<String, Option<String>>,
}

/// Whether a document is an event of the history, or a record.
pub(super) fn is_history(value: &Value) -> bool {
    value.get("record").is_some() || (value.get("Ref").is_some() && value.get("FrontendAttrs").is_some())
}

/// The build's name in the history.
pub(super) fn name(value: &Value) -> Option<&str> {
    value.get("record").unwrap_or(value).get("Ref")?.as_str()
}

/// Reads an event or a record: the request, and none of the sources.
pub(super) fn record(value: &Value) -> Result<RecordedBuild, ImportError> {
    let value = value.get("record").unwrap_or(value);
    let read = Record::deserialize(value).map_err(ImportError::of_part("history record"))?;
    let told = Told { request: true, arguments: true, secrets: false, sources: false };
    let mut build = RecordedBuild { told, ..RecordedBuild::default() };
    build.attributes = read.frontend_attrs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    for exporter in &read.exporters {
        // Other values than those of the output may be names of places.
        let attributes: Vec<&str> = exporter.attrs.keys().map(String::as_str).collect();
        let attributes = if attributes.is_empty() { "none".to_owned() } else { attributes.join(", ") };
        build.output.join(WrittenOutput::of_exporter(&exporter.attrs));
        build.note(
            "output",
            format!("written by the exporter `{}` with the attributes {attributes}: of these, media types and compression alone are carried over", exporter.kind),
        );
    }
    if !build.attributes.contains_key("platform")
        && let Some(Some(platforms)) = read.exporter_response.get("refs.platforms")
    {
        build.attributes.extend(platform_list(platforms).map(|list| ("platform".to_owned(), list)));
    }
    Ok(build)
}

/// The platforms of the results, where the request named none.
fn platform_list(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let platforms = value.get("Platforms")?.as_array()?.iter();
    let ids: Option<Vec<&str>> = platforms.map(|platform| platform.get("ID")?.as_str()).collect();
    ids.filter(|ids| !ids.is_empty()).map(|ids| ids.join(","))
}
