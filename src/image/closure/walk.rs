//! From `index.json` down: indexes, image manifests, and what they lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::Value;

use super::check::Selection;
use super::claim::{Claim, claim};
use super::facts::{DocumentFacts, ImageFacts, Role};
use super::fields::{Fields, Spelling};
use crate::digest::AnyDigest;
use crate::escape;
use crate::image::archive::Archive;
use crate::image::fault::Findings;
use crate::image::media_type::{Kind, kind};
use crate::layer::Examined;
use crate::limits::{LimitExceeded, Limits};

const INDEX_NAMES: &[&str] = &[
    "schemaVersion",
    "mediaType",
    "artifactType",
    "manifests",
    "subject",
    "annotations",
    "config",
    "layers",
    "fsLayers",
];
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
/// Indexes are never followed deeper, whatever the limit says.
const DEEPEST: u64 = 1000;

/// A document that was walked.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// An index: what it lists, and how many levels of indexes it needs.
    Index { children: Vec<AnyDigest>, height: u64 },
    /// An image manifest, by its place in the list of images.
    Image(usize),
}

/// What `index.json` lists.
pub(super) struct Top {
    pub(super) claim: Claim,
    /// The names that its annotations give.
    pub(super) names: Vec<String>,
}

/// The state of one check.
pub(super) struct Walk<'a> {
    pub(super) archive: &'a Archive,
    pub(super) selection: &'a Selection,
    pub(super) limits: &'a Limits,
    pub(super) findings: Findings,
    pub(super) documents: Vec<DocumentFacts>,
    pub(super) images: Vec<ImageFacts>,
    pub(super) used: BTreeSet<Vec<u8>>,
    pub(super) nodes: BTreeMap<AnyDigest, Node>,
    pub(super) tops: Vec<Top>,
    pub(super) docker_images: Vec<super::docker::DockerImage>,
    /// Layers that were small enough to be kept, examined.
    pub(super) examined: BTreeMap<Vec<u8>, Examined>,
    /// Layers whose faults were told.
    pub(super) told: BTreeSet<Vec<u8>>,
    /// Something was left out because it has another name; some of these names.
    pub(super) unselected: Vec<String>,
    left_out: u64,
    /// Steps of searches through the graph that are left.
    pub(super) steps: u64,
    /// Descriptors that may still be read.
    pub(super) descriptors: u64,
    /// Bytes of documents whose details may still be kept.
    pub(super) details: u64,
    /// A diff ID is in another algorithm than what was computed.
    pub(super) needs_both_sums: bool,
    /// Documents that were told.
    told_documents: BTreeSet<AnyDigest>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(archive: &'a Archive, selection: &'a Selection, limits: &'a Limits, findings: Findings) -> Self {
        Self {
            archive,
            selection,
            limits,
            findings,
            documents: Vec::new(),
            images: Vec::new(),
            used: BTreeSet::new(),
            nodes: BTreeMap::new(),
            tops: Vec::new(),
            docker_images: Vec::new(),
            examined: BTreeMap::new(),
            told: BTreeSet::new(),
            unselected: Vec::new(),
            left_out: 0,
            steps: limits.archive_steps,
            descriptors: limits.archive_descriptors,
            details: limits.report_details,
            needs_both_sums: false,
            told_documents: BTreeSet::new(),
        }
    }

    /// Takes `count` descriptors from what may be read; false when there are too many, which is told once.
    pub(super) fn takes_descriptors(&mut self, count: usize, object: &str) -> bool {
        match self.descriptors.checked_sub(count as u64) {
            Some(left) => self.descriptors = left,
            None => {
                if self.descriptors > 0 {
                    let limit = self.limits.archive_descriptors;
                    let what = LimitExceeded { name: "archive-descriptors", limit, object: "all documents".to_owned() };
                    self.findings.fault("limit", object, what);
                }
                self.descriptors = 0;
                return false;
            }
        }
        true
    }

    /// Notes that an image of these names was not asked for.
    pub(super) fn leave_out(&mut self, names: &[String]) {
        self.left_out += 1;
        if let Some(name) = names.first()
            && self.unselected.len() < super::names::MOST
        {
            super::names::add(&mut self.unselected, name);
        }
    }

    /// Whether the selection left something out.
    pub(super) fn was_unselected(&self) -> bool {
        self.left_out > 0
    }

    /// Takes one step of a search; false when there were too many.
    pub(super) fn steps_on(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// A search that was given up is a fault: what it would have found is not known.
    pub(super) fn tell_exhaustion(&mut self) {
        if self.steps == 0 {
            let limit = self.limits.archive_steps;
            let what = LimitExceeded { name: "archive-steps", limit, object: "searches".to_owned() };
            self.findings.fault("limit", "archive", what);
        }
    }

    /// Whether there is room for the details of a document of so many bytes.
    fn has_room(&mut self, bytes: u64) -> bool {
        match self.details.checked_sub(bytes) {
            Some(left) => self.details = left,
            None => self.details = 0,
        }
        self.details > 0
    }

    /// `index.json` and everything below it.
    pub(super) fn top(&mut self) -> io::Result<()> {
        let object = "index.json";
        let Some(file) = self.top_file(object) else { return Ok(()) };
        let Some((bytes, value)) = self.parse(file, object)? else { return Ok(()) };
        self.tell("index.json", object, &bytes, "", 0, None);
        let Some(claims) = self.index_members(&value, object, None) else { return Ok(()) };
        drop((bytes, value));
        if claims.is_empty() {
            self.findings.fault("V3", object, "it lists no image, so there is nothing to check");
        }
        for claim in claims.into_iter().flatten() {
            let names = super::names::of(&claim);
            if let Some(wanted) = &self.selection.image
                && !names.iter().any(|name| super::names::fits(name, wanted))
                && claim.digest.to_string() != *wanted
            {
                self.leave_out(&names);
                continue;
            }
            self.descend(&claim, 2)?;
            self.tops.push(Top { claim, names });
        }
        Ok(())
    }

    /// What a descriptor of an index leads to; `level` is that of the document it names.
    fn descend(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        match kind(&claim.media_type) {
            Kind::Index => self.index(claim, level),
            Kind::Manifest => self.manifest(claim, level),
            _ => {
                self.findings.note(&claim.place, format!("`{}` is not looked into", escape::text(&claim.media_type)));
                self.blob(claim, "blob").map(drop)
            }
        }
    }

    fn too_deep(&mut self, object: &str) {
        let limit = self.limits.index_depth;
        let exceeded = LimitExceeded { name: "index-depth", limit, object: "levels of indexes".to_owned() };
        self.findings.fault("V5", object, exceeded);
    }

    fn index(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        let deepest = self.limits.index_depth.min(DEEPEST);
        let object = format!("index {}", claim.digest);
        if level > deepest {
            self.too_deep(&object);
            return Ok(());
        }
        let Some(blob) = self.blob(claim, "index")? else { return Ok(()) };
        match self.nodes.get(&claim.digest) {
            Some(Node::Index { height, .. }) => {
                if level - 1 + height > deepest {
                    self.too_deep(&object);
                }
                return Ok(());
            }
            Some(Node::Image(_)) => {
                self.findings.fault("V4", &object, "it is listed as an index and as an image manifest");
                return Ok(());
            }
            None => {}
        }
        let Some((bytes, value)) = self.parse(blob.file, &object)? else { return Ok(()) };
        self.tell(
            "index",
            &claim.digest.blob_path(),
            &bytes,
            &claim.media_type,
            level as usize - 1,
            claim.platform.as_ref(),
        );
        let Some(claims) = self.index_members(&value, &object, Some(&claim.media_type)) else { return Ok(()) };
        drop((bytes, value));
        let claims: Vec<Claim> = claims.into_iter().flatten().collect();
        let children = claims.iter().map(|claim| claim.digest).collect();
        self.nodes.insert(claim.digest, Node::Index { children, height: 1 });
        let mut below = 0;
        for claim in &claims {
            self.descend(claim, level + 1)?;
            if let Some(Node::Index { height, .. }) = self.nodes.get(&claim.digest) {
                below = below.max(*height);
            }
        }
        if let Some(Node::Index { height, .. }) = self.nodes.get_mut(&claim.digest) {
            *height = below + 1;
        }
        self.platforms(&object, &claims);
        Ok(())
    }

    /// No two image manifests of one index are for the same platform.
    fn platforms(&mut self, object: &str, claims: &[Claim]) {
        let mut seen = BTreeMap::new();
        for claim in claims {
            let Some(Node::Image(number)) = self.nodes.get(&claim.digest) else { continue };
            let image = &self.images[*number];
            if image.role != Role::Image || claim.annotations.contains_key("vnd.docker.reference.type") {
                continue;
            }
            let by_config = || image.platform().map(|platform| (platform, String::new(), Vec::new()));
            let key = match &claim.platform {
                Some(claimed) => claimed.key(),
                None => by_config(),
            };
            let Some(key) = key else { continue };
            let name = key.0.to_string();
            if let Some(other) = seen.insert(key, claim.digest) {
                let what = format!("two image manifests for {name}: {other} and {}", claim.digest);
                self.findings.fault("V5", object, what);
            }
        }
    }

    /// The descriptors of an index; none when it is no index. Descriptors that lead nowhere are none.
    fn index_members(&mut self, value: &Value, object: &str, outer: Option<&str>) -> Option<Vec<Option<Claim>>> {
        let findings = &mut self.findings;
        let fields = Fields::of(value, object, INDEX_NAMES, Spelling::Exact, findings)?;
        let is_one_kind = one_kind(&fields, object, &["config", "layers", "fsLayers"], findings);
        schema_version(&fields, object, findings);
        let inner = fields.string("mediaType", findings);
        match (inner, outer) {
            (Some(inner), Some(outer)) if inner != outer => differing_types(object, inner, outer, findings),
            (Some(inner), None) if kind(inner) != Kind::Index => {
                findings.fault("V4", object, format!("`mediaType` is `{}`, which is no index", escape::text(inner)));
            }
            _ => {}
        }
        fields.string_map("annotations", findings);
        fields.string("artifactType", findings);
        if let Some(subject) = fields.get("subject") {
            claim(subject, &format!("{object} subject"), findings);
        }
        if !is_one_kind {
            return None;
        }
        if fields.get("manifests").is_none() {
            fields.missing("manifests", findings);
        }
        let manifests = fields.array("manifests", findings)?;
        if manifests.len() as u64 > self.limits.index_manifests {
            let limit = self.limits.index_manifests;
            let what = format!("an index of {} manifests", manifests.len());
            findings.fault("V5", object, LimitExceeded { name: "index-manifests", limit, object: what });
            return None;
        }
        if !self.takes_descriptors(manifests.len(), object) {
            return None;
        }
        let findings = &mut self.findings;
        let place = |number: usize| format!("{object} manifests[{number}]");
        Some(manifests.iter().enumerate().map(|(number, value)| claim(value, &place(number), findings)).collect())
    }

    fn manifest(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        let object = format!("image manifest {}", claim.digest);
        let Some(blob) = self.blob(claim, "image manifest")? else { return Ok(()) };
        let number = match self.nodes.get(&claim.digest) {
            Some(Node::Image(number)) => *number,
            Some(Node::Index { .. }) => {
                self.findings.fault("V4", &object, "it is listed as an image manifest and as an index");
                return Ok(());
            }
            None => {
                let Some((bytes, value)) = self.parse(blob.file, &object)? else { return Ok(()) };
                let (member, platform) = (claim.digest.blob_path(), claim.platform.as_ref());
                self.tell("manifest", &member, &bytes, &claim.media_type, level as usize - 1, platform);
                let Some(image) = self.manifest_members(&value, &object, claim, level)? else { return Ok(()) };
                self.images.push(image);
                self.nodes.insert(claim.digest, Node::Image(self.images.len() - 1));
                self.images.len() - 1
            }
        };
        self.compare_platform(claim, number);
        Ok(())
    }

    /// The platform of the descriptor is that of the config.
    fn compare_platform(&mut self, claim: &Claim, number: usize) {
        let (Some(claimed), Some(config)) = (&claim.platform, &self.images[number].config) else { return };
        let (Some(said), Some(found)) = (claimed.platform(), config.platform()) else { return };
        let variants = (said.variant.is_some() || !claimed.variant.is_empty()) && !config.variant.is_empty();
        let is_same = said.os == found.os
            && said.architecture == found.architecture
            && (!variants || claimed.variant.is_empty() || said.variant == found.variant)
            && (claimed.os_version.is_empty()
                || config.os_version.is_empty()
                || claimed.os_version == config.os_version);
        if !is_same {
            let config = self.images[number].config_digest.map_or_else(String::new, |digest| digest.to_string());
            let what = format!("the config {config} is for {found}, the descriptor says {said}");
            self.findings.fault("V6", format!("{} platform", claim.place), escape::text(&what));
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
        if let Some(subject) = fields.get("subject") {
            claim(subject, &format!("{object} subject"), findings);
        }
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
            findings.fault("limit", object, LimitExceeded { name: "image-layers", limit, object: what });
            return Ok(None);
        }
        if !self.takes_descriptors(layers.len() + 1, object) {
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
                "its config is `{}`, so neither that nor its layers were looked into",
                escape::text(&config_type)
            );
            findings.note(object, what);
        }
        if config_type == EMPTY && artifact_type.is_none() {
            findings.fault("V6", object, "the config is the empty one, but there is no `artifactType`");
        }
        let about = outer.annotations.get("vnd.docker.reference.digest").cloned();
        let role = if outer.annotations.contains_key("vnd.docker.reference.type") {
            Role::Attestation
        } else if is_known && artifact_type.is_none() {
            Role::Image
        } else {
            Role::Artifact
        };
        let is_shortened = !self.has_room(outer.size.unwrap_or_default());
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
        };
        if let Some(config) = &config
            && let Some(blob) = self.blob(config, "config")?
            && is_known
        {
            let object = format!("config {}", config.digest);
            if let Some((bytes, value)) = self.parse(blob.file, &object)? {
                let member = config.digest.blob_path();
                self.tell("config", &member, &bytes, &config.media_type, level as usize, None);
                image.config = self.config(&value, &object, layers.len());
            }
        }
        self.layers(&mut image, layers, object, is_known)?;
        self.shorten(&mut image);
        Ok(Some(image))
    }

    /// Drops the details of an image when the report has no room for them.
    pub(super) fn shorten(&mut self, image: &mut ImageFacts) {
        let has_room = self.has_room(image.config_size);
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

    /// Keeps a document for people to see.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        member: &str,
        bytes: &[u8],
        media_type: &str,
        depth: usize,
        platform: Option<&super::claim::ClaimedPlatform>,
    ) {
        let digest = AnyDigest::of(crate::digest::Algorithm::Sha256, bytes);
        if !self.told_documents.insert(digest) {
            return;
        }
        self.documents.push(DocumentFacts {
            kind,
            digest,
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            depth,
            platform: platform.map(|platform| {
                let parts = [&platform.os, &platform.architecture, &platform.variant];
                parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("/")
            }),
            member: member.as_bytes().to_vec(),
        });
    }
}

fn schema_version(fields: &Fields<'_>, object: &str, findings: &mut Findings) {
    if let Some(version) = fields.required_integer("V4", "schemaVersion", findings).filter(|version| *version != 2) {
        findings.fault("V4", format!("{object} schemaVersion"), format!("expected 2, found {version}"));
    }
}

/// No member of another kind of document (CVE-2021-41190).
fn one_kind(fields: &Fields<'_>, object: &str, others: &[&str], findings: &mut Findings) -> bool {
    let found: Vec<_> = others.iter().filter(|name| fields.has(name)).map(|name| format!("`{name}`")).collect();
    if !found.is_empty() {
        let what = format!("{} belongs to another kind of document than its descriptor says", found.join(", "));
        findings.fault("V4", object, what);
    }
    found.is_empty()
}

fn differing_types(object: &str, inner: &str, outer: &str, findings: &mut Findings) {
    let (inner, outer) = (escape::text(inner), escape::text(outer));
    findings.fault("V4", object, format!("`mediaType` inside is `{inner}`, the descriptor says `{outer}`"));
}
