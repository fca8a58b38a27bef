//! The JSON Schema that editors complete `repro.toml` by.
//!
//! These types mirror what `check` reads; they exist for their schema only. A test compares the keys.

#![expect(dead_code, reason = "only the schema of these types is used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

/// What an image is built from, for `repro` (JSON Schema, draft 7).
#[derive(JsonSchema)]
#[schemars(rename = "repro.toml", deny_unknown_fields)]
struct File {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// What starts or answers builds.
    buildkit: Option<Buildkit>,
    /// One table an image: `[image.app]` is built by `repro build app`.
    image: BTreeMap<String, Image>,
    /// What `repro lint` is told.
    lint: Option<Lint>,
}

/// What `repro lint` is told.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Lint {
    /// Findings that are there for a reason.
    allow: Option<Vec<LintAllow>>,
}

/// A finding that is there for a reason.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LintAllow {
    /// The rule's code, `R` and three digits.
    #[schemars(regex(pattern = r"^R[0-9]{3}$"))]
    code: String,
    /// The Dockerfile that it holds for, relative to this file. Default: all.
    path: Option<String>,
    /// Why.
    reason: String,
}

/// What starts or answers builds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Buildkit {
    /// What a BuildKit daemon must report: a semver requirement. Default: `>=0.26`.
    version: Option<String>,
    /// BuildKit image for engines that start it (buildx, podman); locked to a digest.
    image: Option<String>,
}

/// One image.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Image {
    /// Context directory, relative to this file. Default: `.`.
    context: Option<String>,
    /// Dockerfile, relative to this file. Default: `Dockerfile` in the context.
    dockerfile: Option<String>,
    /// Build stage. Default: the last.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$"))]
    target: Option<String>,
    /// Platforms, `os/arch[/variant]`. Default: `linux/amd64`.
    #[schemars(length(min = 1))]
    platforms: Option<Vec<String>>,
    /// What BUILDPLATFORM means. Default: the platform of the machine that locked.
    build_platform: Option<String>,
    /// `commit` (the default: the commit time of HEAD when the record is made), seconds since 1970, or an RFC 3339 date-time.
    source_date_epoch: Option<EpochSource>,
    /// What reads the Dockerfile: `builtin`, BuildKit's own frontend, or the reference of an image. Default: what its `# syntax=` names.
    frontend: Option<String>,
    /// Build arguments.
    args: Option<BTreeMap<String, String>>,
    /// Labels added to the image's config.
    labels: Option<BTreeMap<String, String>>,
    /// Annotations of each image manifest.
    annotations: Option<BTreeMap<String, String>>,
    /// Annotations of the index.
    index_annotations: Option<BTreeMap<String, String>>,
    /// Named contexts, as buildx knows them: a directory, `docker-image://`, `oci-layout://`, an HTTP or git address. A name may be an image reference, and end in `::PLATFORM` to stand for one platform only.
    contexts: Option<BTreeMap<String, String>>,
    /// Patterns of untracked files to take into the context.
    include: Option<Vec<String>>,
    /// What RUN may reach: `none` (the default), `locked` (the tape), or `open` (unverifiable).
    network: Option<Network>,
    /// Variables for RUN only, not in the image; the value `epoch` stands for the epoch in seconds.
    run_env: Option<BTreeMap<String, String>>,
    /// Known noise to leave out of new layers: profiles by name, or paths in the image.
    scrub: Option<Vec<String>>,
    /// Ids of secrets; the values come from `--secret`.
    secrets: Option<Vec<String>>,
    /// Ids of ssh agents.
    ssh: Option<Vec<String>>,
    /// What RUN may ask for beyond the usual, each with its reason.
    allow: Option<Vec<Allow>>,
    /// Repository where the image is published, without tag.
    repository: Option<String>,
    /// Tags that it is published under.
    tags: Option<Vec<String>>,
    /// Repository where the tape's bodies are published. Default: `repository`.
    tape: Option<String>,
    /// The form of the output.
    output: Option<Output>,
    /// Layers in place of a Dockerfile, lowest first: files of the context, and where they go.
    #[schemars(length(min = 1))]
    layers: Option<Vec<Layer>>,
    /// Beside `layers`: the image that they are put upon. Default: none.
    base: Option<String>,
    /// Beside `layers`: what the image's config says.
    config: Option<Config>,
}

/// One layer of an image without a Dockerfile.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Layer {
    /// Files and directories of the context; with a `/` at the end what is in the directory. Or a table with a list for each platform.
    paths: Paths,
    /// The directory of the image that they are put into.
    #[schemars(regex(pattern = r"^/"))]
    to: String,
    /// Who owns them, as numbers: `USER:GROUP`. Default: `0:0`.
    #[schemars(regex(pattern = r"^[0-9]+:[0-9]+$"))]
    owner: Option<String>,
    /// Permission bits of files; directories, and files that are executable in git, can also be executed by whoever may read them. Default: `0644`.
    #[schemars(regex(pattern = r"^0?[0-7]{3}$"))]
    mode: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Paths {
    Common(#[schemars(length(min = 1))] Vec<String>),
    Apart(BTreeMap<String, Vec<String>>),
}

/// What the config of an image without a Dockerfile says.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The command that is run.
    entrypoint: Option<Vec<String>>,
    /// Its arguments, or the command where there is no entrypoint.
    cmd: Option<Vec<String>>,
    /// Variables.
    env: Option<BTreeMap<String, String>>,
    /// Who runs it: `USER` or `USER:GROUP`, names or numbers.
    user: Option<String>,
    /// The directory that it runs in, made if it is not there.
    #[schemars(regex(pattern = r"^/"))]
    workdir: Option<String>,
    /// Labels, as `labels` of the image.
    labels: Option<BTreeMap<String, String>>,
    /// Ports that it listens on: a number, and perhaps `/tcp`, `/udp` or `/sctp`.
    exposed_ports: Option<Vec<String>>,
    /// Directories whose content outlives a container.
    volumes: Option<Vec<String>>,
    /// The signal that ends it.
    stop_signal: Option<String>,
}

/// An exception with its reason.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Allow {
    /// `network.host`, `security.insecure`, `device` or `device=NAME`.
    what: String,
    /// Why the image needs it.
    #[schemars(length(min = 1))]
    reason: String,
}

/// The form of the output.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Output {
    /// Family of media types. Default: `oci`.
    media_types: Option<MediaTypes>,
    /// Compression of new layers. Default: `gzip`.
    compression: Option<Compression>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Network {
    None,
    Locked,
    Open,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum MediaTypes {
    Oci,
    Docker,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Compression {
    Gzip,
    Uncompressed,
}

struct EpochSource;

impl JsonSchema for EpochSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EpochSource".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 0 })
    }
}

/// The schema (draft 7) as it is committed in `schema/repro.schema.json`.
pub fn schema() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
    let mut value = schema.to_value();
    remove_null(&mut value);
    format!("{value:#}\n")
}

/// TOML has no null: a key that may be left out is not one that may be null.
fn remove_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(kinds)) = members.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = &kinds[..] {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
                if let [Value::Object(only)] = &choices[..] {
                    let only = only.clone();
                    members.remove("anyOf");
                    members.extend(only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("enum") {
                choices.retain(|choice| !choice.is_null());
            }
            members.values_mut().for_each(remove_null);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        _ => {}
    }
}
