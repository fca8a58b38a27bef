//! The daemon's own record of a build: its sources.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::engine::buildkit::failure::BuildKitError;
use crate::json;
use crate::limits::Limits;

const PREDICATE_KEY: &str = "in-toto.io/predicate-type";
const PROVENANCE: &str = "https://slsa.dev/provenance/";
/// Bytes of one record or provenance, which hold the whole plan of the build.
const RECORD: u64 = 64 << 20;

/// What a daemon recorded of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildRecord {
    /// The sources that it used; none if it recorded no provenance, as of results without any layer.
    pub materials: Option<Vec<Material>>,
}

/// One source as a provenance names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Material {
    /// URL or package URL.
    #[serde(default)]
    pub uri: String,
    /// Digests in hex, by algorithm.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Event {
    record: Option<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "Ref", default)]
    reference: String,
    #[serde(rename = "Result")]
    result: Option<BuildResult>,
}

#[derive(Deserialize)]
struct BuildResult {
    #[serde(rename = "Attestations", default)]
    attestations: Vec<Attestation>,
}

#[derive(Deserialize)]
struct Attestation {
    digest: Digest,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// SLSA 1 has `buildDefinition`, SLSA 0.2 has `materials`.
#[derive(Deserialize)]
struct Provenance {
    #[serde(rename = "buildDefinition")]
    definition: Option<Definition>,
    #[serde(default)]
    materials: Vec<Material>,
}

#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "resolvedDependencies", default)]
    dependencies: Vec<Material>,
}

impl BuildRecord {
    /// The error that a record lacks what every image with layers has.
    pub fn lacks_provenance() -> BuildKitError {
        missing("no provenance".to_owned())
    }

    /// Reads the record of the build called `reference` from a daemon's history; `get` reads one of its objects.
    pub fn read(
        history: &[u8],
        reference: &str,
        limits: &Limits,
        get: impl FnOnce(Digest) -> Result<Vec<u8>, BuildKitError>,
    ) -> Result<Self, BuildKitError> {
        let limits = Limits { json_bytes: RECORD, ..limits.clone() };
        let record = find_record(history, reference, &limits)?;
        let attestations = record.result.map(|result| result.attestations).unwrap_or_default();
        let is_provenance = |attestation: &&Attestation| {
            attestation.annotations.get(PREDICATE_KEY).is_some_and(|kind| kind.starts_with(PROVENANCE))
        };
        let materials = match attestations.iter().find(is_provenance) {
            Some(provenance) => Some(read_materials(&get(provenance.digest)?, &limits)?),
            None => None,
        };
        Ok(Self { materials })
    }
}

fn missing(reason: String) -> BuildKitError {
    BuildKitError::Unusable {
        message: format!("BuildKit's record of the build can't be read: {reason}"),
        fix: "use BuildKit v0.26 or newer with its history switched on".to_owned(),
    }
}

fn find_record(response: &[u8], reference: &str, limits: &Limits) -> Result<Record, BuildKitError> {
    let mentions = |line: &&[u8]| line.windows(reference.len()).any(|window| window == reference.as_bytes());
    for line in response.split(|byte| *byte == b'\n').filter(mentions) {
        let event: Event = json::parse(line, limits).map_err(|error| missing(error.to_string()))?;
        if let Some(record) = event.record.filter(|record| record.reference == reference) {
            return Ok(record);
        }
    }
    Err(missing(format!("no build `{}`", crate::escape::text(reference))))
}

fn read_materials(response: &[u8], limits: &Limits) -> Result<Vec<Material>, BuildKitError> {
    let provenance: Provenance = json::parse(response, limits).map_err(|error| missing(error.to_string()))?;
    Ok(provenance.definition.map_or(provenance.materials, |definition| definition.dependencies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_one_build_is_found_among_others() {
        let digest = Digest::of(b"p");
        let response = format!(
            "{{\"type\":1,\"record\":{{\"Ref\":\"other\",\"ExporterResponse\":{{\"note\":\"mine\"}}}}}}\n\
             {{\"type\":1,\"record\":{{\"Ref\":\"mine\",\"Result\":{{\"Attestations\":[{{\"digest\":\"{digest}\"}}]}}}}}}\n"
        );
        let record = find_record(response.as_bytes(), "mine", &Limits::default()).unwrap();
        assert_eq!(record.result.unwrap().attestations[0].digest, digest);
        let error = find_record(response.as_bytes(), "mi", &Limits::default()).err().unwrap();
        assert_eq!(error.to_string(), "BuildKit's record of the build can't be read: no build `mi`");
    }

    #[test]
    fn materials_are_read_in_both_shapes() {
        let material = r#"{"uri":"https://h.example/p","digest":{"sha256":"00"}}"#;
        let new = format!(r#"{{"buildDefinition":{{"buildType":"x","resolvedDependencies":[{material}]}}}}"#);
        let old = format!(r#"{{"builder":{{"id":""}},"materials":[{material}]}}"#);
        for text in [new, old] {
            let materials = read_materials(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(materials.len(), 1);
            assert_eq!(materials[0].uri, "https://h.example/p");
        }
        assert_eq!(read_materials(br#"{"buildDefinition":{}}"#, &Limits::default()).unwrap(), []);
        assert!(read_materials(b"[]", &Limits::default()).is_err());
    }
}
