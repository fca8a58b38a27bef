//! Image manifests, and what they lead to.

use std::io;

use serde_json::Value;

use super::claim::{Claim, claim};
use super::facts::{ImageFacts, Role};
use super::fields::{Fields, Spelling};
use super::graph::Node;
use super::kinds::{differing_types, one_kind, schema_version};
use super::walk::Walk;
use crate::escape;
use crate::image::media_type::{Kind, kind};
use crate::limits::LimitExceeded;
use crate::platform::Platform;

const MANIFEST_NAMES: &[&str] = &[
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "subject",
    "annotations",
    "manifests",
    "fsLayers",
];
/// The config of artifacts that have none.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

impl Walk<'_> {
    /// What a descriptor of an image manifest leads to.
    pub(super) fn manifest(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        let object = format!("image manifest {}", claim.digest);
        let Some(blob) = self.blob(claim, "image manifest")? else { return Ok(()) };
        let number = match self.graph.nodes.get(&claim.digest) {
            Some(Node::Image(number)) => *number,
            Some(Node::Index { .. }) => {
                self.findings.violation("V4", &object, "it is listed as an image manifest and as an index");
                return Ok(());
            }
            None => {
                let Some((bytes, value)) = self.parse(blob.file, &object)? else { return Ok(()) };
                let (member, platform) = (claim.digest.blob_path(), claim.platform.as_ref());
                self.documents.tell("manifest", &member, &bytes, &claim.media_type, level as usize - 1, platform);
                let Some(image) = self.manifest_members(&value, &object, claim, level)? else { return Ok(()) };
                self.graph.images.push(image);
                self.graph.nodes.insert(claim.digest, Node::Image(self.graph.images.len() - 1));
                self.graph.images.len() - 1
            }
        };
        self.compare_platform(claim, number);
        Ok(())
    }

    /// The platform of the descriptor is that of the config.
    fn compare_platform(&mut self, claim: &Claim, number: usize) {
        let (Some(claimed), Some(config)) = (&claim.platform, &self.graph.images[number].config) else { return };
        let said = spelt(claimed.platform(), &claimed.os, &claimed.architecture);
        let found = spelt(config.platform(), &config.os, &config.architecture);
        let (Some(said), Some(found)) = (said, found) else { return };
        let variants = (said.variant.is_some() || !claimed.variant.is_empty()) && !config.variant.is_empty();
        let is_same = said.os == found.os
            && said.architecture == found.architecture
            && (!variants || claimed.variant.is_empty() || said.variant == found.variant)
            && (claimed.os_version.is_empty()
                || config.os_version.is_empty()
                || claimed.os_version == config.os_version);
        let differs_in_case = |said: &str, found: &str| said != found && said.eq_ignore_ascii_case(found);
        if differs_in_case(&claimed.os, &config.os) || differs_in_case(&claimed.architecture, &config.architecture) {
            let what = "it is the config's but for the case of letters, and some readers take it for another";
            self.findings.violation("V6", format!("{} platform", claim.place), what);
        }
        if !is_same {
            let config = self.graph.images[number].config_digest.map_or_else(String::new, |digest| digest.to_string());
            let what = format!("the config {config} is for {found}, the descriptor says {said}");
            self.findings.violation("V6", format!("{} platform", claim.place), escape::text(&what));
        }
    }

    fn manifest_members(
        &mut self,
        value: &Value,
        object: &str,
        outer: &Claim,
        level: u64,
    ) -> io::Result<Option<ImageFacts>> {
        let findings = &mut self.findings;
        let Some(fields) = Fields::of(value, object, MANIFEST_NAMES, Spelling::Exact, findings) else {
            return Ok(None);
        };
        let is_one_kind = one_kind(&fields, object, &["manifests", "fsLayers"], findings);
        schema_version(&fields, object, findings);
        if let Some(inner) = fields.string("mediaType", findings).filter(|inner| *inner != outer.media_type) {
            differing_types(object, inner, &outer.media_type, findings);
        }
        let annotations = fields.string_map("annotations", findings);
        let artifact_type = fields.string("artifactType", findings).map(str::to_owned);
        let subject = fields.get("subject").and_then(|subject| claim(subject, &format!("{object} subject"), findings));
        if !is_one_kind {
            return Ok(None);
        }
        if fields.get("config").is_none() {
            fields.missing("config", findings);
        }
        let config = fields.get("config").and_then(|value| claim(value, &format!("{object} config"), findings));
        // BuildKit writes `null` for an image without layers; that there are none is checked against the config.
        if !fields.has("layers") {
            fields.missing("layers", findings);
        }
        let none = Vec::new();
        let layers = fields.array("layers", findings).unwrap_or(&none);
        if layers.len() as u64 > self.limits.image_layers {
            let limit = self.limits.image_layers;
            let what = format!("an image manifest of {} layers", layers.len());
            findings.violation("limit", object, LimitExceeded { name: "image-layers", limit, object: what });
            return Ok(None);
        }
        if !self.budget.takes_descriptors(layers.len() + 1, object, &mut self.findings) {
            return Ok(None);
        }
        let findings = &mut self.findings;
        let place = |number: usize| format!("{object} layers[{number}]");
        let layers: Vec<Option<Claim>> =
            layers.iter().enumerate().map(|(number, value)| claim(value, &place(number), findings)).collect();
        let config_type = config.as_ref().map(|config| config.media_type.clone()).unwrap_or_default();
        let is_known = kind(&config_type) == Kind::Config;
        if !is_known && config_type != EMPTY {
            let what = format!(
                "its config is `{}`, so neither that nor its layers were inspected",
                escape::text(&config_type)
            );
            findings.note("not-looked-into", object, what);
        }
        if config_type == EMPTY && artifact_type.is_none() {
            findings.violation("V6", object, "the config is the empty one, but there is no `artifactType`");
        }
        let about = outer.annotations.get("vnd.docker.reference.digest").cloned();
        let role = if outer.annotations.contains_key("vnd.docker.reference.type") {
            Role::Attestation
        } else if is_known && artifact_type.is_none() {
            Role::Image
        } else {
            Role::Artifact
        };
        let is_shortened = !self.budget.has_room(outer.size.unwrap_or_default());
        let mut image = ImageFacts {
            role,
            is_shortened,
            manifest: Some(outer.digest),
            manifest_size: outer.size.unwrap_or_default(),
            media_type: outer.media_type.clone(),
            names: Vec::new(),
            config_digest: config.as_ref().map(|config| config.digest),
            config_size: config.as_ref().and_then(|config| config.size).unwrap_or_default(),
            config: None,
            layers: Vec::new(),
            annotations,
            artifact_type: artifact_type.or_else(|| (!is_known && config_type != EMPTY).then_some(config_type)),
            about,
            subject: subject.map(|subject| subject.digest),
        };
        if let Some(config) = &config
            && let Some(blob) = self.blob(config, "config")?
            && is_known
        {
            let object = format!("config {}", config.digest);
            if let Some((bytes, value)) = self.parse(blob.file, &object)? {
                let member = config.digest.blob_path();
                self.documents.tell("config", &member, &bytes, &config.media_type, level as usize, None);
                image.config = self.config(&value, &object, layers.len());
            }
        }
        self.layers(&mut image, layers, object, is_known)?;
        self.shorten(&mut image);
        Ok(Some(image))
    }

    /// Drops the details of an image when the report has no room for them.
    pub(super) fn shorten(&mut self, image: &mut ImageFacts) {
        let has_room = self.budget.has_room(image.config_size);
        if has_room && !image.is_shortened {
            return;
        }
        image.is_shortened = true;
        image.annotations.clear();
        for layer in &mut image.layers {
            layer.annotations.clear();
        }
        if let Some(config) = &mut image.config {
            config.run = Default::default();
            config.history = None;
            config.author.clear();
        }
    }
}

/// The platform that a document says: `named` if it is one, else its words as they stand; none where one is missing or
/// `unknown`.
fn spelt(named: Option<Platform>, os: &str, architecture: &str) -> Option<Platform> {
    let is_said = [os, architecture].iter().all(|part| !matches!(*part, "" | "unknown"));
    named.or_else(|| is_said.then(|| Platform::new(os, architecture, None)))
}
