//! Why two image manifests differ.

use std::collections::BTreeSet;

use serde_json::Value;

use super::difference::{Difference, DifferenceLevel};
use super::value::{members, shown};
use crate::compare::Document;
use crate::explain::causes::Class;
use crate::image::media_type::{self, LayerCompression};

/// The annotation by which BuildKit notes that it rewrote times.
const REWRITTEN: &str = "buildkit/rewritten-timestamp";

/// Why two image manifests differ, as far as that is not said by config and layers. `anchors` are the pairs of layers
/// with the same diff ID, by their places.
pub(super) fn explain(documents: [Option<&Document>; 2], anchors: &[(usize, usize)]) -> Vec<Difference> {
    let (one, other) = match documents {
        [Some(one), Some(other)] => (one, other),
        [None, None] => return Vec::new(),
        _ => return vec![Difference::proven("C018", DifferenceLevel::Manifest)],
    };
    if one.bytes == other.bytes {
        return Vec::new();
    }
    if one.value == other.value {
        return vec![Difference::proven("C017", DifferenceLevel::Manifest)];
    }
    let mut found = Vec::new();
    let mut families = false;
    for (name, first, second) in members(&one.value, &other.value) {
        match name.as_str() {
            "config" => families |= config(first, second, &mut found),
            "layers" => families |= layers(first, second, anchors, &mut found),
            "mediaType" => families = true,
            "annotations" => annotations(first, second, DifferenceLevel::Manifest, None, &mut found),
            _ => found.push(
                Difference::proven("C029", DifferenceLevel::Manifest).about(&name).between(shown(first), shown(second)),
            ),
        }
    }
    if families {
        let types = |document: &Document| shown(document.value.get("mediaType"));
        found.insert(0, Difference::proven("C012", DifferenceLevel::Manifest).between(types(one), types(other)));
    }
    found
}

fn config(first: Option<&Value>, second: Option<&Value>, found: &mut Vec<Difference>) -> bool {
    let none = Value::Null;
    let mut is_other_type = false;
    for (name, first, second) in members(first.unwrap_or(&none), second.unwrap_or(&none)) {
        match name.as_str() {
            "digest" | "size" => {}
            "mediaType" => is_other_type = true,
            "annotations" => annotations(first, second, DifferenceLevel::Manifest, None, found),
            _ => found.push(
                Difference::proven("C029", DifferenceLevel::Manifest)
                    .about(&format!("config.{name}"))
                    .between(shown(first), shown(second)),
            ),
        }
    }
    is_other_type
}

fn layers(
    first: Option<&Value>,
    second: Option<&Value>,
    anchors: &[(usize, usize)],
    found: &mut Vec<Difference>,
) -> bool {
    let mut is_other_family = false;
    for &(one, other) in anchors {
        let (Some(first), Some(second)) = (first.and_then(|all| all.get(one)), second.and_then(|all| all.get(other)))
        else {
            continue;
        };
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let types = [text(first, "mediaType"), text(second, "mediaType")];
        let compressions = types.each_ref().map(|media_type| compression(media_type));
        is_other_family |= is_docker(&types[0]) != is_docker(&types[1]);
        if compressions[0] != compressions[1] {
            let names = compressions.map(|known| Some(name(known).to_owned()));
            let [first, second] = names;
            found.push(Difference::proven("C011", DifferenceLevel::Layer).in_layer(one).between(first, second));
        } else if text(first, "digest") != text(second, "digest") {
            let digests = (Some(text(first, "digest")), Some(text(second, "digest")));
            found.push(Difference::proven("C010", DifferenceLevel::Layer).in_layer(one).between(digests.0, digests.1));
        }
        annotations(first.get("annotations"), second.get("annotations"), DifferenceLevel::Layer, Some(one), found);
        for (name, first, second) in members(first, second) {
            if !["mediaType", "digest", "size", "annotations"].contains(&name.as_str()) {
                let other = Difference::proven("C029", DifferenceLevel::Layer).in_layer(one);
                found.push(other.about(&name).between(shown(first), shown(second)));
            }
        }
    }
    is_other_family
}

fn compression(media_type: &str) -> Option<LayerCompression> {
    match media_type::kind(media_type) {
        media_type::Kind::Layer(compression) => Some(compression),
        _ => None,
    }
}

