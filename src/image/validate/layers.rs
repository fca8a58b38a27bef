//! Layers: packing, contents and diff IDs, and hard links into the layers below.

use std::io;

use super::claim::Claim;
use super::facts::{ImageFacts, LayerFacts};
use super::walk::Walk;
use crate::digest::{Algorithm, AnyDigest};
use crate::escape;
use crate::image::archive::{Content, HeldFile};
use crate::image::findings::tar_rule;
use crate::image::media_type::{Kind, LayerCompression, kind};
use crate::layer::decompress::Compression;
use crate::layer::tar::{End, TarError};
use crate::layer::{Examination, Examined, find_outer};
use crate::limits::LimitExceeded;

/// What the media type of known layers starts with; behind it stands an encoding.
const LAYERS: &[&str] = &[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];

/// What the media types of layers start with, known ones and others: what is in them belongs to the image's files.
const FAMILIES: &[&str] =
    &["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.", "application/vnd.erofs."];

/// One layer of an image, as it is asked for.
pub(super) struct Wanted<'a> {
    /// In messages.
    pub(super) object: String,
    /// The member that holds it.
    pub(super) member: Vec<u8>,
    pub(super) file: &'a HeldFile,
    /// How it must be packed; none if any way will do.
    pub(super) compression: Option<Compression>,
    pub(super) diff_id: Option<AnyDigest>,
}

