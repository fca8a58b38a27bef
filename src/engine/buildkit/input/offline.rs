//! `--offline`: what BuildKit could only do by asking others is refused before it is asked anything.

use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::sources::Sources;
use crate::escape;
use crate::lockfile::Pin;
use crate::manifest::Network;
use crate::status::{Failure, Status};

/// Refuses what can't be served from here.
pub fn check(plan: &Plan, sources: &dyn Sources) -> Result<(), Failure> {
    for pin in &plan.pins {
        if let Pin::Git { request, commit, .. } = pin
            && sources.bundle(request, commit)?.is_none()
        {
            let repository = escape::text(request);
            return Err(refused(
                format!("`{repository}` is a repository that BuildKit would fetch itself"),
                "`repro vendor` makes a folder that holds the commit, for `--vendor`",
            )
            .into());
        }
    }
    if plan.run.network == Network::Open {
        return Err(refused(
            "`network = \"open\"` lets RUN ask every host".to_owned(),
            "leave out `--offline`, or lock what RUN downloads with `network = \"locked\"`",
        )
        .into());
    }
    Ok(())
}

/// The refusal of a daemon that can't be given anything from here.
pub fn is_far() -> BuildKitError {
    refused(
        "the daemon is on another machine or in another network, and would ask for the sources itself".to_owned(),
        "name one on this machine (`--addr unix://…`), or none: a private one is started",
    )
}

fn refused(reason: String, fix: &str) -> BuildKitError {
    BuildKitError::Refused { message: format!("`--offline`: {reason}"), fix: fix.to_owned(), status: Status::Engine }
}
