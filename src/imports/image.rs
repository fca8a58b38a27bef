//! What an image says of its own build: attestations beside it, build info in its config, or a bundle of a history.

use std::collections::BTreeMap;

use serde_json::Value;

use super::build::{RecordedBuild, unite};
use super::document::of_value;
use super::error::ImportError;
use super::output::WrittenOutput;
use super::{build_info, history, provenance};
use crate::digest::AnyDigest;
use crate::escape;
use crate::image::archive::Archive;
use crate::image::validate::{Closure, ImageFacts, LayerFacts, Role};
use crate::json;
use crate::limits::Limits;
use crate::platform::Platform;

/// The annotation by which a statement in a manifest says what it states.
const PREDICATE: &str = "in-toto.io/predicate-type";
const STATEMENT: &str = "application/vnd.in-toto+json";
const HISTORY: &str = "application/vnd.buildkit.historyrecord.v0";

/// Reads the build of an image that was checked: what is wrong with it ends the reading.
pub fn read_image(archive: &Archive, closure: &Closure, limits: &Limits) -> Result<RecordedBuild, ImportError> {
    let mut build = read_statements(archive, closure, limits)?;
    build.output.join(WrittenOutput::of_images(closure));
    Ok(build)
}

fn read_statements(archive: &Archive, closure: &Closure, limits: &Limits) -> Result<RecordedBuild, ImportError> {
    if let Some(violation) = closure.findings.violations.first() {
        return Err(ImportError::Malformed { object: violation.place.to_string(), problem: violation.message.clone() });
    }
    let reading = Reading { archive, limits };
    let mut bundles = Vec::new();
    for image in &closure.images {
        bundles.extend(reading.bundle(image)?);
    }
    if let Some(first) = bundles.pop() {
        return if bundles.is_empty() {
            Ok(first)
        } else {
            Err(ImportError::Several { count: bundles.len() + 1, known: vec!["history records".to_owned()] })
        };
    }
    let platforms: BTreeMap<AnyDigest, Platform> =
        closure.images.iter().filter_map(|image| Some((image.manifest?, image.platform()?))).collect();
    let mut stated = Vec::new();
    for image in closure.images.iter().filter(|image| image.role != Role::Image) {
        for layer in image.layers.iter().filter(|layer| is_provenance(layer)) {
            let mut build = reading.statement(layer)?;
            // What a statement speaks of is told by what it hangs on alone: its own subject may be empty.
            let about = image.about.as_deref().and_then(|about| about.parse().ok()).or(image.subject);
            if let Some(platform) = about.and_then(|about: AnyDigest| platforms.get(&about)) {
                build.platforms = [platform.clone()].into();
            }
            stated.push(build);
        }
    }
    let mut configured = Vec::new();
    for image in closure.images.iter().filter(|image| image.role == Role::Image) {
        configured.extend(reading.build_info(image)?);
    }
    match (stated.is_empty(), configured.is_empty()) {
        (false, is_alone) => {
            let mut build = unite(stated);
            if !is_alone {
                compare(&mut build, &unite(configured));
            }
            Ok(build)
        }
        (true, false) => Ok(unite(configured)),
        (true, true) => Err(ImportError::Nothing(
            "the image says nothing of its build: no provenance beside it, no build info in its config".to_owned(),
        )),
    }
}

/// Whether a layer of an attestation or bundle is provenance that is read here.
fn is_provenance(layer: &LayerFacts) -> bool {
    layer.media_type == STATEMENT && layer.annotations.get(PREDICATE).is_none_or(|kind| provenance::is_provenance(kind))
}

struct Reading<'a> {
    archive: &'a Archive,
    limits: &'a Limits,
}

impl Reading<'_> {
    /// A document of the archive; none if it was not kept.
    fn document(&self, member: &[u8]) -> Result<Option<Value>, ImportError> {
        let Some(file) = self.archive.file(member) else { return Ok(None) };
        let bytes = self
            .archive
            .bytes(file)
            .map_err(|error| ImportError::malformed(escape::bytes(member), error.to_string()))?;
        bytes.map(|bytes| json::parse(&bytes, self.limits)).transpose().map_err(ImportError::from)
    }

    fn statement(&self, layer: &LayerFacts) -> Result<RecordedBuild, ImportError> {
        match self.document(&layer.member)? {
            Some(value) => of_value(&value, self.limits, true),
            None => Err(ImportError::malformed(
                escape::bytes(&layer.member),
                format!("{} bytes of a statement were not read: `--limit json-bytes=` raises the limit", layer.size),
            )),
        }
    }

    fn build_info(&self, image: &ImageFacts) -> Result<Option<RecordedBuild>, ImportError> {
        let Some(config) = self.config(image)? else { return Ok(None) };
        let build = build_info::of_config(&config, self.limits)?;
        Ok(build.map(|mut build| {
            build.platforms.extend(image.platform());
            build
        }))
    }

    fn config(&self, image: &ImageFacts) -> Result<Option<Value>, ImportError> {
        let Some(digest) = &image.config_digest else { return Ok(None) };
        let text = digest.to_string().replacen(':', "/", 1);
        match self.document(format!("blobs/{text}").as_bytes())? {
            Some(config) => Ok(Some(config)),
            // Docker archives name it as they like.
            None => {
                let named = self.archive.members.keys().find(|name| {
                    let sums = self.archive.file(name).and_then(|file| file.sums.as_ref());
                    name.ends_with(b".json") && sums.is_some_and(|sums| AnyDigest::from(sums.sha256) == *digest)
                });
                named.map_or(Ok(None), |name| self.document(name))
            }
        }
    }

    /// The build of a history bundle; none if the artifact is none.
    fn bundle(&self, image: &ImageFacts) -> Result<Option<RecordedBuild>, ImportError> {
        if image.role == Role::Image || image.artifact_type.as_deref().is_some_and(|kind| kind != HISTORY) {
            return Ok(None);
        }
        let Some(config) = self.config(image)?.filter(history::is_history) else { return Ok(None) };
        let record = history::record(&config)?;
        let mut stated = Vec::new();
        for layer in image.layers.iter().filter(|layer| is_provenance(layer)) {
            stated.push(self.statement(layer)?);
        }
        if stated.is_empty() {
            return Ok(Some(record));
        }
        let mut build = unite(stated);
        if let Some(platform) = record.attributes.get("platform") {
            build.attributes.insert("platform".to_owned(), platform.clone());
        }
        build.notes.extend(record.notes);
        build.output.join(record.output);
        Ok(Some(build))
    }
}

/// Says where build info contradicts provenance, which is taken.
fn compare(build: &mut RecordedBuild, info: &RecordedBuild) {
    let known: BTreeMap<_, _> =
        build.claims.iter().map(|claim| ((claim.kind, &claim.request), &claim.result)).collect();
    let differ = |claim: &&crate::lockfile::Claim| known.get(&(claim.kind, &claim.request)) != Some(&&claim.result);
    let differing: Vec<String> = info.claims.iter().filter(differ).map(|claim| claim.request.clone()).collect();
    for request in differing {
        build.note(request, "the config's build info tells another digest than the provenance, which is taken");
    }
}
