//! What one run has of the machine that it is on, and what it may do there: values that `cli` read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::build::{Surroundings, WorkDirectories};
use crate::cancel::Cancel;
use crate::limits::Limits;
use crate::progress::Reporter;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::Cache;
use crate::vendor::Folder;

/// The surroundings of every operation.
#[derive(Clone)]
pub struct Machine {
    /// Where the user stands, `-C` applied; absolute.
    pub directory: PathBuf,
    /// The environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// Seconds since 1970 when the run began.
    pub now: u64,
    /// No host may be asked.
    pub offline: bool,
    /// Limits with the user's own applied.
    pub limits: Limits,
    /// A vendor folder that sources are taken from, if one was named.
    pub vendor: Option<Vendored>,
    /// Progress, warnings, notes.
    pub progress: Reporter,
    /// Set when the work should stop.
    pub cancel: Cancel,
}

/// A vendor folder, and what it is to a command.
#[derive(Clone, Debug)]
pub struct Vendored {
    /// The folder.
    pub folder: Arc<Folder>,
    /// Whether sources come from it and from nowhere else.
    pub is_only: bool,
}

/// There is no place for the cache.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error(
        "no directory for the cache: none of `REPRO_CACHE`, `XDG_CACHE_HOME` and `HOME` is set to an absolute path"
    )]
    NoHome,
    #[error("`REPRO_CACHE`: `{}` is no absolute path", crate::escape::bytes(.0.as_os_str().as_encoded_bytes()))]
    Relative(PathBuf),
}

impl ExitStatus for CacheError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Machine {
    /// The same surroundings, in which no host may be asked.
    pub fn without_network(&self) -> Self {
        Self { offline: true, ..self.clone() }
    }

    /// The same surroundings, in which sources come from the vendor folder at `path` and from nowhere else.
    pub fn with_vendor_only(&self, path: &Path) -> Result<Self, Failure> {
        let folder = Arc::new(Folder::open(&self.resolve(path), &self.limits)?);
        Ok(Self { offline: true, vendor: Some(Vendored { folder, is_only: true }), ..self.clone() })
    }

    /// A variable of the environment; empty counts as unset.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A path relative to where the user stands, made absolute.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// An absolute path as the user would write it here: relative where that is no longer.
    pub fn near(&self, path: &Path) -> PathBuf {
        let here: Vec<_> = self.directory.components().collect();
        let there: Vec<_> = path.components().collect();
        let same = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
        if !path.is_absolute() || same <= 1 {
            return path.to_owned();
        }
        let up = std::iter::repeat_n(Component::ParentDir, here.len() - same);
        let relative: PathBuf = up.chain(there[same..].iter().copied()).collect();
        if relative.as_os_str().len() <= path.as_os_str().len() { relative } else { path.to_owned() }
    }

    /// The directory for everything that can be made again.
    pub fn cache_directory(&self) -> Result<PathBuf, Failure> {
        let absolute = |name: &str| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if let Some(chosen) = self.variable("REPRO_CACHE").map(PathBuf::from)
            && !chosen.is_absolute()
        {
            return Err(CacheError::Relative(chosen).into());
        }
        let directory = absolute("REPRO_CACHE")
            .or_else(|| absolute("XDG_CACHE_HOME").map(|cache| cache.join("repro")))
            .or_else(|| absolute("HOME").map(|home| home.join(".cache").join("repro")))
            .ok_or(CacheError::NoHome)?;
        // What came from elsewhere earlier is no help to a build that is to need nothing else.
        let is_apart = self.vendor.as_ref().is_some_and(|vendor| vendor.is_only);
        Ok(if is_apart { directory.join("vendored") } else { directory })
    }

    /// The content-addressed cache, with what a vendor folder lends.
    pub fn cache(&self) -> Result<Cache, Failure> {
        let cache = Cache::new(&self.cache_directory()?);
        Ok(match &self.vendor {
            Some(Vendored { folder, is_only }) => cache.lending(folder.blobs(), *is_only),
            None => cache,
        })
    }

    /// The same, as a build sees them.
    pub fn around<'a>(&'a self, work: &'a dyn WorkDirectories) -> Surroundings<'a> {
        Surroundings { work, progress: self.progress.clone(), cancel: self.cancel.clone(), limits: &self.limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::progress::Silent;

    fn machine(variables: &[(&str, &str)]) -> Machine {
        Machine {
            directory: PathBuf::from("/home/user/code/app"),
            environment: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            now: 0,
            offline: false,
            vendor: None,
            limits: Limits::default(),
            progress: Arc::new(Silent),
            cancel: Cancel::default(),
        }
    }

    #[test]
    fn a_path_is_shown_relative_where_that_is_no_longer() {
        for (path, want) in [
            ("/home/user/code/app/Dockerfile", "Dockerfile"),
            ("/home/user/code/app/docker/Dockerfile", "docker/Dockerfile"),
            ("/home/user/code/lib/Dockerfile", "../lib/Dockerfile"),
            ("/home/user/x", "../../x"),
            ("/home/x", "/home/x"),
            ("/etc/x", "/etc/x"),
            ("x", "x"),
        ] {
            assert_eq!(machine(&[]).near(Path::new(path)), Path::new(want), "{path}");
        }
    }

    #[test]
    fn the_cache_is_where_the_first_absolute_path_says() {
        let all = [("REPRO_CACHE", "/r"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        for (variables, want) in [
            (&all[..], Some("/r")),
            (&all[1..], Some("/x/repro")),
            (&all[2..], Some("/h/.cache/repro")),
            (&[("REPRO_CACHE", ""), ("XDG_CACHE_HOME", "x"), ("HOME", "/h")], Some("/h/.cache/repro")),
            (&[], None),
        ] {
            assert_eq!(machine(variables).cache_directory().ok().as_deref(), want.map(Path::new), "{variables:?}");
        }
    }
}
