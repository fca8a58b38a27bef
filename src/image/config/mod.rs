//! The config: how a container is run, which layers it has and how they came to be.
//!
//! The known structure only: BuildKit drops members that it doesn't know when it builds upon an image, and so does
//! this view. Texts are bytes, because an instruction's argument need not be UTF-8.

use std::collections::{BTreeMap, BTreeSet};

mod raw;

use super::document::{InvalidDocument, View};
use super::time::Time;
use crate::digest::DiffId;
use crate::json::{Text, Value};
use crate::limits::{LimitExceeded, Limits};

/// A config. [`Config::to_bytes`] writes it as BuildKit does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Architecture as written.
    pub architecture: String,
    /// Operating system as written.
    pub os: String,
    /// Version of the operating system; empty is absent.
    pub os_version: String,
    /// Features of the operating system.
    pub os_features: Vec<String>,
    /// Variant of the architecture; empty is absent.
    pub variant: String,
    /// Who made the image; empty is absent.
    pub author: Text,
    /// When it was made.
    pub created: Option<Time>,
    /// How a container is run.
    pub run: RunConfig,
    /// How the layers came to be, base first.
    pub history: Vec<HistoryItem>,
    /// The layers, base first.
    pub diff_ids: Vec<DiffId>,
}

/// How a container is run: the member `config`. Everything empty is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunConfig {
    /// `USER`
    pub user: Text,
    /// `EXPOSE`
    pub exposed_ports: BTreeSet<Text>,
    /// `ENV`, in order, as `NAME=value`.
    pub env: Vec<Text>,
    /// `ENTRYPOINT`
    pub entrypoint: Vec<Text>,
    /// `CMD`
    pub cmd: Vec<Text>,
    /// `VOLUME`
    pub volumes: BTreeSet<Text>,
    /// `WORKDIR`
    pub working_dir: Text,
    /// `LABEL`
    pub labels: BTreeMap<Text, Text>,
    /// `STOPSIGNAL`
    pub stop_signal: Text,
    /// Set by `CMD`.
    pub args_escaped: bool,
    /// `HEALTHCHECK`
    pub healthcheck: Option<Healthcheck>,
    /// `ONBUILD`
    pub on_build: Vec<Text>,
    /// `SHELL`
    pub shell: Vec<Text>,
}

/// How a container's health is checked. Zero durations are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`, or `CMD` with words, or `CMD-SHELL` with one word.
    pub test: Vec<Text>,
    /// Nanoseconds between checks.
    pub interval: i64,
    /// Nanoseconds after which a check counts as failed.
    pub timeout: i64,
    /// Nanoseconds during which failures don't count.
    pub start_period: i64,
    /// Nanoseconds between checks during the start period.
    pub start_interval: i64,
    /// Failures in a row that make a container unhealthy.
    pub retries: i64,
}

/// How one layer, or a change of the config, came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryItem {
    /// When.
    pub created: Option<Time>,
    /// By which instruction.
    pub created_by: Text,
    /// By whom.
    pub author: Text,
    /// With which remark.
    pub comment: Text,
    /// It made no layer.
    pub empty_layer: bool,
}

impl RunConfig {
    /// Reads the member `config` of a config that was scanned.
    ///
    /// # Errors
    /// The message, safe to print, for a member with another type than its meaning asks for.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, String> {
        raw::run(value).map_err(|error| crate::escape::text(&error.to_string()).into_owned())
    }
}

impl View for Config {
    const WHAT: &'static str = "config";

    fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, InvalidDocument> {
        let raw: raw::Raw = crate::json::parse(bytes, limits)?;
        if raw.rootfs.kind != "layers" {
            return Err(InvalidDocument::Rule("`rootfs.type` is not `layers`".to_owned()));
        }
        if raw.history.len() as u64 > limits.history {
            let object = format!("config with {} history items", raw.history.len());
            return Err(LimitExceeded { name: "history", limit: limits.history, object }.into());
        }
        let config = Self::from(raw);
        config.check_history()?;
        Ok(config)
    }
}

impl Config {
    /// Items of the history that made a layer.
    pub fn layer_items(&self) -> usize {
        self.history.iter().filter(|item| !item.empty_layer).count()
    }

    /// A history speaks of all layers or is absent.
    fn check_history(&self) -> Result<(), InvalidDocument> {
        if self.history.is_empty() || self.layer_items() == self.diff_ids.len() {
            return Ok(());
        }
        let (items, layers) = (self.layer_items(), self.diff_ids.len());
        Err(InvalidDocument::Rule(format!("the history has {items} items of layers, `rootfs` has {layers} layers")))
    }

