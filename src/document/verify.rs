//! The document of `repro verify`.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::attest::AttestedDocument;
use super::build::{BuiltPlatform, built_platform};
use super::diff::explanation_document;
use super::failure::ErrorDocument;
use super::note::NoteDocument;
use crate::platform::Platform;
use crate::project::{
    self, CheckedOut, Elsewhere, FromProvenance, MirrorSaid, NamedBy, Occasion, Question, Verification, shown,
};
use crate::render::DiffDocument;
use crate::source::PublishedImage;
use crate::verify::{Evidence, Verdict};

/// What `repro verify` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifyDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The commit that is checked out; null outside git.
    pub checkout: Option<CheckoutDocument>,
    /// Of a project that was cloned for this: where it is, and who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
    /// Mirrors that said what a name means, since its own server was not reached.
    pub mirrors: Vec<MirrorDocument>,
    /// The images that were verified.
    pub images: Vec<VerifiedImage>,
    /// Who attested what was verified, where attestations lie beside the project or `--attestations` names some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested: Option<AttestedDocument>,
    /// With `--from-provenance`, what that does not tell; null otherwise.
    pub untold: Option<Vec<NoteDocument>>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// Where a project is that was cloned.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OriginDocument {
    /// The repository.
    pub url: String,
    /// Branch, tag or commit that was asked for; null for the default branch.
    pub revision: Option<String>,
    /// The commit that it meant.
    pub commit: String,
    /// Who named it, which proves nothing: `user`, or the published image's own `labels` or `provenance`.
    pub named_by: NamedByName,
}

/// Who named a repository.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedByName {
    /// Whoever typed it.
    User,
    /// The published image's labels.
    Labels,
    /// The published image's provenance.
    Provenance,
}

impl OriginDocument {
    /// The document of a project that was cloned.
    pub fn of(elsewhere: &Elsewhere) -> Self {
        let named_by = match elsewhere.origin.named_by {
            NamedBy::User => NamedByName::User,
            NamedBy::Labels => NamedByName::Labels,
            NamedBy::Provenance => NamedByName::Provenance,
        };
        Self {
            url: elsewhere.origin.shown(),
            revision: elsewhere.origin.revision.clone(),
            commit: elsewhere.commit().to_owned(),
            named_by,
        }
    }
}

/// What a mirror said in place of a server that was not reached.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MirrorDocument {
    /// The request, or the published name.
    pub name: String,
    /// The mirror.
    pub mirror: String,
    /// When: `pinned` (it made the pin), `fresh` (it said that upstream still has it) or `published` (it said what is
    /// published).
    pub occasion: OccasionName,
}

/// When a mirror was asked.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OccasionName {
    /// When the pin was made.
    Pinned,
    /// Whether upstream still has it.
    Fresh,
    /// What is published.
    Published,
}

impl MirrorDocument {
    fn of(said: &MirrorSaid) -> Self {
        let occasion = match said.occasion {
            Occasion::Pinned => OccasionName::Pinned,
            Occasion::Fresh => OccasionName::Fresh,
            Occasion::Published => OccasionName::Published,
        };
        Self { name: said.name.clone(), mirror: said.mirror.clone(), occasion }
    }
}

/// Where the work tree stands.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CheckoutDocument {
    /// The commit; null before the first one.
    pub commit: Option<String>,
    /// The branch; null where a commit itself is checked out.
    pub branch: Option<String>,
    /// Files that are not as committed, below the work tree's root: Dockerfiles, ignore files, manifest, lockfile, tapes,
    /// a record of its own, and what the contexts hold as far as the targets reach it.
    pub dirty: Vec<String>,
}

impl CheckoutDocument {
    fn of(checked_out: &CheckedOut) -> Self {
        Self {
            commit: checked_out.commit.clone(),
            branch: checked_out.branch.clone(),
            dirty: checked_out.dirty.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        }
    }
}

/// One image of `repro verify`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifiedImage {
    /// Its name in the manifest.
    pub image: String,
    /// The engines that rebuilt it.
    pub engines: Vec<String>,
    /// What weakens each verdict on it: a BuildKit that others use and that doesn't check base images.
    pub warnings: Vec<String>,
    /// What the manifest says reads the Dockerfile, `builtin` or an image; null where that decides itself.
    pub frontend: Option<String>,
    /// Image form.
    pub form: u32,
    /// SOURCE_DATE_EPOCH, seconds.
    pub epoch: u64,
    /// Whether the record is of this tree.
    pub recorded: bool,
    /// Digest of the rebuilt index, with more than one platform.
    pub index: Option<String>,
    /// Digest of the recorded index, when all its platforms were rebuilt.
    pub recorded_index: Option<String>,
    /// Digest of what the published name stands for, when it was looked at: an index, or the one image manifest.
    pub published_index: Option<String>,
    /// Platforms of the published index that were not compared.
    pub not_compared: Vec<String>,
    /// How many attestations the published index has; they were not looked into.
    pub published_attestations: usize,
    /// How many documents beside the published image refer to it; they were not looked into. Null where a registry knows
    /// them, which was not asked.
    pub published_referrers: Option<usize>,
    /// Where the rebuilt image was written.
    pub output: Option<String>,
    /// The verdicts, by platform.
    pub platforms: Vec<VerifiedPlatform>,
    /// Why it is not the image that was meant, in the form of `repro diff`; absent where nothing is to be explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<DiffDocument>,
}

