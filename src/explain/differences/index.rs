//! Why what lists the images differs, where the images themselves may be the same.

use std::collections::BTreeSet;
use std::io;

use super::difference::{Difference, DifferenceLevel};
use super::manifest;
use crate::compare::Side;
use crate::digest::AnyDigest;
use crate::image::validate::{Form, Role};

/// Why the indexes of two archives differ; nothing where they are the same, or where one has none.
///
/// # Errors
/// When a temporary file can't be read.
pub fn explain_indexes(one: &Side<'_>, other: &Side<'_>) -> io::Result<Vec<Difference>> {
    let tops = |side: &Side<'_>| side.closure.tops.clone();
    let (first, second) = (tops(one), tops(other));
    let has_index = |side: &Side<'_>| side.closure.form != Form::Docker;
    if first == second || !has_index(one) || !has_index(other) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let of_role = |side: &Side<'_>, role: Role| -> Vec<AnyDigest> {
        side.closure.images.iter().filter(|image| image.role == role).filter_map(|image| image.manifest).collect()
    };
    let set = |digests: Vec<AnyDigest>| digests.into_iter().collect::<BTreeSet<_>>();
    for (role, code) in [(Role::Attestation, "C015"), (Role::Artifact, "C029")] {
        let (ours, theirs) = (set(of_role(one, role)), set(of_role(other, role)));
        if ours != theirs {
            let text = |digests: &BTreeSet<AnyDigest>, others: &BTreeSet<AnyDigest>| {
                let texts: Vec<String> = digests.difference(others).map(ToString::to_string).collect();
                (!texts.is_empty()).then(|| super::value::cut(texts.join(", ")))
            };
            let difference = Difference::proven(code, DifferenceLevel::Index);
            found.push(difference.between(text(&ours, &theirs), text(&theirs, &ours)));
        }
    }
    let indexes = |side: &Side<'_>| side.closure.documents.iter().filter(|document| document.kind == "index").count();
    let (ours, theirs) = (indexes(one), indexes(other));
    if ours != theirs {
        let text = |count: usize| Some(format!("{count} indexes above the image manifests"));
        found.push(Difference::proven("C016", DifferenceLevel::Index).between(text(ours), text(theirs)));
    } else if let ([one_top], [other_top]) = (first.as_slice(), second.as_slice()) {
        let is_index = |side: &Side<'_>, digest: &AnyDigest| {
            side.closure.documents.iter().any(|document| document.kind == "index" && document.digest == *digest)
        };
        if is_index(one, one_top) && is_index(other, other_top) {
            let document = |side: &Side<'_>, digest: &AnyDigest| side.document(digest.blob_path().as_bytes());
            if let (Some(one), Some(other)) = (document(one, one_top)?, document(other, other_top)?) {
                found.extend(manifest::index(&one, &other));
            }
        }
    } else if first.len() != second.len() || set(first) == set(second) {
        found.push(Difference::proven("C016", DifferenceLevel::Index));
    }
    let images = |side: &Side<'_>| of_role(side, Role::Image);
    if found.is_empty() && set(images(one)) == set(images(other)) {
        found.push(Difference::proven("C016", DifferenceLevel::Index));
    }
    Ok(found)
}