    /// The document's bytes as BuildKit writes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut members: Vec<(Text, Value)> = Vec::new();
        let mut put = |name: &str, value: Value| members.push((name.as_bytes().to_vec(), value));
        put("architecture", Value::string(&self.architecture));
        if !self.author.is_empty() {
            put("author", Value::string(&self.author));
        }
        put("config", self.run.to_value());
        put("created", time_value(self.created.as_ref()));
        let history = self.history.iter().map(HistoryItem::to_value).collect::<Vec<_>>();
        put("history", if history.is_empty() { Value::Null } else { Value::Array(history) });
        put("os", Value::string(&self.os));
        if !self.os_features.is_empty() {
            put("os.features", Value::strings(&self.os_features));
        }
        if !self.os_version.is_empty() {
            put("os.version", Value::string(&self.os_version));
        }
        let diff_ids = if self.diff_ids.is_empty() {
            Value::Null
        } else {
            Value::strings(self.diff_ids.iter().map(DiffId::to_string))
        };
        put(
            "rootfs",
            Value::Object(vec![(b"type".to_vec(), Value::string("layers")), (b"diff_ids".to_vec(), diff_ids)]),
        );
        if !self.variant.is_empty() {
            put("variant", Value::string(&self.variant));
        }
        Value::Object(members).to_compact()
    }
}

fn time_value(time: Option<&Time>) -> Value {
    time.map_or(Value::Null, |time| Value::string(time.to_string()))
}

/// The members of an object as Go writes a structure whose empty fields are left out.
#[derive(Default)]
struct Fields(Vec<(Text, Value)>);

impl Fields {
    fn put(&mut self, name: &str, value: Value) {
        self.0.push((name.as_bytes().to_vec(), value));
    }

    fn text(&mut self, name: &str, text: &Text) {
        if !text.is_empty() {
            self.put(name, Value::string(text));
        }
    }

    fn list(&mut self, name: &str, list: &[Text]) {
        if !list.is_empty() {
            self.put(name, Value::strings(list));
        }
    }

    fn set(&mut self, name: &str, set: &BTreeSet<Text>) {
        if !set.is_empty() {
            let members = set.iter().map(|key| (key.clone(), Value::Object(Vec::new()))).collect();
            self.put(name, Value::Object(members));
        }
    }

    fn number(&mut self, name: &str, number: i64) {
        if number != 0 {
            self.put(name, Value::Integer(number));
        }
    }
}

impl RunConfig {
    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.text("User", &self.user);
        fields.set("ExposedPorts", &self.exposed_ports);
        fields.list("Env", &self.env);
        fields.list("Entrypoint", &self.entrypoint);
        fields.list("Cmd", &self.cmd);
        fields.set("Volumes", &self.volumes);
        fields.text("WorkingDir", &self.working_dir);
        if !self.labels.is_empty() {
            fields.put("Labels", Value::map(&self.labels));
        }
        fields.text("StopSignal", &self.stop_signal);
        if self.args_escaped {
            fields.put("ArgsEscaped", Value::Bool(true));
        }
        if let Some(healthcheck) = &self.healthcheck {
            fields.put("Healthcheck", healthcheck.to_value());
        }
        fields.list("OnBuild", &self.on_build);
        fields.list("Shell", &self.shell);
        Value::Object(fields.0)
    }
}

impl Healthcheck {
    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.list("Test", &self.test);
        fields.number("Interval", self.interval);
        fields.number("Timeout", self.timeout);
        fields.number("StartPeriod", self.start_period);
        fields.number("StartInterval", self.start_interval);
        fields.number("Retries", self.retries);
        Value::Object(fields.0)
    }
}

impl HistoryItem {
    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        if let Some(created) = &self.created {
            fields.put("created", time_value(Some(created)));
        }
        fields.text("created_by", &self.created_by);
        fields.text("author", &self.author);
        fields.text("comment", &self.comment);
        if self.empty_layer {
            fields.put("empty_layer", Value::Bool(true));
        }
        Value::Object(fields.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_are_absent_and_unknown_ones_are_dropped() {
        let text = br#"{"architecture":"amd64","os":"linux","docker_version":"1","config":{"Hostname":"x","Cmd":null,
            "Labels":{},"Volumes":{"/v":{}},"Healthcheck":{}},"rootfs":{"type":"layers","diff_ids":[]},"history":null}"#;
        let config = Config::parse(text, &Limits::default()).unwrap();
        let want = r#"{"architecture":"amd64","config":{"Volumes":{"/v":{}},"Healthcheck":{}},"created":null,"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null}}"#;
        assert_eq!(String::from_utf8(config.to_bytes()).unwrap(), want);
    }

    #[test]
    fn a_history_that_speaks_of_other_layers_is_refused() {
        let read = |history: &str| {
            let text = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":[]}},"history":[{history}]}}"#);
            Config::parse(text.as_bytes(), &Limits::default())
        };
        assert!(read(r#"{"empty_layer":true}"#).is_ok());
        assert!(matches!(read("{}"), Err(InvalidDocument::Rule(_))));
        assert!(read(r#"{"empty_layer":1}"#).is_err());
    }
}