impl Walk<'_> {
    /// Checks the layers of an image manifest. Below a config of an unknown type they are opaque.
    pub(super) fn layers(
        &mut self,
        image: &mut ImageFacts,
        claims: Vec<Option<Claim>>,
        object: &str,
        is_known: bool,
    ) -> io::Result<()> {
        let diff_ids = image.config.as_ref().map(|config| config.diff_ids.clone()).unwrap_or_default();
        let mut members = Vec::new();
        for (number, claim) in claims.into_iter().enumerate() {
            members.push(None);
            let Some(claim) = claim else { continue };
            let diff_id = diff_ids.get(number).copied().flatten();
            let member = claim.digest.blob_path().into_bytes();
            let mut facts = LayerFacts {
                digest: Some(claim.digest),
                member: member.clone(),
                media_type: claim.media_type.clone(),
                size: claim.size.unwrap_or_default(),
                diff_id,
                compression: None,
                uncompressed_size: None,
                entries: None,
                newest_mtime: None,
                annotations: claim.annotations.clone(),
            };
            let what = format!("layer[{number}] of {object}: blob");
            let blob = self.blob(&claim, &what)?;
            let compression = match kind(&claim.media_type) {
                Kind::Layer(LayerCompression::None) => Some(Compression::None),
                Kind::Layer(LayerCompression::Gzip) => Some(Compression::Gzip),
                Kind::Layer(LayerCompression::Zstd) => Some(Compression::Zstd),
                _ => None,
            };
            if is_known && compression.is_none() {
                self.opaque(&claim);
            }
            if let (true, Some(blob), Some(compression)) = (is_known, blob, compression) {
                let wanted = Wanted {
                    object: format!("layer[{number}] {} of {object}", claim.digest),
                    member: member.clone(),
                    file: blob.file,
                    compression: Some(compression),
                    diff_id,
                };
                self.layer(wanted, &mut facts)?;
                members[number] = Some(member);
            }
            image.layers.push(facts);
        }
        self.links_below(&members, object)?;
        self.whole_size(image, object);
        Ok(())
    }

    /// A layer of an image that is not looked into.
    fn opaque(&mut self, claim: &Claim) {
        let media_type = escape::text(&claim.media_type);
        if kind(&claim.media_type) != Kind::Other {
            self.findings.violation("V4", &claim.place, format!("`{media_type}` is no layer"));
            return;
        }
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| claim.media_type.starts_with(prefix));
        let is_encrypted = claim.media_type.ends_with("+encrypted");
        if starts(LAYERS) && !is_encrypted {
            let what = format!("`{media_type}`: layers are plain, gzip or zstd; other encodings are refused");
            self.findings.violation("V9", &claim.place, what);
        } else if starts(FAMILIES) && !is_encrypted {
            let what = format!("`{media_type}`: layers are tars; file system images such as EROFS are not read");
            self.findings.violation("V9", &claim.place, what);
        } else {
            self.findings.note(
                "not-looked-into",
                &claim.place,
                format!("`{media_type}` is not inspected; its digest was checked"),
            );
        }
    }

    /// Compares what a layer is with what it should be.
    pub(super) fn layer(&mut self, wanted: Wanted<'_>, facts: &mut LayerFacts) -> io::Result<()> {
        let object = &wanted.object;
        if self.selection.is_fast {
            return Ok(());
        }
        if let Content::Bytes(_) = wanted.file.content
            && !self.examinations.kept.contains_key(&wanted.member)
        {
            let bytes = self.archive.bytes(wanted.file)?.unwrap_or_default();
            // Both algorithms: it costs nothing here, and the diff ID may be in the other one than the digest.
            let algorithm = Algorithm::Sha512;
            let listed = self.selection.listed;
            let how = Examination {
                workspace: &self.archive.workspace,
                limits: self.limits,
                algorithm,
                listed,
                contents: None,
            };
            let examined = how.run(&bytes, io::empty())?;
            self.examinations.kept.insert(wanted.member.clone(), examined);
        }
        let examined = match &wanted.file.content {
            Content::Layer(examined) => examined,
            Content::Bytes(_) => &self.examinations.kept[&wanted.member],
            Content::Skipped => return Ok(()),
        };
        facts.compression = Some(examined.compression.name());
        facts.uncompressed_size = examined.uncompressed.as_ref().map(|sums| sums.length);
        facts.entries = Some(examined.entries);
        facts.newest_mtime = examined.newest_mtime;
        if let Some(expected) = wanted.compression.filter(|expected| *expected != examined.compression) {
            let (expected, found) = (expected.name(), examined.compression.name());
            self.findings.violation("V8", object, format!("the media type says {expected}, but the bytes are {found}"));
            return Ok(());
        }
        if self.examinations.told.insert(wanted.member.clone()) {
            for violation in &examined.violations {
                self.findings.violation(rule_of(violation), object, what_of(violation));
            }
            self.findings.add_violations(examined.more_violations);
            remark(examined, object, &mut self.findings);
        }
        let Some(diff_id) = wanted.diff_id else { return Ok(()) };
        let Some(sums) = &examined.uncompressed else { return Ok(()) };
        match sums.in_algorithm(diff_id.algorithm()) {
            Some(computed) if computed == diff_id => {}
            Some(computed) => {
                let what = format!("diff ID mismatch: computed {computed}, the config says {diff_id}");
                self.findings.violation("V8", object, what);
            }
            None => {
                let what = format!(
                    "the diff ID {diff_id} is in another algorithm than the blob's digest: unverifiable in one pass"
                );
                self.examinations.needs_both_sums = true;
                self.findings.violation("V2", object, what);
            }
        }
        Ok(())
    }

    fn examined(&self, member: &[u8]) -> Option<&Examined> {
        match &self.archive.file(member)?.content {
            Content::Layer(examined) => Some(examined),
            Content::Bytes(_) => self.examinations.kept.get(member),
            Content::Skipped => None,
        }
    }

    /// Hard links that lead out of their layer lead to files of lower layers.
    pub(super) fn links_below(&mut self, members: &[Option<Vec<u8>>], object: &str) -> io::Result<()> {
        let workspace = &self.archive.workspace;
        let mut violations = Vec::new();
        let mut notes = Vec::new();
        let mut steps = self.budget.steps;
        for (number, member) in members.iter().enumerate() {
            let Some(examined) = member.as_ref().and_then(|member| self.examined(member)) else { continue };
            if examined.outer_links.count() == 0 {
                continue;
            }
            let object = format!("layer[{number}] of {object}");
            let below = &members[..number];
            let names = below.iter().map(|member| self.examined(member.as_ref()?)?.names.as_ref());
            let Some(names) = names.collect::<Option<Vec<_>>>() else {
                notes.push((object, "hard links into lower layers were not checked: one is not known"));
                continue;
            };
            for link in 0..examined.outer_links.count() {
                let link = examined.outer_links.get(link, workspace)?;
                let Some(is_file) = find_outer(&link.target, &names, workspace, &mut steps)? else {
                    steps = 0;
                    break;
                };
                if !is_file {
                    let (path, target) = (escape::name(&link.path), escape::name(&link.target));
                    let what = format!(
                        "entry {path}: the hard link leads to {target}, which is no file of this or a lower layer, at offset {}",
                        link.offset
                    );
                    violations.push((object.clone(), "tar 7", what));
                }
            }
        }
        self.budget.steps = steps;
        for (object, rule, what) in violations {
            self.findings.violation(rule, object, what);
        }
        for (object, what) in notes {
            self.findings.note("not-looked-into", object, what);
        }
        Ok(())
    }

    /// All layers together are no larger than an image may be.
    pub(super) fn whole_size(&mut self, image: &ImageFacts, object: &str) {
        let limit = self.limits.image_bytes;
        let sizes = image.layers.iter().filter_map(|layer| layer.uncompressed_size);
        if sizes.fold(0, u64::saturating_add) > limit {
            let exceeded = LimitExceeded { name: "image-bytes", limit, object: "layers".to_owned() };
            self.findings.violation("limit", object, exceeded);
        }
    }
}

fn rule_of(violation: &TarError) -> &'static str {
    match violation {
        TarError::Violation(violation) => tar_rule(violation.rule),
        TarError::Limit(_) => "limit",
        TarError::Decompress(_) | TarError::Io(_) => "V8",
    }
}

fn what_of(violation: &TarError) -> String {
    match violation {
        TarError::Violation(violation) => {
            format!("{}: {}, at offset {}", violation.object, violation.what, violation.offset)
        }
        other => other.to_string(),
    }
}

/// What is worth a remark about a layer.
fn remark(examined: &Examined, object: &str, findings: &mut crate::image::findings::Findings) {
    if examined.end == Some(End::Short) {
        findings.note("short-end", object, "the tar does not end with two blocks of zeros");
    }
    if examined.absolute_names > 0 {
        findings.note("absolute-names", object, format!("{} names start with `/`", examined.absolute_names));
    }
    if examined.signed_checksums > 0 {
        let count = examined.signed_checksums;
        findings.note(
            "signed-checksums",
            object,
            format!("{count} headers have checksums over signed bytes, as old programs wrote them"),
        );
    }
}
