//! The project that a command works on: its manifest, its lockfile, or a Dockerfile and flags in their place.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::arguments::Question;
use super::excerpt::point_into_manifest;
use super::session::Session;
use crate::escape;
use crate::input::open_regular;
use crate::lockfile::Lockfile;
use crate::manifest::{self, Image, Manifest};
use crate::status::{ExitStatus, Failure, Status};

/// The lockfile's name, beside the manifest.
pub const LOCKFILE: &str = "repro.lock";

/// A manifest and where it is.
pub struct Project {
    /// The manifest.
    pub manifest: Manifest,
    /// The manifest's path; none without one.
    pub manifest_path: Option<PathBuf>,
    /// The lockfile's path; none without a manifest.
    pub lock_path: Option<PathBuf>,
}

/// The project can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no manifest.
    #[error("no `repro.toml` in `{0}` or above it")]
    NoManifest(String),
    /// The manifest can't be looked for.
    #[error("cannot look for `repro.toml` from `{path}`: {error}")]
    Lookup {
        /// Where the search began, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The Dockerfile of a repository leads out of it.
    #[error("`{0}` leads out of the repository")]
    Outside(String),
    /// An image that the manifest does not have.
    #[error("no image is called `{name}`; the manifest has {}", known.join(", "))]
    NoImage {
        /// What was asked for, safe to print.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several images where one is needed.
    #[error("which image? The manifest has {}", known.join(", "))]
    WhichImage {
        /// What there is.
        known: Vec<String>,
    },
    /// A platform that the image does not have.
    #[error("image `{image}` has no platform `{platform}`")]
    NoPlatform {
        /// The image.
        image: String,
        /// What was asked for.
        platform: String,
    },
    /// A file can't be read.
    #[error("cannot read `{path}`: {error}")]
    Unreadable {
        /// The file, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file that should be text is not.
    #[error("`{0}` is not UTF-8")]
    NotText(String),
    /// The lockfile is missing.
    #[error("no `{LOCKFILE}` beside the manifest")]
    NoLockfile,
}

impl ExitStatus for ProjectError {
    fn status(&self) -> Status {
        match self {
            Self::NoLockfile => Status::Lock,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => Some("`repro init` writes one; `--dockerfile FILE` works without".to_owned()),
            Self::NoLockfile => Some("`repro lock` writes it".to_owned()),
            _ => None,
        }
    }
}

impl Project {
    /// Finds and reads the manifest, or makes one of `--dockerfile` and its flags.
    pub fn open(session: &Session, question: Option<&Question>) -> Result<Self, Failure> {
        if let Some(question) = question
            && let Some(dockerfile) = &question.dockerfile
        {
            return Self::without_manifest(session, question, dockerfile);
        }
        let found = manifest::find(&session.directory)
            .map_err(|error| ProjectError::Lookup { path: shown(&session.directory), error })?
            .ok_or_else(|| ProjectError::NoManifest(shown(&session.directory)))?;
        let text = read_text(&found.file, session.limits.manifest_file)?;
        let read_link = |path: &Path| fs::read_link(path).ok();
        let manifest = Manifest::parse_with(&text, &found.file, &found.root, &read_link, &session.limits)
            .map_err(|errors| point_into_manifest(&errors))?;
        let lock_path = found.file.with_file_name(LOCKFILE);
        Ok(Self { manifest, manifest_path: Some(found.file), lock_path: Some(lock_path) })
    }

    fn without_manifest(session: &Session, question: &Question, dockerfile: &Path) -> Result<Self, Failure> {
        let dockerfile = session.resolve(dockerfile);
        if leads_out(&dockerfile) {
            return Err(ProjectError::Outside(shown(&session.near(&dockerfile))).into());
        }
        let folder = dockerfile.parent().unwrap_or(&session.directory);
        let context = question.context.as_ref().map_or_else(|| folder.to_owned(), |path| session.resolve(path));
        let manifest = super::flags::manifest(session, question, &dockerfile, &context)?;
        Ok(Self { manifest, manifest_path: None, lock_path: None })
    }

    /// The images that were asked for, all if none was named, in the manifest's order.
    pub fn images(&self, names: &[String]) -> Result<Vec<(&String, &Image)>, ProjectError> {
        if let Some(name) = names.iter().find(|name| !self.manifest.images.contains_key(*name)) {
            return Err(ProjectError::NoImage {
                name: escape::text(name).into_owned(),
                known: self.manifest.images.keys().map(|name| format!("`{name}`")).collect(),
            });
        }
        Ok(self.manifest.images.iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect())
    }

    /// The lockfile's text; none if there is no file.
    pub fn lock_text(&self, session: &Session) -> Result<Option<String>, Failure> {
        let Some(path) = &self.lock_path else { return Ok(None) };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Ok(Some(read_text(path, session.limits.lock_file)?)),
        }
    }

    /// The lockfile; an error with status 3 if there is none.
    pub fn lockfile(&self, session: &Session) -> Result<Lockfile, Failure> {
        let text = self.lock_text(session)?.ok_or(ProjectError::NoLockfile)?;
        Ok(Lockfile::parse(&text)?)
    }
}

/// Whether a file of a repository is a link to a file elsewhere, whose text is not the repository's to show.
fn leads_out(file: &Path) -> bool {
    let Some(folder) = file.parent().and_then(|folder| folder.canonicalize().ok()) else { return false };
    let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else { return false };
    file.canonicalize().is_ok_and(|target| !target.starts_with(root))
}

/// A path for messages.
pub fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

/// Reads a file of at most `limit` bytes.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let fail = |error| ProjectError::Unreadable { path: shown(path), error };
    let file = open_regular(path).map_err(|error| fail(dangling(path).unwrap_or(error)))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// What is wrong with a link to nothing: the link is there, so that its own name would mislead.
fn dangling(path: &Path) -> Option<io::Error> {
    let target = fs::read_link(path).ok().filter(|_| !path.exists())?;
    // A circle of links has an error of its own.
    let is_missing = path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    is_missing.then(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("it is a link to `{}`, which is not there", shown(&target)))
    })
}

pub fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    Ok(String::from_utf8(read_file(path, limit)?).map_err(|_| ProjectError::NotText(shown(path)))?)
}

/// Names and values of flags as a map; the last one wins.
pub fn pairs(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}
