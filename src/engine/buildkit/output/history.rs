//! Histories that BuildKit made up: they depend on its cache, and on the mirror that was used.

use crate::engine::buildkit::failure::BuildKitError;
use crate::image::Config;
use crate::status::Status;

const APPENDED: &str = "buildkit.exporter.image.v0";

/// Refuses a result whose history BuildKit made up: it depends on the cache and on the mirror that was used.
pub fn check(config: &Config, image: &str) -> Result<(), BuildKitError> {
    let made_up = config.history.iter().any(|item| &*item.comment == APPENDED.as_bytes());
    if !made_up {
        return Ok(());
    }
    Err(BuildKitError::Refused {
        message: format!(
            "{image}: the history of a base image does not speak of all its layers, and BuildKit fills the gaps with names that depend on its cache"
        ),
        fix: "build the base image again with a builder that writes its whole history".to_owned(),
        status: Status::Engine,
    })
}
