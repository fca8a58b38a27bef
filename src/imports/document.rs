//! What a JSON document is, by its members.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::build::RecordedBuild;
use super::error::ImportError;
use super::{build_info, history, metadata, provenance};
use crate::escape;
use crate::json;
use crate::limits::Limits;

/// Names that a message tells.
const MOST_NAMES: usize = 10;

/// Reads a build from a document: a statement, a predicate, a metadata file, or lines of a daemon's history.
pub fn read_document(bytes: &[u8], limits: &Limits) -> Result<RecordedBuild, ImportError> {
    match json::parse::<Value>(bytes, limits) {
        Ok(value) => of_value(&value, limits, true),
        Err(error) => match lines(bytes, limits) {
            Some(values) => of_lines(&values, limits),
            None => Err(error.into()),
        },
    }
}

/// Documents that stand one a line; none if that is no more than one, or they are no such lines.
fn lines(bytes: &[u8], limits: &Limits) -> Option<Vec<Value>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let values: Option<Vec<Value>> = lines.map(|line| json::parse(line, limits).ok()).collect();
    values.filter(|values| values.len() > 1)
}

/// Events of one build: the last tells most.
fn of_lines(values: &[Value], limits: &Limits) -> Result<RecordedBuild, ImportError> {
    let mut names: Vec<&str> = values.iter().filter_map(history::name).collect();
    names.sort_unstable();
    names.dedup();
    match (names.len(), values.last()) {
        (1, Some(last)) => of_value(last, limits, false),
        _ => {
            let known = names.iter().take(MOST_NAMES).map(|name| escape::text(name).into_owned()).collect();
            Err(ImportError::Several { count: names.len().max(values.len()), known })
        }
    }
}

/// Reads one document; an envelope is opened once.
pub(super) fn of_value(value: &Value, limits: &Limits, may_be_sealed: bool) -> Result<RecordedBuild, ImportError> {
    if may_be_sealed && let (Some(kind), Some(payload)) = (value.get("payloadType"), value.get("payload")) {
        if kind.as_str() != Some("application/vnd.in-toto+json") {
            return Err(ImportError::malformed("envelope", "its payload is no in-toto statement"));
        }
        let payload = payload.as_str().unwrap_or_default();
        let bytes = STANDARD.decode(payload).map_err(|error| ImportError::malformed("envelope", error.to_string()))?;
        let mut build = of_value(&json::parse::<Value>(&bytes, limits)?, limits, false)?;
        build.note("signatures", "the envelope's signatures were not checked");
        return Ok(build);
    }
    if value.get("predicateType").is_some() {
        return provenance::statement(value);
    }
    if history::is_history(value) {
        return history::record(value);
    }
    if let Some(config) = build_info::of_config(value, limits)? {
        return Ok(config);
    }
    let found = provenance::predicate(value)
        .or_else(|| metadata::by_platform(value))
        .or_else(|| metadata::metadata(value, limits))
        .or_else(|| value.get("sources").map(|_| build_info::encoded(value, limits)));
    found.unwrap_or_else(|| {
        Err(ImportError::Unknown(
            "the document is none of: provenance of BuildKit, build info, a metadata file, a record of a history"
                .to_owned(),
        ))
    })
}
