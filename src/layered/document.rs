//! The config and `manifest.json` of a layered image.

use super::error::LayeredError;
use super::json::Json;
use super::text::Text;

/// A layer as the documents tell it.
pub struct Listed {
    /// The diff ID without `sha256:`.
    pub checksum: Text,
    /// The member's name.
    pub name: Text,
    /// What the history says of it.
    pub paths: Vec<Text>,
    /// Bytes of the tar.
    pub size: u64,
}

/// The config, in the script's order of keys.
pub fn config(architecture: &Json, config: Json, created: &str, layers: &[Listed]) -> String {
    let diff_id = |layer: &Listed| {
        let scheme = Text::from("sha256:");
        let points = [scheme.code_points(), layer.checksum.code_points()].concat();
        Json::Text(Text::from_code_points(points))
    };
    let step = |layer: &Listed| {
        let paths = layer.paths.iter().map(Text::repr).collect::<Vec<_>>().join(", ");
        object([("created", text(created)), ("comment", text(&format!("store paths: [{paths}]")))])
    };
    let rootfs = object([("diff_ids", Json::List(layers.iter().map(diff_id).collect())), ("type", text("layers"))]);
    let document = object([
        ("created", text(created)),
        ("architecture", architecture.clone()),
        ("os", text("linux")),
        ("config", config),
        ("rootfs", rootfs),
        ("history", Json::List(layers.iter().map(step).collect())),
    ]);
    document.text()
}

/// `manifest.json`.
pub fn manifest(config: &str, tag: &Json, layers: &[Listed]) -> String {
    let names = layers.iter().map(|layer| Json::Text(layer.name.clone())).collect();
    let image = [("Config", text(config)), ("RepoTags", Json::List(vec![tag.clone()])), ("Layers", Json::List(names))];
    Json::List(vec![object(image)]).text()
}

/// The description's `config` with the environment of the base before its own: one entry a name, the last value at the
/// first place.
///
/// # Errors
/// An environment that is no list of texts, a config that is no object.
pub fn with_environment(base: &Json, config: &Json) -> Result<Json, LayeredError> {
    let wrong = |found: &str| LayeredError::Key {
        key: "config",
        expected: "an object whose `Env`, like that of the base image, is a list of texts",
        found: found.to_owned(),
    };
    let Json::Object(members) = config else { return Err(wrong("another value")) };
    let mut entries: Vec<Text> = Vec::new();
    for source in [base, config] {
        if let Some(environment) = source.get("Env") {
            entries.extend(environment.texts().ok_or_else(|| wrong("another `Env`"))?);
        }
    }
    let name = |entry: &Text| entry.code_points().split(|point| *point == u32::from('=')).next().map(<[u32]>::to_vec);
    let mut resolved: Vec<Text> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for entry in entries {
        let place = *places.entry(name(&entry)).or_insert(resolved.len());
        match resolved.get_mut(place) {
            Some(old) => *old = entry,
            None => resolved.push(entry),
        }
    }
    let mut members = members.clone();
    if !resolved.is_empty() {
        let value = Json::List(resolved.into_iter().map(Json::Text).collect());
        match members.iter_mut().find(|(key, _)| *key == Text::from("Env")) {
            Some((_, old)) => *old = value,
            None => members.push(("Env".into(), value)),
        }
    }
    Ok(Json::Object(members))
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn text(text: &str) -> Json {
    Json::Text(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::json::read;

    #[test]
    fn an_environment_keeps_the_first_place_and_the_last_value() {
        let json = |text: &str| read(text.as_bytes()).expect("JSON");
        for (base, own, want) in [
            (
                r#"{"Env":["A=1","B=2"]}"#,
                r#"{"Env":["C=3","A=4","A=5"],"X":1}"#,
                r#"{"Env":["A=5","B=2","C=3"],"X":1}"#,
            ),
            (r#"{"Env":["A"]}"#, r#"{"X":1}"#, r#"{"X":1,"Env":["A"]}"#),
            ("{}", r#"{"X":1}"#, r#"{"X":1}"#),
            ("{}", r#"{"Env":[]}"#, r#"{"Env":[]}"#),
        ] {
            assert_eq!(with_environment(&json(base), &json(own)).expect("a config"), json(want), "{base} {own}");
        }
        for (base, own) in [(r#"{"Env":null}"#, "{}"), ("{}", r#"{"Env":[1]}"#), ("{}", "null")] {
            assert!(with_environment(&json(base), &json(own)).is_err(), "{base} {own}");
        }
    }
}