/// One platform of `repro verify`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifiedPlatform {
    /// The platform.
    pub platform: String,
    /// `reproduced`, `content` (same config and layers; the published archive has no image manifest), `open-network`
    /// (equal, but RUN could reach everything), `packaging` (same content, packaged differently) or `differs`; null if
    /// there was no rebuild.
    pub verdict: Option<VerdictName>,
    /// The first level that differs: `index`, `manifest`, `config`, `layer N` (1-based).
    pub level: Option<String>,
    /// What explains a difference from the record, where that is known: another Dockerfile frontend.
    pub cause: Option<String>,
    /// The record's image.
    pub expected: Option<BuiltPlatform>,
    /// The rebuilt image.
    pub rebuilt: Option<BuiltPlatform>,
    /// The published image, where it was checked.
    pub published: Option<PublishedPlatform>,
    /// This platform's exit status.
    pub status: u8,
}

/// One platform of a published image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PublishedPlatform {
    /// The platform.
    pub platform: String,
    /// Digest of the image manifest; null in docker archives, which hold none.
    pub manifest: Option<String>,
    /// Digest of the config.
    pub config: String,
    /// Diff IDs, base first.
    pub layers: Vec<String>,
}

/// A published image's digests.
fn published_platform(platform: &Platform, image: &PublishedImage) -> PublishedPlatform {
    PublishedPlatform {
        platform: platform.to_string(),
        manifest: image.manifest.map(|digest| digest.to_string()),
        config: image.config.to_string(),
        layers: image.diff_ids().iter().map(ToString::to_string).collect(),
    }
}

/// A verdict in documents.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictName {
    /// Bit for bit.
    Reproduced,
    /// Same config and layers, as far as the published archive tells.
    Content,
    /// Equal, but RUN could reach everything.
    OpenNetwork,
    /// Same content, packaged differently.
    Packaging,
    /// Different content.
    Differs,
}

impl VerifyDocument {
    /// A document without images.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            checkout: None,
            origin: None,
            mirrors: Vec::new(),
            images: Vec::new(),
            attested: None,
            untold: None,
            error: None,
        }
    }

    /// The document of an image that was rebuilt from its provenance.
    pub fn of_provenance(found: &FromProvenance) -> Self {
        let untold = found.notes.iter().map(NoteDocument::of).collect();
        Self { untold: Some(untold), ..Self::of(&found.verification, None) }
    }

    /// The document of a verification whose image was written to `output`.
    pub fn of(verification: &Verification, output: Option<&Path>) -> Self {
        let images = verification.images.iter().filter(|image| image.is_complete).map(|image| VerifiedImage {
            image: image.name.clone(),
            engines: image.engines.clone(),
            warnings: image.warnings.clone(),
            frontend: image.frontend.as_ref().map(|(chosen, _)| chosen.clone()),
            form: image.form,
            epoch: image.epoch.seconds(),
            recorded: true,
            index: image.index.map(|index| index.to_string()),
            recorded_index: image.recorded_index.map(|index| index.to_string()),
            published_index: image.published_index.map(|index| index.to_string()),
            not_compared: image.not_compared.iter().map(Platform::to_string).collect(),
            published_attestations: image.attestations,
            published_referrers: image.referrers,
            output: output.map(shown),
            platforms: image
                .platforms
                .iter()
                .map(|(evidence, verdict)| of_platform(image, evidence, verdict))
                .collect(),
            explanation: image
                .explanation
                .as_ref()
                .filter(|told| told.question != Question::Nothing)
                .map(explanation_document),
        });
        let error = ErrorDocument::of_worst(&verification.failures);
        Self {
            version: 1,
            status: verification.status().code(),
            checkout: verification.checked_out.as_ref().map(CheckoutDocument::of),
            origin: None,
            mirrors: verification.mirrors.iter().map(MirrorDocument::of).collect(),
            images: images.collect(),
            attested: None,
            untold: None,
            error,
        }
    }
}

fn of_platform(image: &project::VerifiedImage, evidence: &Evidence, verdict: &Verdict) -> VerifiedPlatform {
    let name = match verdict {
        Verdict::Reproduced => VerdictName::Reproduced,
        Verdict::SameContent => VerdictName::Content,
        Verdict::OpenNetwork { .. } => VerdictName::OpenNetwork,
        Verdict::Packaging(_) => VerdictName::Packaging,
        Verdict::Differs(..) | Verdict::NotPublished => VerdictName::Differs,
    };
    let platform = |facts| built_platform(&evidence.platform, facts);
    VerifiedPlatform {
        platform: evidence.platform.to_string(),
        verdict: Some(name),
        level: verdict.level().map(|level| level.to_string()),
        cause: image.cause(evidence, verdict),
        expected: Some(platform(&evidence.expected)),
        rebuilt: Some(platform(&evidence.rebuilt)),
        published: evidence
            .published
            .as_ref()
            .and_then(Option::as_ref)
            .map(|image| published_platform(&evidence.platform, image)),
        status: verdict.status().code(),
    }
}
