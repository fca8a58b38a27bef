//! `manifest.json` of docker archives, alone or beside `index.json`.

use std::collections::BTreeMap;
use std::io;

use super::claim::claim;
use super::facts::{ImageFacts, LayerFacts, Role};
use super::fields::{Fields, Spelling};
use super::layers::Wanted;
use super::walk::{DockerImage, Walk};
use crate::digest::{AnyDigest, Digest};
use crate::escape;
use crate::image::archive::{Held, HeldFile};
use crate::limits::LimitExceeded;
use crate::reference::Reference;

const NAMES: &[&str] = &["Config", "RepoTags", "Layers", "Parent", "LayerSources"];

impl<'a> Walk<'a> {
    /// `manifest.json` and everything that it names. Beside `index.json` its images are known already.
    pub(super) fn docker(&mut self, is_combined: bool) -> io::Result<()> {
        let Some(file) = self.top_file("manifest.json") else { return Ok(()) };
        let Some((bytes, value)) = self.parse(file, "manifest.json")? else { return Ok(()) };
        self.documents.tell("manifest.json", "manifest.json", &bytes, "", 0, None);
        self.used.insert(b"repositories".to_vec());
        let Some(entries) = value.as_array() else {
            let hint = match value.get("schemaVersion") {
                Some(_) => ": this is an image manifest, as skopeo's `dir:` has it; copy that to `oci:` first",
                None => "",
            };
            let what = format!("expected a list, found {}{hint}", super::fields::kind(&value));
            self.findings.violation("V11", "manifest.json", what);
            return Ok(());
        };
        if entries.is_empty() {
            self.findings.violation("V11", "manifest.json", "it lists no image, so there is nothing to check");
        }
        if entries.len() as u64 > self.limits.index_manifests {
            let (limit, object) = (self.limits.index_manifests, format!("a list of {} images", entries.len()));
            let exceeded = LimitExceeded { name: "index-manifests", limit, object };
            self.findings.violation("V5", "manifest.json", exceeded);
            return Ok(());
        }
        let mut tags: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        for (number, value) in entries.iter().enumerate() {
            let place = format!("manifest.json[{number}]");
            let Some(fields) = Fields::of(value, &place, NAMES, Spelling::Exact, &mut self.findings) else { continue };
            let names: Vec<String> =
                fields.strings("RepoTags", &mut self.findings).into_iter().map(str::to_owned).collect();
            let config = fields.required_string("Config", &mut self.findings).unwrap_or_default().to_owned();
            let layers: Vec<String> =
                fields.strings("Layers", &mut self.findings).into_iter().map(str::to_owned).collect();
            if !fields.has("Layers") {
                fields.missing("Layers", &mut self.findings);
            }
            fields.string("Parent", &mut self.findings);
            self.layer_sources(&fields, &place);
            for tag in &names {
                if let Err(error) = tag.parse::<Reference>() {
                    self.findings.violation("V11", format!("{place} RepoTags"), error);
                }
                let meant = (config.clone(), layers.clone());
                if tags.insert(tag.clone(), meant.clone()).is_some_and(|other| other != meant) {
                    let tag = escape::name(tag.as_bytes());
                    self.findings.violation("V11", &place, format!("the tag {tag} also stands for another image"));
                }
            }
            if let Some(wanted) = &self.selection.image
                && !names.iter().any(|name| super::names::fits(name, wanted))
                && !self.is_selected(&config)
            {
                self.left_out.add(&names);
                continue;
            }
            self.docker_image(&place, config, layers, names, is_combined)?;
        }
        Ok(())
    }

