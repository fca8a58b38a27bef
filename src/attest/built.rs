//! What a provenance says of a build, as far as anything here rests on it: SLSA v1, and v0.2 as BuildKit writes it.

use serde_json::Value;

use crate::digest::Digest;

/// What the predicate types of all versions begin with.
pub const TYPES: &str = "https://slsa.dev/provenance/";

/// A build, as somebody tells it; nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Who built.
    pub builder: Option<String>,
    /// What kind of build it was.
    pub build_type: Option<String>,
    /// How many things it was made of.
    pub dependencies: usize,
    /// When it ended.
    pub finished: Option<String>,
    /// Digest of the lockfile that it was made by, of a build by `repro`.
    pub lock: Option<Digest>,
}

impl Built {
    /// Reads a predicate; what is not there, or is another thing, is not told.
    pub fn read(predicate: &Value) -> Self {
        let text = |pointers: [&str; 2]| {
            pointers.iter().find_map(|pointer| predicate.pointer(pointer)?.as_str()).map(str::to_owned)
        };
        let dependencies = ["/buildDefinition/resolvedDependencies", "/materials"]
            .iter()
            .find_map(|pointer| predicate.pointer(pointer)?.as_array());
        let dependencies = dependencies.map_or(&[][..], Vec::as_slice);
        let lock = dependencies.iter().find(|dependency| dependency["name"] == "repro.lock");
        let lock = lock.and_then(|lock| lock.pointer("/digest/sha256")?.as_str());
        Self {
            builder: text(["/runDetails/builder/id", "/builder/id"]),
            build_type: text(["/buildDefinition/buildType", "/buildType"]),
            dependencies: dependencies.len(),
            finished: text(["/runDetails/metadata/finishedOn", "/metadata/buildFinishedOn"]),
            lock: lock.and_then(|hex| format!("sha256:{hex}").parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_versions_are_read_and_what_is_another_thing_is_not_told() {
        let lock = Digest::of(b"lock");
        let new = json!({
            "buildDefinition": {"buildType": "t", "resolvedDependencies": [{"name": "repro.lock", "digest": {"sha256": lock.hex()}}, {}]},
            "runDetails": {"builder": {"id": "b"}, "metadata": {"finishedOn": "f"}},
        });
        let old = json!({"builder": {"id": "b"}, "buildType": "t", "materials": [{}, {}], "metadata": {"buildFinishedOn": "f"}});
        let told = |lock| Built {
            builder: Some("b".to_owned()),
            build_type: Some("t".to_owned()),
            dependencies: 2,
            finished: Some("f".to_owned()),
            lock,
        };
        assert_eq!(Built::read(&new), told(Some(lock)));
        assert_eq!(Built::read(&old), told(None));
        let nothing = Built { builder: None, build_type: None, dependencies: 0, finished: None, lock: None };
        assert_eq!(Built::read(&json!({"builder": [], "buildType": 1, "materials": {}})), nothing);
    }
}
