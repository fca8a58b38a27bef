//! From `index.json` down: indexes, and that no platform is there twice.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use super::claim::{Claim, ClaimedPlatform, claim};
use super::facts::{EntryFacts, Role};
use super::fields::{Fields, Spelling};
use super::graph::{Node, Top};
use super::kinds::{differing_types, one_kind, schema_version};
use super::walk::Walk;
use crate::escape;
use crate::image::media_type::{Kind, kind};
use crate::limits::LimitExceeded;

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
/// Indexes are never followed deeper, whatever the limit says.
const DEEPEST: u64 = 1000;

impl Walk<'_> {
    /// `index.json` and everything below it.
    pub(super) fn top(&mut self) -> io::Result<()> {
        let object = "index.json";
        let Some(file) = self.top_file(object) else { return Ok(()) };
        let Some((bytes, value)) = self.parse(file, object)? else { return Ok(()) };
        self.documents.tell("index.json", object, &bytes, "", 0, None);
        let Some(claims) = self.index_members(&value, object, None) else { return Ok(()) };
        drop((bytes, value));
        if claims.is_empty() {
            self.findings.violation("V3", object, "it lists no image, so there is nothing to check");
        }
        // What is listed once more without a name, as by oras, is met in its index first, which tells more about it.
        let mut claims: Vec<Claim> = claims.into_iter().flatten().collect();
        claims.sort_by_key(|claim| (super::names::of(claim).is_empty(), kind(&claim.media_type) != Kind::Index));
        for claim in claims {
            super::names::check(&claim, &mut self.findings);
            let names = super::names::of(&claim);
            if let Some(wanted) = &self.selection.image
                && !names.iter().any(|name| super::names::fits(name, wanted))
                && claim.digest.to_string() != *wanted
            {
                self.left_out.add(&names);
                continue;
            }
            self.descend(&claim, 2)?;
            self.graph.tops.push(Top { claim, names });
        }
        Ok(())
    }

    /// What a descriptor of an index leads to; `level` is that of the document it names.
    fn descend(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        match kind(&claim.media_type) {
            Kind::Index => return self.index(claim, level),
            Kind::Manifest => self.manifest(claim, level)?,
            _ => {
                self.findings.note(
                    "not-looked-into",
                    &claim.place,
                    format!("`{}` is not inspected", escape::text(&claim.media_type)),
                );
                self.blob(claim, "blob")?;
            }
        }
        self.graph.entries.push(EntryFacts {
            place: claim.place.clone(),
            digest: claim.digest,
            media_type: claim.media_type.clone(),
            is_top: level == 2,
            written_platform: claim.platform.as_ref().map(ClaimedPlatform::written),
            platform: claim.platform.as_ref().and_then(ClaimedPlatform::platform),
            reference_type: claim.annotations.get("vnd.docker.reference.type").cloned(),
            image: match self.graph.nodes.get(&claim.digest) {
                Some(Node::Image(number)) => Some(*number),
                _ => None,
            },
        });
        Ok(())
    }

    fn too_deep(&mut self, object: &str) {
        let limit = self.limits.index_depth;
        let exceeded = LimitExceeded { name: "index-depth", limit, object: "levels of indexes".to_owned() };
        self.findings.violation("V5", object, exceeded);
    }

    fn index(&mut self, claim: &Claim, level: u64) -> io::Result<()> {
        let deepest = self.limits.index_depth.min(DEEPEST);
        let object = format!("index {}", claim.digest);
        if level > deepest {
            self.too_deep(&object);
            return Ok(());
        }
        let Some(blob) = self.blob(claim, "index")? else { return Ok(()) };
        match self.graph.nodes.get(&claim.digest) {
            Some(Node::Index { height, .. }) => {
                if level - 1 + height > deepest {
                    self.too_deep(&object);
                }
                return Ok(());
            }
            Some(Node::Image(_)) => {
                self.findings.violation("V4", &object, "it is listed as an index and as an image manifest");
                return Ok(());
            }
            None => {}
        }
        let Some((bytes, value)) = self.parse(blob.file, &object)? else { return Ok(()) };
        self.documents.tell(
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
        self.graph.nodes.insert(claim.digest, Node::Index { children, height: 1 });
        let mut below = 0;
        for claim in &claims {
            self.descend(claim, level + 1)?;
            if let Some(Node::Index { height, .. }) = self.graph.nodes.get(&claim.digest) {
                below = below.max(*height);
            }
        }
        if let Some(Node::Index { height, .. }) = self.graph.nodes.get_mut(&claim.digest) {
            *height = below + 1;
        }
        self.platforms(&object, &claims);
        Ok(())
    }

    /// No two image manifests of one index are for the same platform.
    fn platforms(&mut self, object: &str, claims: &[Claim]) {
        let mut seen = BTreeMap::new();
        for claim in claims {
            let Some(Node::Image(number)) = self.graph.nodes.get(&claim.digest) else { continue };
            let image = &self.graph.images[*number];
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
                self.findings.violation("V5", object, what);
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
                findings.violation(
                    "V4",
                    object,
                    format!("`mediaType` is `{}`, which is no index", escape::text(inner)),
                );
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
            findings.violation("V5", object, LimitExceeded { name: "index-manifests", limit, object: what });
            return None;
        }
        if !self.budget.takes_descriptors(manifests.len(), object, &mut self.findings) {
            return None;
        }
        let findings = &mut self.findings;
        let place = |number: usize| format!("{object} manifests[{number}]");
        Some(manifests.iter().enumerate().map(|(number, value)| claim(value, &place(number), findings)).collect())
    }
}
