//! Every outside source that images need, with its pin.

use super::machine::Machine;
use super::online;
use super::open::Project;
use super::recipe;
use super::survey::platforms;
use super::warnings;
use crate::dockerfile::sources::Source;
use crate::lockfile::{Lockfile, WantedSource};
use crate::manifest::Image;
use crate::platform::Platform;
use crate::status::Failure;
use crate::survey::{LockedBases, Survey, SurveyError, build_platform, survey, wanted_source};

/// What was found in one image's Dockerfile.
pub struct Listing {
    /// The frontend image of `# syntax=`, as written.
    pub frontend: Option<String>,
    /// Its pin.
    pub frontend_pin: Option<String>,
    /// What the target takes bytes from, by platform; each with the digest or commit that it is locked to.
    pub used: Vec<(Source, Option<String>)>,
    /// Images whose configuration is asked for though none of their files are used.
    pub resolved_only: Vec<(Source, Option<String>)>,
    /// RUN instructions that the target executes, on the platform with most.
    pub runs: usize,
    /// Why there is no more.
    pub failure: Option<Failure>,
}

/// Lists the sources of the images that were asked for, offline; what is wrong with a Dockerfile is told with the image.
pub fn sources(
    machine: &Machine,
    project: &Project,
    names: &[String],
    asked: &[Platform],
) -> Result<Vec<Listing>, Failure> {
    let lockfile =
        project.lock_text(machine)?.and_then(|text| Lockfile::parse(&text, &machine.limits).ok()).unwrap_or_default();
    let resolver = online::offline_resolver(machine, project)?;
    let mut listings = Vec::new();
    for (name, image) in project.images(names)? {
        let source = recipe::Source::read(machine, project, image)?;
        let mut bases = LockedBases { lockfile: &lockfile, resolver: resolver.as_ref(), offline: true };
        let this = Platform { os: "linux".to_owned(), ..Platform::of_this_machine() };
        let build_platform = build_platform(image, lockfile.images.get(name), &this);
        let platforms = platforms(name, image, asked)?;
        let surveyed = source
            .parse(&machine.limits)
            .map_err(SurveyError::from)
            .and_then(|dockerfile| survey(image, &dockerfile, &platforms, &build_platform, &mut bases));
        listings.push(match surveyed {
            Ok(survey) => {
                warnings::tell(machine, &survey, &source.path);
                list(image, &survey, &lockfile)
            }
            Err(error) => unlisted(source.frontend(), source.failure(error)),
        });
    }
    Ok(listings)
}

fn list(image: &Image, survey: &Survey, lockfile: &Lockfile) -> Listing {
    let result = |wanted: &WantedSource| lockfile.pin(&wanted.key()).map(|pin| pin.result());
    let pinned = |source: &Source| (source.clone(), wanted_source(image, source).as_ref().and_then(result));
    let of_platforms = || survey.platforms.values().map(|taken| &taken.sources);
    Listing {
        frontend: survey.frontend.as_ref().map(|frontend| frontend.name.clone()),
        frontend_pin: survey.frontend.as_ref().and_then(|frontend| result(&frontend.wanted)),
        used: of_platforms().flat_map(|sources| &sources.used).map(pinned).collect(),
        resolved_only: of_platforms().flat_map(|sources| &sources.resolved_only).map(pinned).collect(),
        runs: survey.runs,
        failure: None,
    }
}

/// BuildKit looks for the frontend first: what comes after may be in that one's own language.
fn unlisted(frontend: Option<String>, failure: Failure) -> Listing {
    Listing {
        frontend,
        frontend_pin: None,
        used: Vec::new(),
        resolved_only: Vec::new(),
        runs: 0,
        failure: Some(failure),
    }
}
