//! The daemon's own record of a build: its sources, and the frontend that read the Dockerfile.

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
    /// The version of the Dockerfile frontend that BuildKit brought along (`1.28.0`), if it says so and used it.
    pub frontend: Option<String>,
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
    #[serde(default)]
    invocation: Invocation,
}

#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "resolvedDependencies", default)]
    dependencies: Vec<Material>,
    #[serde(rename = "internalParameters", default)]
    parameters: Surroundings,
}

#[derive(Default, Deserialize)]
struct Invocation {
    #[serde(default)]
    environment: Surroundings,
}

#[derive(Default, Deserialize)]
struct Surroundings {
    #[serde(rename = "dockerfileVersion")]
    frontend: Option<String>,
}

/// Characters of a version that is believed.
const VERSION: usize = 64;

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
        match attestations.iter().find(is_provenance) {
            Some(provenance) => read_provenance(&get(provenance.digest)?, &limits),
            None => Ok(Self::default()),
        }
    }
}

fn missing(reason: String) -> BuildKitError {
    BuildKitError::Unusable {
        message: format!("BuildKit's record of the build can't be read: {reason}"),
        fix: "use BuildKit v0.26 or newer with its history switched on".to_owned(),
    }
}

fn find_record(response: &[u8], reference: &str, limits: &Limits) -> Result<Record, BuildKitError> {
    if response.trim_ascii().is_empty() {
        return Err(BuildKitError::Unusable {
            message: "BuildKit keeps no record of its builds, so the sources that it used can't be checked".to_owned(),
            fix: "leave `maxEntries = 0` out of `[history]` in the daemon's `buildkitd.toml`".to_owned(),
        });
    }
    let mentions = |line: &&[u8]| line.windows(reference.len()).any(|window| window == reference.as_bytes());
    for line in response.split(|byte| *byte == b'\n').filter(mentions) {
        let event: Event = json::parse(line, limits).map_err(|error| missing(error.to_string()))?;
        if let Some(record) = event.record.filter(|record| record.reference == reference) {
            return Ok(record);
        }
    }
    Err(missing(format!("no build `{}`", crate::escape::text(reference))))
}

fn read_provenance(response: &[u8], limits: &Limits) -> Result<BuildRecord, BuildKitError> {
    let provenance: Provenance = json::parse(response, limits).map_err(|error| missing(error.to_string()))?;
    let (materials, surroundings) = match provenance.definition {
        Some(definition) => (definition.dependencies, definition.parameters),
        None => (provenance.materials, provenance.invocation.environment),
    };
    let is_version = |version: &String| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
        !version.is_empty() && version.len() <= VERSION && version.bytes().all(is_part)
    };
    Ok(BuildRecord { materials: Some(materials), frontend: surroundings.frontend.filter(is_version) })
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
        let error = find_record(b"\n", "mine", &Limits::default()).err().unwrap();
        assert!(error.to_string().starts_with("BuildKit keeps no record of its builds"), "{error}");
    }

    #[test]
    fn sources_and_frontend_are_read_in_both_shapes() {
        let material = r#"{"uri":"https://h.example/p","digest":{"sha256":"00"}}"#;
        let version = r#"{"dockerfileVersion":"1.28.0"}"#;
        let new = format!(
            r#"{{"buildDefinition":{{"buildType":"x","internalParameters":{version},"resolvedDependencies":[{material}]}}}}"#
        );
        let old = format!(r#"{{"invocation":{{"environment":{version}}},"materials":[{material}]}}"#);
        for text in [new, old] {
            let record = read_provenance(text.as_bytes(), &Limits::default()).unwrap();
            let materials = record.materials.unwrap();
            assert_eq!((materials.len(), materials[0].uri.as_str()), (1, "https://h.example/p"));
            assert_eq!(record.frontend.as_deref(), Some("1.28.0"));
        }
        let bare = read_provenance(br#"{"buildDefinition":{}}"#, &Limits::default()).unwrap();
        assert_eq!(bare, BuildRecord { materials: Some(Vec::new()), frontend: None });
        let odd = br#"{"buildDefinition":{"internalParameters":{"dockerfileVersion":"1\n2"}}}"#;
        assert_eq!(read_provenance(odd, &Limits::default()).unwrap().frontend, None);
        assert!(read_provenance(b"[]", &Limits::default()).is_err());
    }
}
