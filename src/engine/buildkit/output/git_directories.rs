//! What `ADD` of a repository must not leave: `.git`, the repository's own or that of a submodule.
//!
//! It holds paths of the builder, and no two clones have it alike.

use super::downloads::added;
use super::image::Output;
use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::input::GitIdentifier;
use crate::escape;
use crate::lockfile::Pin;
use crate::status::Status;

/// Refuses layers of an `ADD` of a locked repository in which there is a `.git`.
pub fn check(plan: &Plan, output: &Output) -> Result<(), BuildKitError> {
    let layers = output.config.history.iter().filter(|item| !item.empty_layer).rev();
    for (item, times) in layers.zip(output.times.iter().rev()) {
        let (Some(path), Some(sources)) = (&times.git, added(&item.created_by)) else { continue };
        if let Some(repository) = sources.iter().find(|source| is_locked_repository(plan, source)) {
            return Err(BuildKitError::Refused {
                message: format!(
                    "`ADD {}`: {} is part of the result, which no two clones have alike",
                    escape::text(repository),
                    escape::name(path)
                ),
                fix: "leave `--keep-git-dir` out; for submodules write `?submodules=false` behind the URL, and `ADD` them by themselves"
                    .to_owned(),
                status: Status::Engine,
            });
        }
    }
    Ok(())
}

fn is_locked_repository(plan: &Plan, source: &str) -> bool {
    let location = GitIdentifier::of(source).location;
    plan.pins
        .iter()
        .any(|pin| matches!(pin, Pin::Git { request, .. } if GitIdentifier::of(request).location == location))
}
