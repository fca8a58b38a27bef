//! What is asked for against the lockfile: one enum, one variant a reason.
//!
//! Values in, reasons out: nothing here can ask anybody. [`pins()`] and [`buildkit`] compare what manifest and
//! Dockerfile ask for with the pins (stale pins stop every build), [`tape()`] the tape's file, [`record()`] a tree with the
//! record (what `verify` and `build --locked` need). [`Stale`] makes an error of the reasons.

mod message;
mod pins;
mod record;
mod scrubbed;
mod tape;

pub use pins::{all, buildkit, pins};
pub use record::{TreeFacts, record};
pub use scrubbed::scrub_rules;
pub use tape::{TapeFile, tape};

use crate::digest::Digest;
use crate::epoch::Epoch;
use crate::escape;
use crate::finding::{Finding, Place, Severity};
use crate::lockfile::Fact;
use crate::platform::Platform;
use crate::scrub::RuleError;
use crate::status::{ExitStatus, Status};

/// One reason why the lockfile needs to be updated. `expected` is what is asked for now, `found` what the lockfile has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The lockfile knows nothing of the image.
    ImageNotLocked {
        /// The image.
        image: String,
    },
    /// The lockfile has an image that the manifest has not.
    ImageUnused {
        /// The image.
        image: String,
    },
    /// The Dockerfile or the manifest needs a source that is not locked.
    SourceNotLocked {
        /// The image.
        image: String,
        /// The source's key.
        source: String,
        /// Lines of the Dockerfile that name it; empty if the manifest does.
        lines: Vec<(u32, u32)>,
        /// Whether it is what reads the Dockerfile.
        is_frontend: bool,
    },
    /// A source is locked for the image, and nothing uses it.
    SourceUnused {
        /// The image.
        image: String,
        /// The source's key.
        source: String,
    },
    /// A platform of a source is needed and not pinned.
    PlatformNotPinned {
        /// The image.
        image: String,
        /// The source's key.
        source: String,
        /// The platform.
        platform: Platform,
    },
    /// The Dockerfile demands other bytes of a source than the pinned ones.
    ChecksumChanged {
        /// The image.
        image: String,
        /// The source's key.
        source: String,
        /// The Dockerfile's `--checksum`.
        expected: String,
        /// The pinned digest or commit.
        found: String,
    },
    /// A fact that the pins were made for has changed.
    RequestChanged {
        /// The image.
        image: String,
        /// The fact's key.
        fact: String,
        /// What the manifest asks for; none is the default.
        expected: Option<Fact>,
        /// What the pins were made for; none is the default.
        found: Option<Fact>,
    },
    /// The lockfile holds a scrub profile, or a list of one, that this version does not have.
    ScrubUnknown {
        /// The image.
        image: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// The manifest names another BuildKit image than the locked one.
    BuildkitChanged {
        /// What the manifest names.
        expected: Option<String>,
        /// What is locked.
        found: Option<String>,
    },
    /// The network of RUN is locked, and nothing was recorded.
    TapeNotLocked {
        /// The image.
        image: String,
    },
    /// A tape is locked for the image, which needs none.
    TapeUnused {
        /// The image.
        image: String,
    },
    /// The tape's file is not there.
    TapeMissing {
        /// The image.
        image: String,
        /// The locked digest.
        expected: Digest,
    },
    /// The tape's file is not the locked one.
    TapeChanged {
        /// The image.
        image: String,
        /// The locked digest.
        expected: Digest,
        /// That of the file.
        found: Digest,
    },
    /// The tape lacks a platform.
    TapePlatform {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
    },
    /// There is no record.
    RecordMissing {
        /// The image.
        image: String,
    },
    /// The record was made with other pins.
    RecordPins {
        /// The image.
        image: String,
        /// Digest of the pins now.
        expected: Digest,
        /// Digest of the pins that the record was made with.
        found: Digest,
    },
    /// The record was made of another context.
    RecordContext {
        /// The image.
        image: String,
        /// The named context; none for the main one.
        context: Option<String>,
        /// The context digest now; none if the build takes nothing from it.
        expected: Option<Digest>,
        /// The recorded one; none if the record does not know the context.
        found: Option<Digest>,
    },
    /// The record was made of another Dockerfile.
    RecordDockerfile {
        /// The image.
        image: String,
        /// Digest of the Dockerfile now.
        expected: Digest,
        /// The recorded one.
        found: Digest,
    },
    /// The record was made with another epoch than the manifest gives.
    RecordEpoch {
        /// The image.
        image: String,
        /// The manifest's epoch.
        expected: Epoch,
        /// The recorded one.
        found: Epoch,
    },
    /// The record lacks a platform.
    RecordPlatform {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
    },
}

