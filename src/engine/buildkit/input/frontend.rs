//! Which frontend reads the staged Dockerfile, and those that can't: they don't know secrets as variables, where RUN is
//! given some.

use std::borrow::Cow;

use semver::Version;

use crate::build::{Plan, injected};
use crate::dockerfile::{frontend, lacks_secret_variables, without_frontend};
use crate::engine::buildkit::failure::BuildKitError;
use crate::status::Status;

/// The first BuildKit whose own frontend, Dockerfile 1.10, gives secrets as variables.
const BUILDKIT: Version = Version::new(0, 16, 0);

/// The argument that chooses a frontend, whatever the Dockerfile names.
const SYNTAX: &str = "BUILDKIT_SYNTAX";

/// The Dockerfile that is staged, which names no frontend where the daemon's own reads it.
pub fn named_in<'a>(plan: &Plan, dockerfile: &'a [u8]) -> Result<Cow<'a, [u8]>, BuildKitError> {
    let Some(named) = frontend(dockerfile).filter(|_| plan.inputs.dockerfile.syntax.is_none()) else {
        return Ok(Cow::Borrowed(dockerfile));
    };
    without_frontend(dockerfile).map(Cow::Owned).ok_or_else(|| BuildKitError::Refused {
        message: format!(
            "image `{}`: `{}` is named by something else than a line `# syntax=`, which only that frontend reads",
            plan.image,
            crate::escape::text(&named),
        ),
        fix: "leave `frontend = \"builtin\"` out".to_owned(),
        status: Status::Usage,
    })
}

/// The argument that chooses a frontend which the Dockerfile does not name.
pub fn argument(plan: &Plan) -> Option<(String, String)> {
    let dockerfile = &plan.inputs.dockerfile;
    let chosen = dockerfile.syntax.as_ref().filter(|chosen| frontend(&dockerfile.bytes).as_ref() != Some(chosen))?;
    Some((SYNTAX.to_owned(), chosen.clone()))
}

/// Refuses frontends that don't know secrets as variables.
pub fn check(plan: &Plan) -> Result<(), BuildKitError> {
    if injected(plan).is_empty() {
        return Ok(());
    }
    let Some(named) = plan.inputs.dockerfile.syntax.as_ref().filter(|name| lacks_secret_variables(name)) else {
        return Ok(());
    };
    Err(BuildKitError::Refused {
        message: format!(
            "image `{}`: the frontend `{}` can't give variables to RUN, expected Dockerfile 1.10 or newer",
            plan.image,
            crate::escape::text(named),
        ),
        fix: format!(
            "`frontend = \"builtin\"` in the table of `{}` leaves it to BuildKit's own; so does a Dockerfile without the line, and a newer one may be named",
            plan.image
        ),
        status: Status::Engine,
    })
}

/// Refuses a daemon whose own frontend does not know secrets as variables.
pub fn check_daemon(plan: &Plan, version: &str) -> Result<(), BuildKitError> {
    let uses_own = plan.inputs.dockerfile.syntax.is_none();
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
