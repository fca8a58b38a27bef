//! Descriptors as others wrote them: what a document claims about a blob.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, Spelling};
use crate::digest::AnyDigest;
use crate::escape;
use crate::image::findings::Findings;
use crate::image::media_type::misspelling;
use crate::platform::Platform;

const NAMES: &[&str] = &["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"];
/// The name, or a part of it.
pub(super) const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// What containerd, docker and BuildKit add: the whole name.
pub(super) const FULL_NAME: &str = "io.containerd.image.name";
/// Annotations that say what a descriptor's blob is.
const ANNOTATIONS: &[&str] = &[
    FULL_NAME,
    REFERENCE,
    "org.opencontainers.image.created",
    "vnd.docker.reference.digest",
    "vnd.docker.reference.type",
];
const PLATFORM_NAMES: &[&str] = &["architecture", "os", "os.version", "os.features", "variant"];

/// What a document claims about a blob.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The descriptor's place in messages.
    pub(super) place: String,
    pub(super) media_type: String,
    pub(super) digest: AnyDigest,
    pub(super) size: Option<u64>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) data: Option<String>,
    pub(super) platform: Option<ClaimedPlatform>,
}

/// A platform as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimedPlatform {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) variant: String,
    pub(super) os_version: String,
    pub(super) os_features: Vec<String>,
}

impl ClaimedPlatform {
    /// Normalised; none if it names no platform that an image runs on.
    pub(super) fn platform(&self) -> Option<Platform> {
        Platform::named(&self.os, &self.architecture, &self.variant)
    }

    /// As it is written, without what it leaves out.
    pub(super) fn written(&self) -> String {
        let parts = [self.os.as_str(), &self.architecture, &self.variant];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// What tells it from other platforms, spelled in one way.
    pub(super) fn key(&self) -> Option<(Platform, String, Vec<String>)> {
        let mut features = self.os_features.clone();
        features.sort();
        self.platform().map(|platform| (platform, self.os_version.clone(), features))
    }
}

/// Reads a descriptor; none when it leads nowhere.
pub(super) fn claim(value: &Value, place: &str, findings: &mut Findings) -> Option<Claim> {
    let fields = Fields::of(value, place, NAMES, Spelling::Exact, findings)?;
    let media_type = fields.required_string("mediaType", findings);
    if let Some((media_type, what)) = media_type.and_then(|media_type| Some((media_type, misspelling(media_type)?))) {
        findings.violation("V4", format!("{place} mediaType"), format!("`{}`: {what}", escape::text(media_type)));
    }
    let media_type = media_type.unwrap_or_default();
    let size = fields.required_integer("V1", "size", findings);
    let digest = fields.required_string("digest", findings);
    fields.strings("urls", findings);
    let annotations = fields.string_map("annotations", findings);
    super::fields::refuse_slips(annotations.keys(), ANNOTATIONS, &format!("{place} annotations"), findings);
    let data = fields.string("data", findings).map(str::to_owned);
    fields.string("artifactType", findings);
    let platform = fields.get("platform").and_then(|value| {
        let place = format!("{place} platform");
        let fields = Fields::of(value, &place, PLATFORM_NAMES, Spelling::Exact, findings)?;
        let mut text = |name: &str| fields.string(name, findings).unwrap_or_default().to_owned();
        let (os, architecture) = (text("os"), text("architecture"));
        let (variant, os_version) = (text("variant"), text("os.version"));
        let os_features = fields.strings("os.features", findings).into_iter().map(str::to_owned).collect();
        for name in ["os", "architecture"] {
            if fields.get(name).is_none() {
                fields.missing(name, findings);
            }
        }
        Some(ClaimedPlatform { os, architecture, variant, os_version, os_features })
    });
    let digest = match digest?.parse::<AnyDigest>() {
        Ok(digest) => digest,
        Err(error) => {
            findings.violation("V2", format!("{place} digest"), error);
            return None;
        }
    };
    Some(Claim {
        place: place.to_owned(),
        media_type: media_type.to_owned(),
        digest,
        size,
        annotations,
        data,
        platform,
    })
}
