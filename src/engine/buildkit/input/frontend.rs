//! Frontends that can't be used: those that don't know secrets as variables, where RUN is given some.

use semver::Version;

use crate::build::{Plan, injected};
use crate::engine::buildkit::failure::BuildKitError;
use crate::reference::Reference;
use crate::status::Status;

/// The first BuildKit whose own frontend, Dockerfile 1.10, gives secrets as variables.
const BUILDKIT: Version = Version::new(0, 16, 0);
/// The first such frontend of its own.
const FRONTEND: (u64, u64) = (1, 10);

/// Refuses frontends that don't know secrets as variables.
pub fn check(plan: &Plan) -> Result<(), BuildKitError> {
    if injected(plan).is_empty() {
        return Ok(());
    }
    let named = plan.parameters.args.get("BUILDKIT_SYNTAX").cloned().or_else(|| plan.inputs.dockerfile.syntax.clone());
    let Some(named) = named.filter(|name| is_too_old(name)) else { return Ok(()) };
    Err(BuildKitError::Refused {
        message: format!(
            "image `{}`: the frontend `{}` can't give variables to RUN, expected Dockerfile {}.{} or newer",
            plan.image,
            crate::escape::text(&named),
            FRONTEND.0,
            FRONTEND.1,
        ),
        fix: "write `# syntax=docker/dockerfile:1.10` or a newer one, or leave the line out".to_owned(),
        status: Status::Engine,
    })
}

/// Refuses a daemon whose own frontend does not know secrets as variables.
pub fn check_daemon(plan: &Plan, version: &str) -> Result<(), BuildKitError> {
    let uses_own = plan.inputs.dockerfile.syntax.is_none() && !plan.parameters.args.contains_key("BUILDKIT_SYNTAX");
    let known = Version::parse(version.trim_start_matches('v')).ok();
    if injected(plan).is_empty() || !uses_own || known.is_none_or(|version| version >= BUILDKIT) {
        return Ok(());
    }
    Err(BuildKitError::Unusable {
        message: format!(
            "BuildKit is `{}`, which can't give variables to RUN: expected v{BUILDKIT} or newer",
            crate::escape::text(version)
        ),
        fix: "start a newer BuildKit, or leave `run-env` out".to_owned(),
    })
}

/// Whether a reference names Docker's frontend by the tag of an old release (`docker/dockerfile:1.4-labs`).
fn is_too_old(name: &str) -> bool {
    let Ok(reference) = name.parse::<Reference>() else { return false };
    if !reference.path().rsplit('/').next().is_some_and(|last| last.starts_with("dockerfile")) {
        return false;
    }
    let tag = reference.tag().unwrap_or_default();
    let mut numbers = tag.split('-').next().unwrap_or_default().split('.').map(|part| part.parse::<u64>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < FRONTEND,
        (Some(major), None) => major < FRONTEND.0,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_frontends_are_known_by_their_tag() {
        for (name, want) in [
            ("docker/dockerfile:1.4", true),
            ("docker.io/docker/dockerfile:1.9.0-labs", true),
            ("docker/dockerfile:0.12", true),
            ("docker/dockerfile:1.10", false),
            ("docker/dockerfile:1", false),
            ("docker/dockerfile:1-labs", false),
            ("docker/dockerfile:latest", false),
            ("docker/dockerfile-upstream:1.3", true),
            ("registry.example/frontend:0.1", false),
            ("docker/dockerfile", false),
        ] {
            assert_eq!(is_too_old(name), want, "{name}");
        }
    }
}
