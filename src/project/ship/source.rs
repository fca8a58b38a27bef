//! What is shipped, opened.

use std::sync::Arc;

use super::super::machine::Machine;
use super::super::online;
use crate::image::Descriptor;
use crate::platform::Platform;
use crate::registry::Registry;
use crate::source::Place;
use crate::status::Failure;
use crate::transfer::{self, Image, Referrer, Shelf};

/// Which image is shipped, and how much of it.
#[derive(Clone, Debug)]
pub struct ShipSource {
    /// Where it is.
    pub place: Place,
    /// Its name, in an archive or layout of several.
    pub image: Option<String>,
    /// The one platform of it; none for all.
    pub platform: Option<Platform>,
    /// Whether signatures and attestations that refer to it go along.
    pub with_referrers: bool,
}

/// A source that was opened.
pub(super) struct Opened {
    pub registry: Arc<Registry>,
    pub shelf: Box<dyn Shelf>,
    pub image: Image,
    pub referrers: Vec<Referrer>,
}

/// Opens a source; no blob is read.
pub(super) fn open(machine: &Machine, source: &ShipSource) -> Result<Opened, Failure> {
    let registry = Arc::new(online::registry(machine)?);
    let (shelf, top): (Box<dyn Shelf>, Descriptor) = match &source.place {
        Place::Registry(reference) => {
            registry.client().check_online(&format!("docker://{reference}"))?;
            transfer::open_registry(&registry, &machine.cache()?, reference, &machine.limits)?
        }
        place => transfer::open_archive(place, source.image.as_deref(), &online::reader(machine, None))?,
    };
    let mut image = Image::gather(&*shelf, top, &machine.limits)?;
    if let Some(wanted) = &source.platform {
        let top = transfer::of_platform(&image, wanted)?;
        if top.digest != image.top.digest {
            image = Image::gather(&*shelf, top, &machine.limits)?;
        }
    }
    let referrers = match source.with_referrers {
        true => transfer::referrers(&*shelf, &image, &machine.limits)?,
        false => Vec::new(),
    };
    Ok(Opened { registry, shelf, image, referrers })
}
