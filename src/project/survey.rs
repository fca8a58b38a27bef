//! What the manifest's images ask for: their Dockerfiles, surveyed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::ProjectError;
use super::machine::Machine;
use super::open::Project;
use super::recipe::{Source, WrongDockerfile};
use super::warnings;
use crate::context;
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::{DockerfileError, frontend};
use crate::lockfile::{Lockfile, Wanted, WantedImage};
use crate::manifest::Image;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::resolve::Resolver;
use crate::status::Failure;
use crate::survey::{self, LockedBases, Survey, SurveyError};

/// One image with its Dockerfile, surveyed.
#[derive(Clone)]
pub struct Surveyed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its table in the manifest.
    pub image: &'a Image,
    /// The Dockerfile.
    pub dockerfile: Arc<Dockerfile>,
    /// The path of the Dockerfile, or of the manifest in place of one, for messages: as the user would write it.
    pub dockerfile_path: PathBuf,
    /// What BUILDPLATFORM means.
    pub build_platform: Platform,
    /// What it asks for.
    pub survey: Survey,
}

impl<'a> Surveyed<'a> {
    /// Reads and surveys an image's Dockerfile.
    pub fn read(
        machine: &Machine,
        project: &Project,
        lockfile: &Lockfile,
        resolver: Option<&Resolver>,
        (name, image): (&'a String, &'a Image),
    ) -> Result<Self, Failure> {
        let source = Source::read(machine, project, image)?;
        let pointed = |error| source.failure(error);
        let dockerfile = source.parse(&machine.limits).map_err(|error| pointed(SurveyError::from(error)))?;
        let this = Platform { os: "linux".to_owned(), ..Platform::of_this_machine() };
        let build_platform = survey::build_platform(image, lockfile.images.get(name), &this);
        let mut bases = LockedBases { lockfile, resolver, offline: machine.offline };
        let survey =
            survey::survey(image, &dockerfile, &image.platforms, &build_platform, &mut bases).map_err(pointed)?;
        warnings::tell(machine, &survey, &source.path);
        Ok(Self { name, image, dockerfile: dockerfile.into(), dockerfile_path: source.path, build_platform, survey })
    }

    /// The failure of a context: a path of the Dockerfile that is no pattern is shown where it stands.
    pub fn of_context(&self, error: context::Error) -> Failure {
        let context::Error::Path { context, asked, error: invalid } = &error else { return error.into() };
        let key = (context.clone(), asked.clone());
        let platforms = self.survey.platforms.values();
        let Some(lines) = platforms.filter_map(|taken| taken.sources.naming.get(&key)).min() else {
            return error.into();
        };
        let hint =
            "a bracket in a name is written `\\[`; the JSON form needs double quotes, and commas between its words";
        WrongDockerfile {
            path: self.dockerfile_path.clone(),
            text: self.dockerfile.bytes.clone(),
            error: DockerfileError::of_path(invalid.to_string(), *lines),
            hint: Some(hint.to_owned()),
        }
        .into()
    }

    /// What the manifest says reads the Dockerfile, and what the Dockerfile names itself.
    pub fn chosen_frontend(&self) -> Option<(String, Option<String>)> {
        let chosen = self.image.frontend.as_ref()?;
        Some((chosen.to_string(), frontend(&self.dockerfile.bytes)))
    }

    /// What the lockfile should hold for the image.
    pub fn wanted(&self) -> WantedImage {
        let build_platform = Some(&self.build_platform).filter(|_| self.survey.uses_build_platform);
        let request = survey::expected_request(self.image, build_platform);
        WantedImage { sources: self.survey.wanted(&self.image.platforms).cloned().collect(), request }
    }
}

/// Surveys every image of the project; all errors are gathered, the first one is given back with the rest printed.
pub fn survey_all<'a>(
    machine: &Machine,
    project: &'a Project,
    lockfile: &Lockfile,
    resolver: Option<&Resolver>,
    names: &[String],
) -> Result<Vec<Surveyed<'a>>, Failure> {
    let images = project.images(names)?;
    images.into_iter().map(|image| Surveyed::read(machine, project, lockfile, resolver, image)).collect()
}

/// What the lockfile should hold for these images, and what it holds for the others of the manifest.
pub fn wanted(project: &Project, surveyed: &[Surveyed<'_>]) -> Result<Wanted, Failure> {
    let buildkit = project.manifest.buildkit.image.as_deref().map(str::parse::<Reference>).transpose()?;
    let images: BTreeMap<String, WantedImage> =
        surveyed.iter().map(|image| (image.name.to_owned(), image.wanted())).collect();
    let kept: BTreeSet<String> =
        project.manifest.images.keys().filter(|name| !images.contains_key(*name)).cloned().collect();
    Ok(Wanted { buildkit: buildkit.map(|reference| reference.with_default_tag().to_string()), images, kept })
}

/// The platforms to work on: those that were asked for, which the image must have, else all.
pub fn platforms(name: &str, image: &Image, asked: &[Platform]) -> Result<Vec<Platform>, ProjectError> {
    if let Some(platform) = asked.iter().find(|platform| !image.platforms.contains(platform)) {
        return Err(ProjectError::NoPlatform { image: name.to_owned(), platform: platform.to_string() });
    }
    let wanted = |platform: &&Platform| asked.is_empty() || asked.contains(platform);
    Ok(image.platforms.iter().filter(wanted).cloned().collect())
}
