//! BuildKit's provenance: SLSA v0.2 and v1, in a statement or alone.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::build::{Id, RecordedBuild, Told};
use super::error::ImportError;
use super::material::{Material, material};
use crate::escape;
use crate::platform::Platform;

/// The types of statements' contents that are read.
const V02: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";
/// The builds that BuildKit describes, as v0.2 and v1 name them.
const BUILD_TYPES: [&str; 2] = [
    "https://mobyproject.org/buildkit@v1",
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
];
/// What every git source over HTTP may see, whoever asked for it.
const GIT_SECRETS: [&str; 2] = ["GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"];

/// Whether a statement's content is provenance that is read here.
pub(super) fn is_provenance(predicate_type: &str) -> bool {
    matches!(predicate_type, V02 | V1)
}

/// Reads an in-toto statement.
pub(super) fn statement(value: &Value) -> Result<RecordedBuild, ImportError> {
    let kind = value.get("predicateType").and_then(Value::as_str).unwrap_or_default();
    let predicate = value.get("predicate").unwrap_or(&Value::Null);
    match kind {
        V02 => v02(predicate),
        V1 => v1(predicate),
        other => {
            let other: String = other.chars().take(200).collect();
            Err(ImportError::Unknown(format!(
                "a statement of the type `{}`, expected provenance",
                escape::text(&other)
            )))
        }
    }
}