fn name(compression: Option<LayerCompression>) -> &'static str {
    match compression {
        Some(LayerCompression::None) => "uncompressed",
        Some(LayerCompression::Gzip) => "gzip",
        Some(LayerCompression::Zstd) => "zstd",
        None => "unknown",
    }
}

/// Whether it is one of Docker's own media types, not one of OCI.
fn is_docker(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.docker.")
}

/// One difference for each annotation that differs.
pub(super) fn annotations(
    first: Option<&Value>,
    second: Option<&Value>,
    level: DifferenceLevel,
    layer: Option<usize>,
    found: &mut Vec<Difference>,
) {
    let none = Value::Null;
    for (name, first, second) in members(first.unwrap_or(&none), second.unwrap_or(&none)) {
        let code = if name == REWRITTEN { "C013" } else { "C014" };
        let difference = Difference::proven(code, level).about(&name).between(shown(first), shown(second));
        found.push(match layer {
            Some(place) => difference.in_layer(place),
            None => difference,
        });
    }
}

/// The descriptors' annotations and platforms in two indexes that list the same images, and what else they say.
pub(super) fn index(one: &Document, other: &Document) -> Vec<Difference> {
    let mut found = Vec::new();
    if one.value == other.value {
        return vec![Difference::proven("C017", DifferenceLevel::Index)];
    }
    for (name, first, second) in members(&one.value, &other.value) {
        match name.as_str() {
            "annotations" => annotations(first, second, DifferenceLevel::Index, None, &mut found),
            "mediaType" => found.push(
                Difference::proven("C012", DifferenceLevel::Index).about(&name).between(shown(first), shown(second)),
            ),
            "manifests" => descriptors(first, second, &mut found),
            _ => found.push(
                Difference::proven("C029", DifferenceLevel::Index)
                    .classed(Class::Content)
                    .about(&name)
                    .between(shown(first), shown(second)),
            ),
        }
    }
    found
}

/// What the descriptors of the same digest say beside it, and in which order they come.
fn descriptors(first: Option<&Value>, second: Option<&Value>, found: &mut Vec<Difference>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let (first, second) = (list(first), list(second));
    let digest = |value: &Value| value.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
    let digests = |all: &[Value], others: &[Value]| -> Vec<String> {
        let others: BTreeSet<String> = others.iter().map(digest).collect();
        all.iter().map(digest).filter(|digest| others.contains(digest)).collect()
    };
    if digests(&first, &second) != digests(&second, &first) {
        found.push(Difference::proven("C016", DifferenceLevel::Index).about("manifests"));
    }
    for one in &first {
        let Some(other) = second.iter().find(|other| digest(other) == digest(one)) else { continue };
        for (name, first, second) in members(one, other) {
            if name == "annotations" {
                annotations(first, second, DifferenceLevel::Index, None, found);
            } else {
                let code = if name == "mediaType" { "C012" } else { "C016" };
                found.push(
                    Difference::proven(code, DifferenceLevel::Index).about(&name).between(shown(first), shown(second)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document { bytes: text.as_bytes().to_vec(), value: serde_json::from_str(text).unwrap() }
    }

    fn codes(one: &str, other: &str) -> Vec<&'static str> {
        let (one, other) = (document(one), document(other));
        explain([Some(&one), Some(&other)], &[(0, 0)]).iter().map(|found| found.cause.code).collect()
    }

    #[test]
    fn each_member_has_its_cause() {
        let layer = |media_type: &str, digest: &str| {
            format!(r#"{{"layers":[{{"mediaType":"application/vnd.{media_type}","digest":"{digest}","size":1}}]}}"#)
        };
        let gzip = layer("oci.image.layer.v1.tar+gzip", "a");
        assert_eq!(codes(&gzip, &layer("oci.image.layer.v1.tar+gzip", "b")), ["C010"]);
        assert_eq!(codes(&gzip, &layer("oci.image.layer.v1.tar+zstd", "b")), ["C011"]);
        assert_eq!(codes(&gzip, &layer("docker.image.rootfs.diff.tar.gzip", "a")), ["C012"]);
        assert_eq!(codes(r#"{"annotations":{"a":"1"}}"#, r#"{"annotations":{"a":"2","b":"1"}}"#), ["C014", "C014"]);
        assert_eq!(codes(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), ["C017"]);
        assert_eq!(codes(r#"{"subject":{"size":1}}"#, "{}"), ["C029"]);
    }
}
