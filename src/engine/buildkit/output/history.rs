//! Histories that BuildKit made up: they depend on its cache, and on the mirror that was used.

use crate::digest::DiffId;
use crate::engine::buildkit::failure::BuildKitError;
use crate::image::{Config, Document, InvalidDocument};
use crate::limits::Limits;
use crate::status::Status;

const APPENDED: &str = "buildkit.exporter.image.v0";

/// Refuses a result whose history BuildKit made up: it depends on the cache and on the mirror that was used.
pub fn check(config: &Config, image: &str) -> Result<(), BuildKitError> {
    let made_up = config.history.iter().any(|item| &*item.comment == APPENDED.as_bytes());
    if made_up { Err(incomplete_history(image)) } else { Ok(()) }
}

/// The diff IDs of the target's base image, as `engine` recorded its config; none when it starts from scratch.
pub fn base_diff_ids(
    engine: &'static str,
    config: Option<&[u8]>,
    limits: &Limits,
) -> Result<Vec<DiffId>, BuildKitError> {
    let Some(config) = config else { return Ok(Vec::new()) };
    match Document::<Config>::parse(config.to_vec(), limits) {
        Ok(config) => Ok(config.diff_ids.clone()),
        Err(error) => Err(unusable_base(engine, &error)),
    }
}

/// The base's config can't be used: mostly a history that does not speak of all layers.
fn unusable_base(engine: &'static str, error: &InvalidDocument) -> BuildKitError {
    match error {
        InvalidDocument::Rule(_) => incomplete_history("the base image"),
        error => BuildKitError::Malformed {
            engine,
            object: "the config of the base image".to_owned(),
            reason: error.to_string(),
        },
    }
}

fn incomplete_history(what: &str) -> BuildKitError {
    BuildKitError::Refused {
        message: format!(
            "{what}: the history of a base image does not speak of all its layers, and BuildKit fills the gaps with names that depend on its cache"
        ),
        fix: "build the base image again with a builder that writes its whole history".to_owned(),
        status: Status::Engine,
    }
}