    /// Where docker says that layers came from: descriptors by diff ID, of blobs that may be in the archive.
    fn layer_sources(&mut self, fields: &Fields<'_>, place: &str) {
        let Some(sources) = fields.get("LayerSources") else { return };
        let place = format!("{place} LayerSources");
        let Some(sources) = sources.as_object() else {
            self.findings.violation(
                "V11",
                place,
                format!("expected an object, found {}", super::fields::kind(sources)),
            );
            return;
        };
        if !self.budget.takes_descriptors(sources.len(), &place, &mut self.findings) {
            return;
        }
        for (diff_id, source) in sources {
            let place = format!("{place}[{}]", escape::name(diff_id.as_bytes()));
            if let Err(error) = diff_id.parse::<AnyDigest>() {
                self.findings.violation("V2", &place, error);
            }
            let Some(claim) = claim(source, &place, &mut self.findings) else { continue };
            let member = self.archive.file(claim.digest.blob_path().as_bytes());
            if let (Some(file), Some(size)) = (member, claim.size)
                && file.size != size
            {
                let what = format!("size mismatch: it says {size} bytes, the blob has {}", file.size);
                self.findings.violation("V1", &place, what);
            }
        }
    }

    /// Whether the view of `index.json` was told to check the image of this config.
    fn is_selected(&self, config: &str) -> bool {
        let digest = self.archive.file(config.as_bytes()).and_then(|file| Some(file.sums.as_ref()?.sha256));
        digest.is_some_and(|digest| {
            self.graph.images.iter().any(|image| image.config_digest == Some(AnyDigest::Sha256(digest)))
        })
    }

