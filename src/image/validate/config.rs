//! Configs: their layers and history against the image manifest, and what people want to know.

use serde_json::Value;

use super::facts::{ConfigFacts, HistoryFacts};
use super::fields::{Fields, Spelling};
use super::walk::Walk;
use crate::escape;
use crate::image::config::RunConfig;
use crate::image::findings::Findings;
use crate::image::time::Time;
use crate::limits::LimitExceeded;

const NAMES: &[&str] =
    &["architecture", "os", "os.version", "os.features", "variant", "author", "created", "config", "rootfs", "history"];
const RUN_NAMES: &[&str] = &[
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
    "Healthcheck",
    "OnBuild",
    "Shell",
];
const ITEM_NAMES: &[&str] = &["created", "created_by", "author", "comment", "empty_layer"];

impl Walk<'_> {
    /// Reads a config for an image of so many layers.
    pub(super) fn config(&mut self, value: &Value, object: &str, layers: usize) -> Option<ConfigFacts> {
        let limits = self.limits;
        let findings = &mut self.findings;
        let fields = Fields::of(value, object, NAMES, Spelling::Exact, findings)?;
        let mut facts = ConfigFacts::default();
        for (name, slot) in [("os", &mut facts.os), ("architecture", &mut facts.architecture)] {
            *slot = fields.required_string(name, findings).unwrap_or_default().to_owned();
        }
        let mut text = |name: &str| fields.string(name, findings).unwrap_or_default().to_owned();
        facts.variant = text("variant");
        facts.os_version = text("os.version");
        facts.author = text("author");
        fields.strings("os.features", findings);
        facts.created = time(&fields, object, findings);
        if let Some(run) = fields.get("config") {
            let place = format!("{object} config");
            Fields::of(run, &place, RUN_NAMES, Spelling::Single, findings);
            match RunConfig::from_json(run) {
                Ok(run) => facts.run = run,
                Err(what) => findings.violation("V6", place, what),
            }
        }
        facts.diff_ids = diff_ids(&fields, object, findings);
        if facts.diff_ids.len() != layers {
            let what = format!("{} diff IDs, but the image has {layers} layers", facts.diff_ids.len());
            findings.violation("V6", format!("{object} rootfs.diff_ids"), what);
        }
        if let Some(items) = fields.array("history", findings) {
            let place = format!("{object} history");
            if items.len() as u64 > limits.history {
                let what = format!("a history of {} items", items.len());
                findings.violation(
                    "limit",
                    place,
                    LimitExceeded { name: "history", limit: limits.history, object: what },
                );
            } else {
                let history = history(items, &place, findings);
                let count = history.iter().filter(|item| !item.is_empty).count();
                if count != layers {
                    findings.violation(
                        "V7",
                        place,
                        format!("{count} items of layers, but the image has {layers} layers"),
                    );
                }
                facts.history = Some(history);
            }
        }
        Some(facts)
    }
}

fn time(fields: &Fields<'_>, object: &str, findings: &mut Findings) -> Option<Time> {
    let text = fields.string("created", findings)?;
    let time = text.parse::<Time>();
    time.map_err(|error| findings.violation("V6", format!("{object} created"), error)).ok()
}

fn diff_ids(fields: &Fields<'_>, object: &str, findings: &mut Findings) -> Vec<Option<crate::digest::AnyDigest>> {
    let Some(rootfs) = fields.get("rootfs") else {
        fields.missing("rootfs", findings);
        return Vec::new();
    };
    let place = format!("{object} rootfs");
    let known = ["type", "diff_ids"];
    let Some(rootfs) = Fields::of(rootfs, &place, &known, Spelling::Exact, findings) else { return Vec::new() };
    if let Some(kind) = rootfs.required_string("type", findings).filter(|kind| *kind != "layers") {
        findings.violation("V6", format!("{place}.type"), format!("expected `layers`, found `{}`", escape::text(kind)));
    }
    if !rootfs.has("diff_ids") {
        rootfs.missing("diff_ids", findings);
    }
    let ids = rootfs.array("diff_ids", findings).map(Vec::as_slice).unwrap_or_default();
    let read = |(number, value): (usize, &Value)| {
        let place = format!("{place}.diff_ids[{number}]");
        match value.as_str().map(str::parse) {
            Some(Ok(digest)) => return Some(digest),
            Some(Err(error)) => findings.violation("V2", place, error),
            None => findings.violation("V2", place, "expected a digest"),
        }
        None
    };
    ids.iter().enumerate().map(read).collect()
}

fn history(items: &[Value], place: &str, findings: &mut Findings) -> Vec<HistoryFacts> {
    let mut history = Vec::with_capacity(items.len());
    for (number, value) in items.iter().enumerate() {
        let place = format!("{place}[{number}]");
        let Some(fields) = Fields::of(value, &place, ITEM_NAMES, Spelling::Exact, findings) else {
            history.push(HistoryFacts::default());
            continue;
        };
        for name in ["author", "comment"] {
            fields.string(name, findings);
        }
        history.push(HistoryFacts {
            created: time(&fields, &place, findings),
            created_by: fields.string("created_by", findings).unwrap_or_default().to_owned(),
            is_empty: fields.boolean("empty_layer", findings).unwrap_or_default(),
        });
    }
    history
}