impl Drift {
    /// The stable code of the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ImageNotLocked { .. } => "image-not-locked",
            Self::ImageUnused { .. } => "image-unused",
            Self::SourceNotLocked { .. } => "source-not-locked",
            Self::SourceUnused { .. } => "source-unused",
            Self::PlatformNotPinned { .. } => "platform-not-pinned",
            Self::ChecksumChanged { .. } => "checksum-changed",
            Self::RequestChanged { .. } => "request-changed",
            Self::ScrubUnknown { .. } => "scrub-unknown",
            Self::BuildkitChanged { .. } => "buildkit-changed",
            Self::TapeNotLocked { .. } => "tape-not-locked",
            Self::TapeUnused { .. } => "tape-unused",
            Self::TapeMissing { .. } => "tape-missing",
            Self::TapeChanged { .. } => "tape-changed",
            Self::TapePlatform { .. } => "tape-platform",
            Self::RecordMissing { .. } => "record-missing",
            Self::RecordPins { .. } => "record-pins",
            Self::RecordContext { .. } => "record-context",
            Self::RecordDockerfile { .. } => "record-dockerfile",
            Self::RecordEpoch { .. } => "record-epoch",
            Self::RecordPlatform { .. } => "record-platform",
        }
    }

    /// The image that it is about; none if it is about all.
    pub fn image(&self) -> Option<&str> {
        match self {
            Self::BuildkitChanged { .. } => None,
            Self::ImageNotLocked { image }
            | Self::ImageUnused { image }
            | Self::SourceNotLocked { image, .. }
            | Self::SourceUnused { image, .. }
            | Self::PlatformNotPinned { image, .. }
            | Self::ChecksumChanged { image, .. }
            | Self::RequestChanged { image, .. }
            | Self::ScrubUnknown { image, .. }
            | Self::TapeNotLocked { image }
            | Self::TapeUnused { image }
            | Self::TapeMissing { image, .. }
            | Self::TapeChanged { image, .. }
            | Self::TapePlatform { image, .. }
            | Self::RecordMissing { image }
            | Self::RecordPins { image, .. }
            | Self::RecordContext { image, .. }
            | Self::RecordDockerfile { image, .. }
            | Self::RecordEpoch { image, .. }
            | Self::RecordPlatform { image, .. } => Some(image),
        }
    }

    /// Whether it is about the record only: the pins fit, and a build may go on.
    pub fn is_of_record(&self) -> bool {
        self.code().starts_with("record-")
    }

    /// The reason as a finding; its fix is a command.
    pub fn finding(&self) -> Finding {
        let fix = match self.image() {
            Some(image) if self.is_of_record() => format!("`repro build --record {image}`"),
            _ => "`repro lock`".to_owned(),
        };
        Finding {
            code: self.code(),
            severity: Severity::Error,
            place: self.image().map_or(Place::Everywhere, |image| Place::Object(escape::text(image).into_owned())),
            message: message::of(self),
            fix: Some(fix),
        }
    }
}

/// The lockfile does not fit, for these reasons; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lockfile needs to be updated{}", .0.iter().map(|drift| format!("\n  {}", drift.finding())).collect::<String>())]
pub struct Stale(pub Vec<Drift>);

impl Stale {
    /// An error if there is any reason.
    pub fn unless_empty(drifts: Vec<Drift>) -> Result<(), Self> {
        if drifts.is_empty() { Ok(()) } else { Err(Self(drifts)) }
    }
}

impl ExitStatus for Stale {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        let mut fixes: Vec<String> = Vec::new();
        for fix in self.0.iter().filter_map(|drift| drift.finding().fix) {
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        fixes.sort_by_key(|fix| fix.contains("--record"));
        Some(format!("run {}", fixes.join(", then ")))
    }
}
