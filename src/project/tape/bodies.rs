//! Where the bodies of a tape may be.

use std::path::Path;
use std::sync::Arc;

use super::super::locked::LockedProject;
use crate::layer::tar::TarError;
use crate::manifest::Image;
use crate::reference::Reference;
use crate::status::{ExitStatus, Failure, Status};
use crate::tape::{Bodies, Saved};

/// A place that was named has no bodies.
#[derive(Debug, thiserror::Error)]
enum PlaceError {
    #[error("`--tape {0}` is neither a saved tape nor an image reference")]
    Neither(String),
    #[error("`--tape {place}`: {error}")]
    Saved { place: String, error: TarError },
}

impl ExitStatus for PlaceError {
    fn status(&self) -> Status {
        match self {
            Self::Saved { error: TarError::Io(_), .. } | Self::Neither(_) => Status::Usage,
            Self::Saved { .. } => Status::Malformed,
        }
    }
}

/// Where the bodies of an image's tape may be.
pub fn bodies(locked: &LockedProject<'_>, image: &Image, places: &[String]) -> Result<Bodies, Failure> {
    let mut saved = Vec::new();
    let mut registries = Vec::new();
    for place in places {
        let path = locked.machine.resolve(Path::new(place));
        if path.is_dir() || path.is_file() {
            let wrong = |error| PlaceError::Saved { place: crate::escape::text(place).into_owned(), error };
            saved.push(Saved::open(&path, &locked.machine.limits).map_err(wrong)?);
        } else {
            // A single word is a directory that is not there sooner than a repository of the default registry.
            let reference = place.parse::<Reference>().ok().filter(|_| place.contains('/'));
            registries.push(reference.ok_or_else(|| PlaceError::Neither(crate::escape::text(place).into_owned()))?);
        }
    }
    if let Some(repository) = image.publication.tape.as_ref().or(image.publication.repository.as_ref()) {
        registries.extend(repository.parse::<Reference>());
    }
    Ok(Bodies::new(Arc::clone(&locked.resolver), saved, registries))
}
