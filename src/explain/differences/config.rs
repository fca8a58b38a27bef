//! Why two configs differ, their history and their layers left out.

use serde_json::Value;

use super::difference::{Difference, DifferenceLevel};
use super::value::{cut, members, shown};
use crate::compare::Document;
use crate::explain::causes::Class;

/// How a container is run, by the names of the config.
const RUN: &[&str] = &[
    "User",
    "Env",
    "Entrypoint",
    "Cmd",
    "WorkingDir",
    "Volumes",
    "ExposedPorts",
    "StopSignal",
    "StopTimeout",
    "Shell",
    "Healthcheck",
    "OnBuild",
    "ArgsEscaped",
];
/// What describes the platform besides its name.
const PLATFORM: &[&str] = &["variant", "os.version", "os.features"];
/// What tools leave in a config.
const TOOLS: &[&str] = &[
    "container",
    "container_config",
    "docker_version",
    "id",
    "parent",
    "throwaway",
    "Size",
    "size",
    "virtual_size",
    "checksum",
];
/// The same below `config`: how the container ran in which a classic builder worked.
const LEGACY: &[&str] = &[
    "Hostname",
    "Domainname",
    "AttachStdin",
    "AttachStdout",
    "AttachStderr",
    "Tty",
    "OpenStdin",
    "StdinOnce",
    "Image",
    "MacAddress",
    "NetworkDisabled",
];
/// The label by which buildah names itself.
const BUILDAH: &str = "io.buildah.version";

/// What is known of the two configs beside their bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// All times are shifted: `created` is the epoch on each side.
    pub(super) is_shifted: bool,
    /// The two were built by different tools.
    pub(super) is_other_engine: bool,
}

/// Whether the two were built by different tools, as configs tell it.
pub(super) fn is_other_engine(one: &Value, other: &Value) -> bool {
    let version = |config: &Value| config.pointer("/config/Labels").and_then(|labels| labels.get(BUILDAH)).is_some();
    let is_buildkit = |config: &Value| {
        let history = config.get("history").and_then(Value::as_array);
        history
            .into_iter()
            .flatten()
            .any(|item| item.get("comment").and_then(Value::as_str) == Some("buildkit.dockerfile.v0"))
    };
    let has_history =
        |config: &Value| config.get("history").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    version(one) != version(other) || has_history(one) && has_history(other) && is_buildkit(one) != is_buildkit(other)
}

/// Why two configs differ.
pub(super) fn explain(one: &Document, other: &Document, context: Context) -> Vec<Difference> {
    if one.bytes == other.bytes {
        return Vec::new();
    }
    if one.value == other.value {
        return vec![Difference::proven("C017", DifferenceLevel::Config)];
    }
    let mut found = Vec::new();
    if context.is_other_engine {
        found.push(Difference::proven("C027", DifferenceLevel::Config));
    }
    let all = members(&one.value, &other.value);
    let is_told_elsewhere = all.iter().any(|(name, ..)| ["history", "rootfs"].contains(&name.as_str()));
    for (name, first, second) in all {
        let code = match name.as_str() {
            // Told at their own levels.
            "history" | "rootfs" => continue,
            "config" => {
                run(first, second, &mut found);
                continue;
            }
            "created" if context.is_other_engine => "C027",
            "created" if context.is_shifted => "C005",
            "created" => "C020",
            name if PLATFORM.contains(&name) => "C025",
            name if TOOLS.contains(&name) || name.starts_with("moby.buildkit.") => "C026",
            _ => "C029",
        };
        found.push(field(code, &name, first, second));
    }
    // Members that are empty on one side and missing on the other: the same, written differently.
    if found.is_empty() && !is_told_elsewhere {
        found.push(Difference::proven("C017", DifferenceLevel::Config));
    }
    found
}

fn field(code: &str, name: &str, first: Option<&Value>, second: Option<&Value>) -> Difference {
    Difference::proven(code, DifferenceLevel::Config).about(name).between(shown(first), shown(second))
}

/// What stands below `config`.
fn run(first: Option<&Value>, second: Option<&Value>, found: &mut Vec<Difference>) {
    let none = Value::Null;
    for (name, first, second) in members(first.unwrap_or(&none), second.unwrap_or(&none)) {
        match name.as_str() {
            "Labels" => labels(first, second, found),
            "Env" => {
                let (first, second) = environment(first, second);
                found.push(Difference::proven("C023", DifferenceLevel::Config).about("Env").between(first, second));
            }
            name if RUN.contains(&name) => found.push(field("C023", name, first, second)),
            name if LEGACY.contains(&name) => found.push(field("C026", name, first, second)),
            // What nobody knows may be what a newer engine runs the container by.
            name => found.push(field("C029", name, first, second).classed(Class::Security)),
        }
    }
}

/// The variables that differ, or all where only their order does.
fn environment(first: Option<&Value>, second: Option<&Value>) -> (Option<String>, Option<String>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let (first, second) = (list(first), list(second));
    let differing = |all: &[Value], others: &[Value]| {
        let texts = all.iter().filter(|item| !others.contains(item)).map(|item| shown(Some(item)).unwrap_or_default());
        texts.collect::<Vec<_>>().join("\n")
    };
    let (mut one, mut other) = (differing(&first, &second), differing(&second, &first));
    if one.is_empty() && other.is_empty() {
        (one, other) = (differing(&first, &[]), differing(&second, &[]));
    }
    let text = |text: String| (!text.is_empty()).then(|| cut(text));
    (text(one), text(other))
}

fn labels(first: Option<&Value>, second: Option<&Value>, found: &mut Vec<Difference>) {
    let none = Value::Null;
    for (name, first, second) in members(first.unwrap_or(&none), second.unwrap_or(&none)) {
        let code = if name == BUILDAH { "C027" } else { "C024" };
        let text = |value: Option<&Value>| shown(value).map(|value| cut(format!("{name}={value}")));
        found
            .push(Difference::proven(code, DifferenceLevel::Config).about("Labels").between(text(first), text(second)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(one: &str, other: &str) -> Vec<String> {
        let document =
            |text: &str| Document { bytes: text.as_bytes().to_vec(), value: serde_json::from_str(text).unwrap() };
        let (one, other) = (document(one), document(other));
        let is_other_engine = is_other_engine(&one.value, &other.value);
        let found = explain(&one, &other, Context { is_shifted: false, is_other_engine });
        found
            .iter()
            .map(|found| {
                format!("{} {} {}", found.cause.code, found.class.letter(), found.field.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    #[test]
    fn each_member_has_its_cause() {
        for (one, other, want) in [
            (r#"{"created":"1"}"#, r#"{"created":"2"}"#, &["C020 B created"][..]),
            (r#"{"os":"a","b":1}"#, r#"{"b":1,"os":"a"}"#, &["C017 P -"]),
            (r#"{"config":{"OnBuild":[]}}"#, r#"{"config":{}}"#, &["C017 P -"]),
            (r#"{"config":{"User":"0"}}"#, r#"{"config":{"Labels":{"a":"1"}}}"#, &["C024 N Labels", "C023 S User"]),
            (r#"{"config":{"Image":"a"},"docker_version":"1"}"#, "{}", &["C026 P Image", "C026 P docker_version"]),
            (r#"{"config":{"Runtime":"a"}}"#, "{}", &["C029 S Runtime"]),
            (r#"{"variant":"v1"}"#, "{}", &["C025 N variant"]),
            (r#"{"config":{"Labels":{"io.buildah.version":"1"}}}"#, "{}", &["C027 N -", "C027 N Labels"]),
        ] {
            assert_eq!(told(one, other), want, "{one} {other}");
        }
    }
}
