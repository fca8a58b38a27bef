//! The published image: what every platform of it is known by, whatever place it is in.
//!
//! All places are read by one reader and checked by one check ([`validate`]); of a registry's image the layers are fetched
//! only where the response rests on them ([`Published::confirm`]): a manifest that is equal proves all below it, but a
//! config that claims the same diff IDs proves nothing. What any client could take from the index counts, so an entry
//! that is no plain image or attestation ends the reading: clients differ in what they make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::gather::Blobs;
use super::place::Place;
use super::read::{Reader, Wanted};
use crate::cancel::Cancelled;
use crate::compare::Facts;
use crate::digest::{AnyDigest, DiffId, Digest, Hasher};
use crate::escape;
use crate::image::validate::{self, Closure, EntryFacts, ImageFacts, LayerFacts, Role, Selection};
use crate::layer::decompress::{Compression, Decompressor};
use crate::limits::LimitExceeded;
use crate::platform::Platform;
use crate::registry::RegistryError;
use crate::status::{ExitStatus, Status};

/// How entries say that they are attestations, as BuildKit writes them; their platform is [`NO_PLATFORM`].
const ATTESTATION: &str = "attestation-manifest";
const NO_PLATFORM: &str = "unknown/unknown";
/// Names that a message tells.
const MOST_NAMES: usize = 16;

/// What is published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Digest of the index or image manifest that the name stands for; docker archives have none.
    pub top: Option<Digest>,
    /// What each platform is known by.
    pub platforms: BTreeMap<Platform, PublishedImage>,
    /// Attestations, which were not looked into.
    pub attestations: usize,
    /// What refers to the image from beside it; none where a registry knows, which was not asked.
    pub referrers: Option<usize>,
    /// The mirror that said what the name stands for, where the registry itself was not reached.
    pub mirror: Option<String>,
    place: Place,
}

/// The published image of one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedImage {
    /// The image manifest; docker archives have none.
    pub manifest: Option<Digest>,
    /// The config.
    pub config: Digest,
    /// The layers, base first.
    pub layers: Vec<PublishedLayer>,
}

/// One layer of a published image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedLayer {
    /// The uncompressed layer, as the config claims.
    pub diff_id: DiffId,
    /// The stored one, and its bytes; none in docker archives.
    pub stored: Option<(Digest, u64)>,
    /// What it is packed as.
    pub media_type: String,
}

impl PublishedImage {
    /// What it is known by; none without an image manifest.
    pub fn facts(&self) -> Option<Facts> {
        Some(Facts { manifest: self.manifest?, config: self.config, layers: self.diff_ids() })
    }

    /// Diff IDs, base first.
    pub fn diff_ids(&self) -> Vec<DiffId> {
        self.layers.iter().map(|layer| layer.diff_id).collect()
    }
}

/// The published image can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A layer could not be fetched.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A layer's file can't be read.
    #[error("cannot read `{}`: {error}", escape::bytes(path.as_os_str().as_encoded_bytes()))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no image of the name that was asked for.
    #[error("no image is called {}; there are: {}", escape::name(wanted.as_bytes()), among(.known))]
    NoImage {
        /// The name.
        wanted: String,
        /// Names that there are, safe to print.
        known: Vec<String>,
    },
    /// There are several, and nobody said which.
    #[error("{place}: expected one image, found {count}; by name there are: {}", among(.known))]
    Several {
        /// What was typed, safe to print.
        place: String,
        /// How many.
        count: usize,
        /// Some names, safe to print.
        known: Vec<String>,
    },
    /// It breaks a rule, or clients would not agree about it.
    #[error("{object}: {problem}")]
    Malformed {
        /// What is wrong, safe to print.
        object: String,
        /// How.
        problem: String,
    },
    /// Stopped by a signal.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for PublishedError {
    fn status(&self) -> Status {
        match self {
            Self::Read(error) => error.status(),
            Self::Registry(error) => error.status(),
            Self::File { .. } => Status::Source,
            Self::NoImage { .. } => Status::Usage,
            Self::Several { .. } | Self::Malformed { .. } => Status::Malformed,
            Self::Cancelled(_) => Status::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Several { .. } => Some("`--image NAME` picks one".to_owned()),
            _ => None,
        }
    }
}

