//! What one image of the manifest asks for, found by reading its Dockerfile the way BuildKit does.

use std::collections::BTreeMap;

use super::bases::{LockedBases, NoBase};
use super::wanted::{frontend_source, wanted_sources};
use crate::digest::Digest;
use crate::dockerfile::DockerfileError;
use crate::dockerfile::sources::{Origin, Source, Sources};
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::target::{Question, ResolveError, Target, resolve};
use crate::lockfile::WantedSource;
use crate::manifest::{EpochSource, Image, NamedContext};
use crate::platform::Platform;
use crate::reference::{InvalidReference, Reference};
use crate::status::{ExitStatus, Status};

/// What one image asks for.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The outside sources that its target needs on any of its platforms.
    pub sources: Vec<WantedSource>,
    /// Which paths of each context the target can reach, none for all; contexts that it does not reach are absent.
    pub reached: BTreeMap<String, Option<Vec<String>>>,
    /// Whether the result depends on the platform that builds.
    pub uses_build_platform: bool,
    /// RUN instructions that the target executes, on the platform with most.
    pub runs: usize,
    /// The frontend image as the Dockerfile names it, if it does.
    pub frontend: Option<String>,
    /// What each platform takes, as `repro sources` lists it.
    pub platforms: BTreeMap<Platform, Sources>,
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
    Base(#[from] NoBase),
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
        sources: Vec::new(),
        reached: BTreeMap::new(),
        uses_build_platform: false,
        runs: 0,
        frontend: dockerfile.syntax.clone(),
        platforms: BTreeMap::new(),
    };
    for platform in platforms {
        let target = find_target(image, dockerfile, platform, build_platform, bases)?;
        if let Ok(elsewhere) = ELSEWHERE.parse() {
            let other = find_target(image, dockerfile, platform, &elsewhere, bases);
            survey.uses_build_platform |= !other.is_ok_and(|other| other.stages == target.stages);
        }
        let sources = Sources::of(&target);
        survey.runs = survey.runs.max(sources.runs);
        sources.used.iter().for_each(|source| survey.reach(source));
        survey.sources.extend(wanted_sources(image, &sources));
        survey.platforms.insert(platform.clone(), sources);
    }
    if let Some(name) = &survey.frontend {
        survey.sources.push(frontend_source(name)?);
    }
    Ok(survey)
}

impl Survey {
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
        contexts: image.contexts.iter().map(|(name, context)| (key(name), specifier(name, context))).collect(),
    };
    resolve(dockerfile, &question, bases).map_err(|error| match error {
        ResolveError::Dockerfile(error) => SurveyError::Dockerfile(error),
        ResolveError::Base { source, .. } => SurveyError::Base(source),
    })
}

/// A context's name as BuildKit looks for it: in familiar form, without `:latest`; `::PLATFORM` stays behind it.
pub fn key(name: &str) -> String {
    let (name, platform) = name.split_once("::").map_or((name, None), |(name, platform)| (name, Some(platform)));
    let familiar = name.parse::<Reference>().map_or_else(|_| name.to_owned(), |reference| reference.familiar());
    let familiar = familiar.strip_suffix(":latest").unwrap_or(&familiar);
    platform.map_or_else(|| familiar.to_owned(), |platform| format!("{familiar}::{platform}"))
}

/// A named context as BuildKit takes it; a layout's store is named after the context.
fn specifier(name: &str, context: &NamedContext) -> String {
    match context {
        NamedContext::Local(_) => format!("local:{name}"),
        NamedContext::Image(reference) => format!("docker-image://{reference}"),
        // The digest is the lockfile's business; any will do to tell that the layout is used.
        NamedContext::Layout { .. } => format!("oci-layout://{}@{}", store_of(name), Digest::from_bytes([0; 32])),
        NamedContext::Http(address) | NamedContext::Git(address) => address.clone(),
    }
}

/// The store that stands for a context's layout; BuildKit would take what follows a colon for a tag.
fn store_of(name: &str) -> String {
    name.replace(':', "%3A")
}

/// The context whose layout a store stands for.
pub(super) fn context_of(store: &str) -> String {
    store.replace("%3A", ":")
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
