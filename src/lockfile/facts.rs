//! Request facts: their keys and which kind of value each has (`docs/formats.md`, "Request facts").

use toml_writer::{ToTomlKey, TomlKeyBuilder};

/// Facts with a value of their own.
const TEXTS: [&str; 7] =
    ["build-platform", "context", "dockerfile", "frontend", "network", "source-date-epoch", "target"];
/// Facts that are lists.
const LISTS: [&str; 6] = ["allow", "include", "platforms", "scrub", "secrets", "ssh"];
/// Facts that are a text for each name.
const GROUPS: [&str; 7] = ["annotations", "args", "contexts", "index-annotations", "labels", "output", "run-env"];

/// The key of a fact in a group: `args.VERSION`, `contexts."example.org/base:1"`.
pub fn fact_key(group: &str, name: &str) -> String {
    format!("{group}.{}", key(name))
}

/// A TOML key: bare where that is possible, else in double quotes.
pub(super) fn key(name: &str) -> String {
    let builder = TomlKeyBuilder::new(name);
    builder.as_unquoted().unwrap_or_else(|| builder.as_basic()).to_toml_key()
}

/// Whether a fact is a text for each name.
pub(super) fn is_group(name: &str) -> bool {
    GROUPS.contains(&name)
}

/// Whether a fact is a list.
pub(super) fn is_list(name: &str) -> bool {
    LISTS.contains(&name)
}

/// Whether a fact is one text.
pub(super) fn is_text(name: &str) -> bool {
    TEXTS.contains(&name)
}
