//! The config as it stands in a document; `null` is as good as absent, as it is for Go.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Config, Healthcheck, HistoryItem, RunConfig};
use crate::digest::DiffId;
use crate::image::descriptor::null_as_empty;
use crate::image::time::Time;
use crate::json::Text;

#[derive(Deserialize)]
pub(super) struct Raw {
    #[serde(default, deserialize_with = "null_as_empty")]
    architecture: String,
    #[serde(default, deserialize_with = "null_as_empty")]
    os: String,
    #[serde(rename = "os.version", default, deserialize_with = "null_as_empty")]
    os_version: String,
    #[serde(rename = "os.features", default, deserialize_with = "null_as_empty")]
    os_features: Vec<String>,
    #[serde(default, deserialize_with = "null_as_empty")]
    variant: String,
    #[serde(default, deserialize_with = "null_as_empty")]
    author: String,
    created: Option<Time>,
    #[serde(default, deserialize_with = "null_as_empty")]
    config: RawRun,
    #[serde(default, deserialize_with = "null_as_empty")]
    pub(super) history: Vec<RawHistoryItem>,
    pub(super) rootfs: RawRootfs,
}

#[derive(Deserialize)]
pub(super) struct RawRootfs {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "null_as_empty")]
    diff_ids: Vec<DiffId>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawRun {
    #[serde(deserialize_with = "null_as_empty")]
    user: String,
    #[serde(deserialize_with = "null_as_empty")]
    exposed_ports: BTreeMap<String, Option<RawEmpty>>,
    #[serde(deserialize_with = "null_as_empty")]
    env: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    cmd: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    volumes: BTreeMap<String, Option<RawEmpty>>,
    #[serde(deserialize_with = "null_as_empty")]
    working_dir: String,
    #[serde(deserialize_with = "null_as_empty")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_empty")]
    stop_signal: String,
    #[serde(deserialize_with = "null_as_empty")]
    args_escaped: bool,
    healthcheck: Option<RawHealthcheck>,
    #[serde(deserialize_with = "null_as_empty")]
    on_build: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    shell: Vec<String>,
}

pub(super) fn run(value: &serde_json::Value) -> Result<RunConfig, serde_json::Error> {
    RawRun::deserialize(value).map(RunConfig::from)
}

/// An object whose members mean nothing.
#[derive(Deserialize)]
struct RawEmpty {
    #[serde(flatten)]
    _members: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawHealthcheck {
    #[serde(deserialize_with = "null_as_empty")]
    test: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    interval: i64,
    #[serde(deserialize_with = "null_as_empty")]
    timeout: i64,
    #[serde(deserialize_with = "null_as_empty")]
    start_period: i64,
    #[serde(deserialize_with = "null_as_empty")]
    start_interval: i64,
    #[serde(deserialize_with = "null_as_empty")]
    retries: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawHistoryItem {
    created: Option<Time>,
    #[serde(deserialize_with = "null_as_empty")]
    created_by: String,
    #[serde(deserialize_with = "null_as_empty")]
    author: String,
    #[serde(deserialize_with = "null_as_empty")]
    comment: String,
    #[serde(deserialize_with = "null_as_empty")]
    empty_layer: bool,
}

fn texts(strings: Vec<String>) -> Vec<Text> {
    strings.into_iter().map(String::into_bytes).collect()
}

impl From<Raw> for Config {
    fn from(raw: Raw) -> Self {
        Self {
            architecture: raw.architecture,
            os: raw.os,
            os_version: raw.os_version,
            os_features: raw.os_features,
            variant: raw.variant,
            author: raw.author.into_bytes(),
            created: raw.created,
            run: raw.config.into(),
            history: raw.history.into_iter().map(HistoryItem::from).collect(),
            diff_ids: raw.rootfs.diff_ids,
        }
    }
}

impl From<RawRun> for RunConfig {
    fn from(raw: RawRun) -> Self {
        Self {
            user: raw.user.into_bytes(),
            exposed_ports: raw.exposed_ports.into_keys().map(String::into_bytes).collect(),
            env: texts(raw.env),
            entrypoint: texts(raw.entrypoint),
            cmd: texts(raw.cmd),
            volumes: raw.volumes.into_keys().map(String::into_bytes).collect(),
            working_dir: raw.working_dir.into_bytes(),
            labels: raw.labels.into_iter().map(|(key, value)| (key.into_bytes(), value.into_bytes())).collect(),
            stop_signal: raw.stop_signal.into_bytes(),
            args_escaped: raw.args_escaped,
            healthcheck: raw.healthcheck.map(|raw| Healthcheck {
                test: texts(raw.test),
                interval: raw.interval,
                timeout: raw.timeout,
                start_period: raw.start_period,
                start_interval: raw.start_interval,
                retries: raw.retries,
            }),
            on_build: texts(raw.on_build),
            shell: texts(raw.shell),
        }
    }
}

impl From<RawHistoryItem> for HistoryItem {
    fn from(raw: RawHistoryItem) -> Self {
        Self {
            created: raw.created,
            created_by: raw.created_by.into_bytes(),
            author: raw.author.into_bytes(),
            comment: raw.comment.into_bytes(),
            empty_layer: raw.empty_layer,
        }
    }
}