/// Reads a predicate by its shape; none if it is none.
pub(super) fn predicate(value: &Value) -> Option<Result<RecordedBuild, ImportError>> {
    match () {
        () if value.get("buildDefinition").is_some() => Some(v1(value)),
        () if value.get("buildType").is_some() => Some(v02(value)),
        () => None,
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PredicateV1 {
    #[serde(deserialize_with = "or_empty")]
    build_definition: Definition,
    #[serde(deserialize_with = "or_empty")]
    run_details: RunDetails,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Definition {
    #[serde(deserialize_with = "or_empty")]
    build_type: String,
    #[serde(deserialize_with = "or_empty")]
    external_parameters: External,
    #[serde(deserialize_with = "or_empty")]
    internal_parameters: Internal,
    #[serde(deserialize_with = "or_empty")]
    resolved_dependencies: Vec<Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct External {
    #[serde(deserialize_with = "or_empty")]
    config_source: ConfigSource,
    #[serde(deserialize_with = "or_empty")]
    request: Parameters,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Internal {
    target_platform: Option<String>,
    dockerfile_version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RunDetails {
    #[serde(deserialize_with = "or_empty")]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    buildkit_completeness: Option<Completeness>,
    #[serde(deserialize_with = "or_empty")]
    buildkit_metadata: Extension,
}

#[derive(Deserialize)]
struct Completeness {
    #[serde(default, alias = "parameters")]
    request: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Extension {
    #[serde(deserialize_with = "or_empty")]
    source: SourceText,
    #[serde(deserialize_with = "or_empty")]
    vcs: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SourceText {
    #[serde(deserialize_with = "or_empty")]
    infos: Vec<Info>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    #[serde(deserialize_with = "or_empty")]
    filename: String,
    #[serde(deserialize_with = "or_empty")]
    data: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PredicateV02 {
    #[serde(deserialize_with = "or_empty")]
    build_type: String,
    #[serde(deserialize_with = "or_empty")]
    materials: Vec<Entry>,
    #[serde(deserialize_with = "or_empty")]
    invocation: Invocation,
    metadata: Option<MetadataV02>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Invocation {
    #[serde(deserialize_with = "or_empty")]
    config_source: ConfigSource,
    #[serde(deserialize_with = "or_empty")]
    parameters: Parameters,
    #[serde(deserialize_with = "or_empty")]
    environment: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MetadataV02 {
    completeness: Option<Completeness>,
    #[serde(rename = "https://mobyproject.org/buildkit@v1#metadata", deserialize_with = "or_empty")]
    extension: Extension,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ConfigSource {
    #[serde(deserialize_with = "or_empty")]
    uri: String,
    #[serde(deserialize_with = "or_empty")]
    digest: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_empty", alias = "path")]
    entry_point: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parameters {
    #[serde(deserialize_with = "or_empty")]
    args: BTreeMap<String, Option<String>>,
    #[serde(deserialize_with = "or_empty")]
    secrets: Vec<RawId>,
    #[serde(deserialize_with = "or_empty")]
    ssh: Vec<RawId>,
    #[serde(deserialize_with = "or_empty")]
    locals: Vec<Local>,
    #[serde(deserialize_with = "or_empty")]
    inputs: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct RawId {
    #[serde(default)]
    id: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
struct Local {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "or_empty")]
    uri: String,
    #[serde(deserialize_with = "or_empty")]
    digest: BTreeMap<String, String>,
}

/// `null` where Go writes it for something empty.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn v1(value: &Value) -> Result<RecordedBuild, ImportError> {
    let read: PredicateV1 = PredicateV1::deserialize(value).map_err(ImportError::of_part("provenance"))?;
    let definition = read.build_definition;
    let metadata = read.run_details.metadata;
    let mut build = build(Parts {
        build_type: &definition.build_type,
        source: definition.external_parameters.config_source,
        parameters: definition.external_parameters.request,
        entries: definition.resolved_dependencies,
        is_complete: metadata.buildkit_completeness.is_none_or(|completeness| completeness.request),
        extension: metadata.buildkit_metadata,
    })?;
    if let Some(platform) = definition.internal_parameters.target_platform {
        build.platforms.insert(platform_of(&platform)?);
    }
    build.frontend_version = definition.internal_parameters.dockerfile_version;
    Ok(build)
}

fn v02(value: &Value) -> Result<RecordedBuild, ImportError> {
    let read: PredicateV02 = PredicateV02::deserialize(value).map_err(ImportError::of_part("provenance"))?;
    let metadata = read.metadata.unwrap_or_default();
    let version = read.invocation.environment.get("dockerfileVersion").and_then(Value::as_str).map(str::to_owned);
    let mut build = build(Parts {
        build_type: &read.build_type,
        source: read.invocation.config_source,
        parameters: read.invocation.parameters,
        entries: read.materials,
        is_complete: metadata.completeness.is_none_or(|completeness| completeness.request),
        extension: metadata.extension,
    })?;
    // `environment.platform` is that of the builder.
    build.frontend_version = version;
    Ok(build)
}

/// What both versions tell.
struct Parts<'a> {
    build_type: &'a str,
    source: ConfigSource,
    parameters: Parameters,
    entries: Vec<Entry>,
    is_complete: bool,
    extension: Extension,
}

fn build(parts: Parts<'_>) -> Result<RecordedBuild, ImportError> {
    if !BUILD_TYPES.contains(&parts.build_type) {
        let found: String = parts.build_type.chars().take(200).collect();
        let found = escape::text(&found);
        return Err(ImportError::Unknown(format!("provenance of the build type `{found}`, expected BuildKit's")));
    }
    let told = Told { request: true, arguments: parts.is_complete, secrets: parts.is_complete, sources: true };
    let mut build = RecordedBuild { told, ..RecordedBuild::default() };
    build.attributes = parts.parameters.args.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    for entry in &parts.entries {
        match material(&entry.uri, &entry.digest)? {
            Material::Source { claim, platform } => {
                build.claims.insert(claim);
                build.source_platforms.extend(platform);
            }
            Material::Other { name, why } => build.note(name, why),
        }
    }
    build.locals = parts.parameters.locals.into_iter().map(|local| local.name).collect();
    for name in parts.parameters.inputs.keys() {
        build.note(format!("contexts.{name}"), "an input from another build: not carried over");
    }
    let ConfigSource { uri, digest, entry_point } = parts.source;
    build.dockerfile = Some(entry_point).filter(|name| !name.is_empty());
    build.context = Some(uri).filter(|uri| !uri.is_empty());
    build.context_digest = digest.into_values().next();
    let name = build.dockerfile.clone().unwrap_or_else(|| "Dockerfile".to_owned());
    let infos = parts.extension.source.infos;
    let text = infos.iter().find(|info| info.filename == name).or_else(|| infos.first());
    if let Some(info) = text {
        let bytes = STANDARD.decode(&info.data);
        build.dockerfile_text = Some(bytes.map_err(|error| ImportError::malformed("Dockerfile", error.to_string()))?);
    }
    build.secrets = ids(parts.parameters.secrets);
    build.ssh = ids(parts.parameters.ssh);
    drop_git_secrets(&mut build);
    let vcs = |key: &str| parts.extension.vcs.get(key).and_then(Value::as_str);
    build.revision = vcs("revision").map(|revision| match vcs("source") {
        Some(source) => format!("{revision} of {}", crate::http::without_user(source)),
        None => revision.to_owned(),
    });
    Ok(build)
}

fn ids(raw: Vec<RawId>) -> BTreeSet<Id> {
    let ids = raw.into_iter().map(|raw| Id { id: raw.id, optional: raw.optional });
    // The default of an agent stands without a name.
    ids.map(|id| if id.id.is_empty() { Id { id: "default".to_owned(), ..id } } else { id }).collect()
}

/// Takes away what git sources over HTTP bring along, unless the Dockerfile asks for it by name.
fn drop_git_secrets(build: &mut RecordedBuild) {
    let text = String::from_utf8_lossy(build.dockerfile_text.as_deref().unwrap_or_default()).into_owned();
    let named = text.match_indices("id=").map(|(at, _)| text[at + 3..].split([',', ' ', '\t', '\n', '\r']).next());
    let named: BTreeSet<&str> = named.flatten().collect();
    let is_gits = |id: &Id| {
        GIT_SECRETS
            .iter()
            .any(|name| id.id == *name || id.id.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    };
    build.secrets.retain(|id| !(id.optional && is_gits(id)) || named.contains(id.id.as_str()));
}

/// A platform that a document names.
pub(super) fn platform_of(text: &str) -> Result<Platform, ImportError> {
    text.parse()
        .map_err(|error: crate::platform::InvalidPlatform| ImportError::malformed("platform", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENSION: &str = "https://mobyproject.org/buildkit@v1#metadata";

    #[test]
    fn the_extension_is_read_from_where_version_0_2_keeps_it() {
        let text = STANDARD.encode("FROM scratch\n");
        let value = serde_json::json!({
            "buildType": BUILD_TYPES[0],
            "metadata": {EXTENSION: {"source": {"infos": [{"filename": "Dockerfile", "data": text}]}}},
        });
        assert_eq!(v02(&value).unwrap().dockerfile_text.as_deref(), Some(&b"FROM scratch\n"[..]));
    }

    #[test]
    fn secrets_of_git_are_nobodys_unless_the_dockerfile_names_them() {
        let with = |text: &str| {
            let value = serde_json::json!({
                "buildType": BUILD_TYPES[0],
                "invocation": {"parameters": {"secrets": [
                    {"id": "GIT_AUTH_TOKEN", "optional": true}, {"id": "GIT_AUTH_HEADER", "optional": true}, {"id": "npmrc"},
                ]}},
                "metadata": {EXTENSION: {"source": {"infos": [{"filename": "Dockerfile", "data": STANDARD.encode(text)}]}}},
            });
            v02(&value).unwrap().secrets.into_iter().map(|id| id.id).collect::<Vec<_>>()
        };
        assert_eq!(with("FROM scratch"), ["npmrc"]);
        assert_eq!(with("RUN --mount=type=secret,id=GIT_AUTH_TOKEN x"), ["GIT_AUTH_TOKEN", "npmrc"]);
    }
}