fn among(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

impl Published {
    /// Reads and checks the image at `place`; of several the one that is called `name`.
    pub fn read(place: &Place, name: Option<&str>, reader: &Reader<'_>) -> Result<Self, PublishedError> {
        let is_fast = place.is_registry();
        let wanted = Wanted { blobs: Blobs::Configs, is_fast, is_listed: false, sums_both: false, is_kept: false };
        let (mut archive, mirror) = reader.read_telling(place, wanted)?;
        let selection = Selection { image: name.map(str::to_owned), is_fast, ..Selection::default() };
        let found = validate::check(&mut archive, &selection, reader.limits)
            .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
        if let Some(violation) = found.findings.violations.first() {
            let more = found.findings.violation_count().saturating_sub(1);
            let more = if more == 0 { String::new() } else { format!(", and {more} more; see `repro inspect`") };
            return Err(malformed(&violation.place, format!("{}{more}", violation.message)));
        }
        if let Some(wanted) = name.filter(|_| found.tops.is_empty() && found.images.is_empty()) {
            return Err(PublishedError::NoImage { wanted: wanted.to_owned(), known: found.names });
        }
        Ok(Self { mirror, ..Self::of(&found, place)? })
    }

    fn of(found: &Closure, place: &Place) -> Result<Self, PublishedError> {
        let referrers = Some(found.referrers).filter(|_| !place.is_registry());
        let mut published = Self {
            top: top(found, place)?,
            platforms: BTreeMap::new(),
            attestations: 0,
            referrers,
            mirror: None,
            place: place.clone(),
        };
        for entry in &found.entries {
            let image = entry.image.and_then(|number| found.images.get(number));
            match image {
                Some(image) if is_attestation(entry, image)? => published.attestations += 1,
                Some(image) => published.insert(chosen_by(entry, image)?, image)?,
                None => {
                    let media_type = escape::text(&entry.media_type);
                    return Err(malformed(&entry.place, format!("`{media_type}` is neither index nor image manifest")));
                }
            }
        }
        if found.entries.is_empty() {
            one_image(&found.images, place)?;
            for (number, image) in found.images.iter().enumerate() {
                let place = format!("manifest.json[{number}]");
                let platform = image.platform().ok_or_else(|| malformed(&place, NO_CONFIG_PLATFORM.to_owned()))?;
                published.insert(platform, image)?;
            }
        }
        Ok(published)
    }

    fn insert(&mut self, platform: Platform, image: &ImageFacts) -> Result<(), PublishedError> {
        let image = facts(image)?;
        if self.platforms.get(&platform).is_some_and(|known| *known != image) {
            return Err(malformed(&"the published image", format!("two image manifests for {platform}")));
        }
        self.platforms.insert(platform, image);
        Ok(())
    }

    /// Fetches the platform's layers and compares their contents with the diff IDs that the published config claims.
    ///
    /// Layers whose digest and diff ID are in `known` are not fetched. What is no registry was read as a whole before, but
    /// for layers of unknown types, of which nothing is known in any place.
    pub fn confirm(
        &self,
        platform: &Platform,
        known: &BTreeSet<(Digest, DiffId)>,
        reader: &Reader<'_>,
    ) -> Result<(), PublishedError> {
        let Some(image) = self.platforms.get(platform) else { return Ok(()) };
        let of = |number: usize| format!("layer {} of the published image", number + 1);
        for (number, layer) in image.layers.iter().enumerate() {
            if layer.stored.is_some_and(|(digest, _)| !known.contains(&(digest, layer.diff_id)))
                && Compression::of_media_type(&layer.media_type).is_none()
            {
                let media_type = escape::text(&layer.media_type);
                return Err(malformed(
                    &of(number),
                    format!("`{media_type}` is no known layer, so its content isn't known"),
                ));
            }
        }
        let Place::Registry(reference) = &self.place else { return Ok(()) };
        let (registry, cache) = reader.registries.ok_or(ReadError::Offline)?;
        let mut left = reader.limits.image_bytes;
        for (number, layer) in image.layers.iter().enumerate() {
            let Some((digest, size)) = layer.stored else { continue };
            if known.contains(&(digest, layer.diff_id)) {
                continue;
            }
            let path = registry.blob(reference, digest, Some(size), cache)?;
            let found = diff_id(&path, &layer.media_type, &mut left, reader)?;
            if found != layer.diff_id {
                let problem = format!("its content has the diff ID {found}, the config says {}", layer.diff_id);
                return Err(malformed(&of(number), problem));
            }
        }
        Ok(())
    }
}

const NO_CONFIG_PLATFORM: &str = "its config names no platform that an image runs on";

/// Whether an entry is a statement about an image, and nothing that a client would run.
fn is_attestation(entry: &EntryFacts, image: &ImageFacts) -> Result<bool, PublishedError> {
    let Some(reference_type) = &entry.reference_type else { return Ok(false) };
    let platform = entry.written_platform.as_deref();
    if reference_type == ATTESTATION && platform == Some(NO_PLATFORM) && image.platform().is_none() {
        return Ok(true);
    }
    let problem = match image.platform() {
        Some(platform) => format!("it is called an attestation, but its config is that of an image for {platform}"),
        None => {
            let (called, platform) = (escape::text(reference_type), escape::text(platform.unwrap_or("none")));
            format!(
                "it is called `{called}` for the platform {platform}; attestations are `{ATTESTATION}` for {NO_PLATFORM}"
            )
        }
    };
    Err(malformed(&entry.place, problem))
}

/// The platform by which clients choose the entry: that of the config, which the entry must name.
fn chosen_by(entry: &EntryFacts, image: &ImageFacts) -> Result<Platform, PublishedError> {
    let wrong = |problem: String| malformed(&entry.place, problem);
    if image.role == Role::Artifact {
        let kind = image.artifact_type.as_deref().unwrap_or("unknown");
        return Err(wrong(format!(
            "it is an artifact of the type `{}`, which some clients take for an image",
            escape::text(kind)
        )));
    }
    let platform = image.platform().ok_or_else(|| wrong(NO_CONFIG_PLATFORM.to_owned()))?;
    match (&entry.platform, &entry.written_platform) {
        (Some(_), _) => Ok(platform),
        (None, None) if entry.is_top => Ok(platform),
        (None, None) => Err(wrong(format!(
            "the image for {platform} is listed without a platform, so clients differ in whether they take it"
        ))),
        (None, Some(written)) => Err(wrong(format!(
            "the image for {platform} is listed for `{}`, so clients differ in whether they take it",
            escape::text(written)
        ))),
    }
}

/// The digest that the place's name stands for; its index may give it several names.
fn top(found: &Closure, place: &Place) -> Result<Option<Digest>, PublishedError> {
    let tops: BTreeSet<AnyDigest> = found.tops.iter().copied().collect();
    if tops.len() < 2 {
        return Ok(tops.first().and_then(AnyDigest::sha256));
    }
    let names: BTreeSet<&String> = found.images.iter().flat_map(|image| &image.names).collect();
    let known = names.into_iter().take(MOST_NAMES).cloned().collect();
    Err(PublishedError::Several { place: place.to_string(), count: tops.len(), known })
}

/// Refuses the images of a docker archive that are no platforms of one image: nothing calls them the same.
fn one_image(images: &[ImageFacts], place: &Place) -> Result<(), PublishedError> {
    let configs: BTreeSet<&AnyDigest> = images.iter().filter_map(|image| image.config_digest.as_ref()).collect();
    let names = |image: &ImageFacts| image.names.iter().cloned().collect::<BTreeSet<String>>();
    let shared = images.iter().map(names).reduce(|one, other| &one & &other);
    if configs.len() < 2 || shared.is_some_and(|shared| !shared.is_empty()) {
        return Ok(());
    }
    let known: BTreeSet<String> = images.iter().flat_map(names).collect();
    let known = known.into_iter().take(MOST_NAMES).collect();
    Err(PublishedError::Several { place: place.to_string(), count: configs.len(), known })
}

fn facts(image: &ImageFacts) -> Result<PublishedImage, PublishedError> {
    let lacks = |what: &str| malformed(&"the published image", what.to_owned());
    let sha256 = |digest: &AnyDigest| digest.sha256().ok_or_else(|| lacks("its digests are not sha256"));
    let config = image.config_digest.as_ref().ok_or_else(|| lacks("its config has no digest"))?;
    let layer = |layer: &LayerFacts| -> Result<PublishedLayer, PublishedError> {
        let diff_id = layer.diff_id.as_ref().ok_or_else(|| lacks("a layer has no diff ID"))?;
        let stored = match (&image.manifest, &layer.digest) {
            (Some(_), Some(digest)) => Some((sha256(digest)?, layer.size)),
            _ => None,
        };
        let diff_id = DiffId::from_bytes(*sha256(diff_id)?.as_bytes());
        Ok(PublishedLayer { diff_id, stored, media_type: layer.media_type.clone() })
    };
    Ok(PublishedImage {
        manifest: image.manifest.as_ref().map(sha256).transpose()?,
        config: sha256(config)?,
        layers: image.layers.iter().map(layer).collect::<Result<_, _>>()?,
    })
}

/// The diff ID of a layer that is stored as its media type says.
///
/// Its bytes are taken from what is `left` of those that an image may have.
fn diff_id(path: &Path, media_type: &str, left: &mut u64, reader: &Reader<'_>) -> Result<DiffId, PublishedError> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => malformed(&"a layer of the published image", error.to_string()),
        _ => PublishedError::File { path: path.to_owned(), error },
    };
    let compression = Compression::of_media_type(media_type)
        .ok_or_else(|| malformed(&"a layer of the published image", "its media type is no known layer".to_owned()))?;
    let file = File::open(path).map_err(fail)?;
    let mut layer = Decompressor::new(compression, file, reader.limits).map_err(fail)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 17];
    loop {
        reader.cancel.check()?;
        match layer.read(&mut buffer) {
            Ok(0) => return Ok(hasher.diff_id()),
            Ok(count) => {
                let (limit, object) = (reader.limits.image_bytes, "the published image".to_owned());
                let exceeded = LimitExceeded { name: "image-bytes", limit, object };
                *left = left.checked_sub(count as u64).ok_or(ReadError::from(exceeded))?;
                hasher.update(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
    }
}

fn malformed(object: &dyn std::fmt::Display, problem: String) -> PublishedError {
    PublishedError::Malformed { object: object.to_string(), problem }
}
