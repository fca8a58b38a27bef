//! What one image of the manifest asks for, found by reading its Dockerfile the way BuildKit does.

use std::collections::BTreeMap;

use super::bases::LockedBases;
use super::contexts::{context_key, specifier};
use super::sources::{frontend_source, wanted_sources};
use crate::dockerfile::sources::{Origin, Source, Sources};
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::target::{self, Question, Target};
use crate::dockerfile::{DockerfileError, Warning};
use crate::lockfile::WantedSource;
use crate::manifest::{EpochSource, Image};
use crate::platform::Platform;
use crate::reference::InvalidReference;
use crate::resolve::ResolveError;
use crate::status::{ExitStatus, Status};

/// What one image asks for.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Which paths of each context the target can reach, none for all; contexts that it does not reach are absent.
    pub reached: BTreeMap<String, Option<Vec<String>>>,
    /// Whether the result depends on the platform that builds.
    pub uses_build_platform: bool,
    /// RUN instructions that the target executes, on the platform with most.
    pub runs: usize,
    /// The frontend image that the Dockerfile names, if it does.
    pub frontend: Option<Frontend>,
    /// BuildKit's warnings about it, in the order of the lines; none stands twice.
    pub warnings: Vec<Warning>,
    /// What each platform takes.
    pub platforms: BTreeMap<Platform, Taken>,
}

/// The frontend image of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Frontend {
    /// As `# syntax=` names it.
    pub name: String,
    /// As it is locked.
    pub wanted: WantedSource,
}

/// What one platform's target takes.
#[derive(Clone, Debug)]
pub struct Taken {
    /// As `repro sources` lists it.
    pub sources: Sources,
    /// The outside sources of it, as they are locked.
    pub wanted: Vec<WantedSource>,
}

/// The Dockerfile of an image can't be surveyed.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The Dockerfile is wrong.
    #[error(transparent)]
    Dockerfile(#[from] DockerfileError),
    /// `# syntax=` names no image.
    #[error("`# syntax=`: {0}")]
    Frontend(#[from] InvalidReference),
    /// A base image's configuration can't be had.
    #[error(transparent)]
    Base(#[from] ResolveError),
}

/// A platform that no machine is likely to be: where it changes nothing, the build platform is not used.
const ELSEWHERE: &str = "repro/elsewhere";

/// Surveys `image`, whose Dockerfile is `dockerfile`, for `platforms` as built on `build_platform`.
pub fn survey(
    image: &Image,
    dockerfile: &Dockerfile,
    platforms: &[Platform],
    build_platform: &Platform,
    bases: &mut LockedBases<'_>,
) -> Result<Survey, SurveyError> {
    let mut survey = Survey {
        reached: BTreeMap::new(),
        uses_build_platform: false,
        runs: 0,
        frontend: None,
        warnings: Vec::new(),
        platforms: BTreeMap::new(),
    };
    for platform in platforms {
        let target = find_target(image, dockerfile, platform, build_platform, bases)?;
        if target.asks_for_builder
            && !survey.uses_build_platform
            && let Ok(elsewhere) = ELSEWHERE.parse()
        {
            let other = find_target(image, dockerfile, platform, &elsewhere, bases);
            survey.uses_build_platform = !other.is_ok_and(|other| other.stages == target.stages);
        }
        let sources = Sources::of(&target);
        survey.warn(target.warnings);
        survey.runs = survey.runs.max(sources.runs);
        sources.used.iter().for_each(|source| survey.reach(source));
        let wanted = wanted_sources(image, &sources);
        survey.platforms.insert(platform.clone(), Taken { sources, wanted });
    }
    if let Some(name) = &dockerfile.syntax {
        survey.frontend = Some(Frontend { name: name.clone(), wanted: frontend_source(name)? });
    }
    Ok(survey)
}

impl Survey {
    /// The outside sources that the target needs on these platforms, one platform after the other.
    pub fn wanted<'a>(&'a self, platforms: &'a [Platform]) -> impl Iterator<Item = &'a WantedSource> {
        let of_platforms = platforms.iter().filter_map(|platform| self.platforms.get(platform));
        let frontend = self.frontend.iter().map(|frontend| &frontend.wanted);
        of_platforms.flat_map(|taken| &taken.wanted).chain(frontend)
    }

    fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        self.warnings.sort_by_key(|warning| warning.lines);
    }

    fn reach(&mut self, source: &Source) {
        let Origin::Local { name, paths } = &source.origin else { return };
        let reached = self.reached.entry(name.clone()).or_insert_with(|| Some(Vec::new()));
        match (reached.as_mut(), paths) {
            // No paths are all paths, as BuildKit takes them.
            (Some(known), Some(more)) if !more.is_empty() => {
                known.extend(more.iter().cloned());
                known.sort();
                known.dedup();
            }
            _ => *reached = None,
        }
    }
}

fn find_target(
    image: &Image,
    dockerfile: &Dockerfile,
    platform: &Platform,
    build_platform: &Platform,
    bases: &mut LockedBases<'_>,
) -> Result<Target, SurveyError> {
    let mut build_args = image.args.clone();
    if let EpochSource::Fixed(epoch) = image.source_date_epoch {
        build_args.insert("SOURCE_DATE_EPOCH".to_owned(), epoch.to_string());
    }
    let question = Question {
        target: image.target.clone().unwrap_or_default(),
        platform: platform.clone(),
        build_platform: build_platform.clone(),
        build_args,
        contexts: image
            .files
            .contexts
            .iter()
            .map(|(name, context)| (context_key(name), specifier(name, context)))
            .collect(),
    };
    target::resolve(dockerfile, &question, bases).map_err(|error| match error {
        target::ResolveError::Dockerfile(error) => SurveyError::Dockerfile(error),
        target::ResolveError::Base { source, .. } => SurveyError::Base(source),
    })
}

impl ExitStatus for SurveyError {
    fn status(&self) -> Status {
        match self {
            Self::Dockerfile(error) => error.status(),
            Self::Frontend(_) => Status::Usage,
            Self::Base(error) => error.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Dockerfile(error) => error.hint(),
            Self::Frontend(_) => None,
            Self::Base(error) => error.hint(),
        }
    }
}
