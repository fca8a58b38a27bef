//! What all statements of one run share.

use std::path::Path;

use super::super::open::Project;
use super::asked::LockAtHand;
use super::origin::Origin;
use super::place::PublishedPlace;
use crate::digest::Digest;
use crate::manifest::Image;

/// What all statements of one run share.
pub struct Run<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its lockfile.
    pub lock: LockAtHand,
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Where it comes from.
    pub origin: Origin,
    /// Who builds.
    pub builder: &'a str,
    /// Who verifies.
    pub verifier: &'a str,
    /// What was compared with.
    pub against: Option<&'a str>,
    /// What of earlier builds was used.
    pub cache: &'static str,
    /// When the run began and ended.
    pub times: [String; 2],
    /// Whether no host was asked.
    pub offline: bool,
    /// Payloads that a `PASSED` withdraws.
    pub supersedes: &'a [Digest],
}

impl Run<'_> {
    /// What the manifest says of an image.
    pub fn image(&self, name: &str) -> Option<&Image> {
        self.project.manifest.images.get(name)
    }

    /// What an image is called.
    pub fn place(&self, name: &str) -> PublishedPlace {
        let repository = self.image(name).and_then(|image| image.publication.repository.as_deref());
        PublishedPlace::of(name, self.against, repository)
    }

    fn name(file: Option<&Path>) -> String {
        file.and_then(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The manifest's and the lockfile's names.
    pub fn files(&self) -> [String; 2] {
        [Self::name(self.project.manifest_path.as_deref()), Self::name(self.project.lock_path.as_deref())]
    }
}
