//! Records whose facts can't be true at once: one image manifest has one size, one config and one list of layers, and
//! image manifests have one index.

use super::record;
use crate::build::AssembledPlatform;
use crate::digest::{DiffId, Digest};
use crate::lockfile::{PlatformRecord, Record};
use crate::manifest::Image;
use crate::status::{ExitStatus, Status};

/// A record that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("record of `{image}`: {problem}: not written by `repro`, but edited by hand or by an attacker")]
pub struct Contradiction {
    image: String,
    problem: String,
}

impl ExitStatus for Contradiction {
    fn status(&self) -> Status {
        Status::Malformed
    }

    fn hint(&self) -> Option<String> {
        Some(format!("`git log -p` tells who changed it; `repro build --record {}` makes a new one", self.image))
    }
}

/// Refuses an image's record, one that was made with its pins, whose index is not that of its image manifests.
pub fn check_index(name: &str, image: &Image, recorded: &Record) -> Result<(), Contradiction> {
    let wrong = |problem: String| Err(Contradiction { image: name.to_owned(), problem });
    if let Some(platform) = recorded.platforms.keys().find(|platform| !image.platforms.contains(platform)) {
        return wrong(format!("it has {platform}, for which its pins were not made"));
    }
    let shown = |index: Option<Digest>| index.map_or_else(|| "none".to_owned(), |index| index.to_string());
    match record::index(recorded, image) {
        index if index == recorded.index => Ok(()),
        index => wrong(format!("index {}, but its image manifests give {}", shown(recorded.index), shown(index))),
    }
}

/// Refuses a record that has the rebuilt image manifest, and other facts about it than that has.
pub fn check_platform(name: &str, expected: &PlatformRecord, rebuilt: &AssembledPlatform) -> Result<(), Contradiction> {
    let facts = rebuilt.facts();
    if expected.manifest != facts.manifest {
        return Ok(());
    }
    let problem = |what: &str, recorded: String, found: String| {
        format!(
            "{}: image manifest {} has the {what} {found}, recorded is {recorded}",
            rebuilt.platform, facts.manifest
        )
    };
    let layers =
        |layers: &[DiffId]| format!("[{}]", layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let problem = if expected.size != rebuilt.descriptor.size {
        problem("size", expected.size.to_string(), rebuilt.descriptor.size.to_string())
    } else if expected.config != facts.config {
        problem("config", expected.config.to_string(), facts.config.to_string())
    } else if expected.layers != facts.layers {
        problem("layers", layers(&expected.layers), layers(&facts.layers))
    } else {
        return Ok(());
    };
    Err(Contradiction { image: name.to_owned(), problem })
}