    fn docker_image(
        &mut self,
        place: &str,
        config: String,
        layers: Vec<String>,
        names: Vec<String>,
        is_combined: bool,
    ) -> io::Result<()> {
        if !self.budget.takes_descriptors(layers.len() + 1, place, &mut self.findings) {
            return Ok(());
        }
        if layers.len() as u64 > self.limits.image_layers {
            let (limit, object) = (self.limits.image_layers, format!("an image of {} layers", layers.len()));
            let exceeded = LimitExceeded { name: "image-layers", limit, object };
            self.findings.violation("limit", place, exceeded);
            return Ok(());
        }
        let mut image = ImageFacts {
            role: Role::Image,
            is_shortened: false,
            manifest: None,
            manifest_size: 0,
            media_type: String::new(),
            names: super::names::shown(&names),
            config_digest: None,
            config_size: 0,
            config: None,
            layers: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            about: None,
            subject: None,
        };
        let object = format!("{place} Config {}", escape::name(config.as_bytes()));
        if let Some((_, file)) = self.docker_file(&config, &object, false) {
            self.docker_config(&config, file, &object, layers.len(), &mut image)?;
        }
        let diff_ids = image.config.as_ref().map(|config| config.diff_ids.clone()).unwrap_or_default();
        let mut members = Vec::new();
        for (number, name) in layers.iter().enumerate() {
            let object = format!("{place} Layers[{number}] {}", escape::name(name.as_bytes()));
            members.push(None);
            let Some((member, file)) = self.docker_file(name, &object, true) else { continue };
            let digest = file.sums.as_ref().map(|sums| AnyDigest::Sha256(sums.sha256));
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                let is_right = digest.is_none_or(|digest| digest.hex() == hex);
                if let (false, Some(digest)) = (is_right, digest) {
                    let what = format!("digest mismatch: computed {digest}, expected sha256:{hex}");
                    self.findings.violation("V1", &object, escape::text(&what));
                }
            }
            let diff_id = diff_ids.get(number).copied().flatten();
            let mut facts = LayerFacts {
                digest,
                member: member.clone(),
                media_type: String::new(),
                size: file.size,
                diff_id,
                compression: None,
                uncompressed_size: None,
                entries: None,
                newest_mtime: None,
                annotations: BTreeMap::new(),
            };
            let wanted = Wanted { object, member: member.clone(), file, compression: None, diff_id };
            self.layer(wanted, &mut facts)?;
            image.layers.push(facts);
            members[number] = Some(member);
        }
        if !is_combined {
            self.links_below(&members, place)?;
            self.whole_size(&image, place);
        }
        let docker = DockerImage { place: place.to_owned(), config: image.config_digest, diff_ids, tags: names };
        self.docker_images.push(docker);
        if !is_combined {
            self.shorten(&mut image);
            self.graph.images.push(image);
        }
        Ok(())
    }

    fn docker_config(
        &mut self,
        name: &str,
        file: &HeldFile,
        object: &str,
        layers: usize,
        image: &mut ImageFacts,
    ) -> io::Result<()> {
        let Some((bytes, value)) = self.parse(file, object)? else { return Ok(()) };
        let digest = Digest::of(&bytes);
        let last = name.rsplit('/').next().unwrap_or_default();
        let id = last.strip_suffix(".json").unwrap_or(last);
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && id != digest.hex() {
            let what = format!("digest mismatch: computed {digest}, the name says sha256:{id}");
            self.findings.violation("V1", object, what);
        }
        image.config_digest = Some(AnyDigest::Sha256(digest));
        image.config_size = file.size;
        self.documents.tell("config", name, &bytes, "", 1, None);
        image.config = self.config(&value, object, layers);
        Ok(())
    }

    /// The file that `manifest.json` names, over one link where layers may have them.
    fn docker_file(&mut self, name: &str, object: &str, is_layer: bool) -> Option<(Vec<u8>, &'a HeldFile)> {
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !name.split('/').all(is_plain) {
            self.findings.violation("V11", object, "it is no plain relative path");
            return None;
        }
        self.used.insert(name.as_bytes().to_vec());
        let archive = self.archive;
        match archive.members.get(name.as_bytes()) {
            Some(Held::File(file)) => Some((name.as_bytes().to_vec(), file)),
            Some(Held::Link { target }) if is_layer => self.linked(name, target, object),
            Some(_) => {
                self.findings.violation("V11", object, "it is no regular file that could be read");
                None
            }
            None => {
                self.findings.violation("V11", object, "it is missing from the archive");
                None
            }
        }
    }

    fn linked(&mut self, name: &str, target: &[u8], object: &str) -> Option<(Vec<u8>, &'a HeldFile)> {
        let (archive, shown) = (self.archive, escape::name(target));
        let Some(member) = resolve(name.as_bytes(), target) else {
            self.findings.violation("V11", object, format!("the link to {shown} leaves the archive"));
            return None;
        };
        match archive.members.get(&member) {
            Some(Held::File(file)) => {
                self.used.insert(member.clone());
                Some((member, file))
            }
            found => {
                let what = if found.is_some() { "no regular file" } else { "not in the archive" };
                self.findings.violation("V11", object, format!("the link leads to {shown}, which is {what}"));
                None
            }
        }
    }

    /// Without `manifest.json` there is nothing that a link may stand for.
    pub(super) fn no_links(&mut self) {
        for (name, held) in &self.archive.members {
            if matches!(held, Held::Link { .. }) {
                let object = format!("archive member {}", escape::name(name));
                self.findings.violation("V3", object, "a symbolic link: only files and directories are read");
            }
        }
    }

    /// Links that no image uses must hold too: others may follow them.
    pub(super) fn unused_links(&mut self) {
        let archive = self.archive;
        for (name, held) in &archive.members {
            let Held::Link { target } = held else { continue };
            if self.used.contains(name) {
                continue;
            }
            let object = format!("archive member {}", escape::name(name));
            let text = String::from_utf8_lossy(name);
            self.linked(&text, target, &object);
        }
    }
}

/// Where a link in the archive leads; none if that is outside.
fn resolve(name: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    if target.starts_with(b"/") || target.contains(&0) {
        return None;
    }
    let mut parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
    parts.pop();
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_the_archive() {
        for (target, want) in [
            ("../b/layer.tar", Some("b/layer.tar")),
            ("../b.tar", Some("b.tar")),
            ("./x", Some("a/x")),
            ("../../x", None),
            ("/etc/passwd", None),
        ] {
            assert_eq!(resolve(b"a/layer.tar", target.as_bytes()).as_deref(), want.map(str::as_bytes), "{target}");
        }
    }
}
