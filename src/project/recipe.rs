//! What says how an image is built: its Dockerfile, or the one that stands for its layers.

use std::path::{Path, PathBuf};

use super::files::{read_file, read_text, shown};
use super::machine::Machine;
use super::open::Project;
use crate::context::{NOT_IN_CONTEXT, Tree};
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::{DockerfileError, frontend, parse};
use crate::escape;
use crate::limits::Limits;
use crate::manifest::{FILE_NAME, Files, Frontend, Image, LayerPath, Recipe, Written};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::status::{ExitStatus, Failure, Status};
use crate::survey::SurveyError;

/// A Dockerfile is wrong, with all that it takes to show where.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", shown(path))]
pub struct WrongDockerfile {
    /// As the user would write it.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
    /// What is wrong.
    pub error: DockerfileError,
    /// What to do about it, where the error itself doesn't tell.
    pub hint: Option<String>,
}

impl ExitStatus for WrongDockerfile {
    fn status(&self) -> Status {
        self.error.status()
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone().or_else(|| self.error.hint())
    }
}

/// A Dockerfile's text, and where people find it.
pub struct Source {
    /// The file to look into, as the user would write it.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The Dockerfile that the manifest's layers stand for, where `path` is the manifest.
    written: Option<Written>,
    /// What the manifest says reads it.
    frontend: Option<Frontend>,
}

impl Source {
    /// Reads the recipe of an image.
    pub fn read(machine: &Machine, project: &Project, image: &Image) -> Result<Self, Failure> {
        let root = &project.manifest.root;
        match &image.files.recipe {
            Recipe::Dockerfile(dockerfile) => {
                let path = root.join(dockerfile);
                let text = read_file(&path, machine.limits.dockerfile)?;
                Ok(Self { path: machine.near(&path), text, written: None, frontend: image.frontend.clone() })
            }
            Recipe::Layers(layers) => {
                let path = project.manifest_path.clone().unwrap_or_else(|| root.join(FILE_NAME));
                let text = read_text(&path, machine.limits.manifest_file)?.into_bytes();
                let written = layers.dockerfile(&image.platforms);
                Ok(Self { path: machine.near(&path), text, written: Some(written), frontend: None })
            }
        }
    }

    /// Reads a Dockerfile that no manifest names.
    pub fn of_file(machine: &Machine, path: &Path) -> Result<Self, Failure> {
        let path = machine.resolve(path);
        let text = read_file(&path, machine.limits.dockerfile)?;
        Ok(Self::of_text(machine.near(&path), text))
    }

    /// A Dockerfile that is given.
    pub fn of_text(path: PathBuf, text: Vec<u8>) -> Self {
        Self { path, text, written: None, frontend: None }
    }

    /// The same, read by what a manifest says.
    pub fn read_by(self, frontend: Option<Frontend>) -> Self {
        Self { frontend, ..self }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: Vec<u8>) -> Self {
        Self { path: self.path.clone(), text, written: None, frontend: self.frontend.clone() }
    }

    /// The Dockerfile's bytes.
    pub fn dockerfile(&self) -> &[u8] {
        self.written.as_ref().map_or(&self.text, |written| written.text.as_bytes())
    }

    /// The Dockerfile; its lines are those of the file to look into.
    pub fn parse(&self, limits: &Limits) -> Result<Dockerfile, DockerfileError> {
        let Some(written) = &self.written else {
            return parse(&self.text, limits).map(|dockerfile| Dockerfile { syntax: self.frontend(), ..dockerfile });
        };
        let of_manifest = |line: u32| {
            let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
            index.and_then(|index| written.lines.get(index)).copied().unwrap_or_default()
        };
        let parsed = parse(written.text.as_bytes(), limits);
        parsed.map(|dockerfile| dockerfile.with_lines(&of_manifest)).map_err(|error| error.with_lines(&of_manifest))
    }

    /// The image that reads the Dockerfile; none for the builder's own frontend.
    pub fn frontend(&self) -> Option<String> {
        match &self.frontend {
            Some(chosen) => chosen.image().map(str::to_owned),
            None => frontend(self.dockerfile()),
        }
    }

    /// The failure of this recipe.
    pub fn failure(&self, error: SurveyError) -> Failure {
        let SurveyError::Dockerfile(mut error) = error else { return error.into() };
        let foreign = self.frontend().filter(|frontend| !error.is_limit && !reads_dockerfiles(frontend));
        let hint = foreign.map(|frontend| {
            let frontend = escape::text(&frontend).into_owned();
            error.suggestion = None;
            format!(
                "the frontend `{frontend}` decides what it reads, and only files in the Dockerfile language can be locked"
            )
        });
        WrongDockerfile { path: self.path.clone(), text: self.text.clone(), error, hint }.into()
    }
}

/// Whether a frontend reads the language of Dockerfiles and nothing else: docker's own, wherever it is copied to.
fn reads_dockerfiles(frontend: &str) -> bool {
    let Ok(reference) = frontend.parse::<Reference>() else { return true };
    let path = reference.path();
    matches!(path.rsplit('/').next(), Some("dockerfile" | "dockerfile-upstream"))
}

/// The manifest names a file that the context does not hold.
#[derive(Debug, thiserror::Error)]
#[error("{manifest}:{line}: image `{image}`: `{path}` is not in the context{}", platform.as_ref().map(|platform| format!(" ({platform})")).unwrap_or_default())]
struct Missing {
    manifest: String,
    line: u32,
    image: String,
    path: String,
    platform: Option<Platform>,
}

impl ExitStatus for Missing {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(NOT_IN_CONTEXT.to_owned())
    }
}

/// Refuses layers of `image`, called `name`, that name what the context does not hold.
pub fn check_paths(
    files: &Files,
    context: &Tree,
    platforms: &[Platform],
    (name, manifest): (&str, &PathBuf),
) -> Result<(), Failure> {
    let Recipe::Layers(layers) = &files.recipe else { return Ok(()) };
    for layer in &layers.layers {
        for platform in platforms {
            if let Some(path) = layer.paths(platform).iter().find(|path| !holds(context, path)) {
                let missing = Missing {
                    manifest: shown(manifest),
                    line: path.line,
                    image: name.to_owned(),
                    path: escape::text(&path.path).into_owned(),
                    platform: layer.is_apart().then(|| platform.clone()),
                };
                return Err(missing.into());
            }
        }
    }
    Ok(())
}

/// Whether a context holds a path: as a directory with something in it, if its content is meant.
fn holds(context: &Tree, path: &LayerPath) -> bool {
    let mut below = path.path.clone().into_bytes();
    if !below.is_empty() {
        below.push(b'/');
    }
    let at = context.entries.partition_point(|entry| entry.path < below);
    let has_content = context.entries.get(at).is_some_and(|entry| entry.path.starts_with(&below));
    let is_there = || context.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path.path.as_bytes())).is_ok();
    has_content || !path.is_content && is_there()
}
