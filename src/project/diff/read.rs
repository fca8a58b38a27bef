//! Places that are read as sides of a comparison. What a registry has is fetched blob by blob, when it is asked for.

use std::io;
use std::path::PathBuf;

use super::error::DiffError;
use crate::bounds::Bounds;
use crate::compare::{Elsewhere, Side};
use crate::digest::Digest;
use crate::project::machine::Machine;
use crate::project::online;
use crate::reference::Reference;
use crate::registry::Registry;
use crate::source::{Blobs, Place, Wanted};
use crate::status::Failure;
use crate::store::Cache;

/// The blobs of a registry's repository.
struct Published {
    registry: Registry,
    cache: Cache,
    reference: Reference,
}

impl Elsewhere for Published {
    fn fetch(&self, member: &[u8], size: u64) -> io::Result<PathBuf> {
        let digest = member.strip_prefix(b"blobs/sha256/").and_then(|hex| std::str::from_utf8(hex).ok());
        let digest =
            digest.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok()).ok_or(io::ErrorKind::NotFound)?;
        self.registry.blob(&self.reference, digest, Some(size), &self.cache).map_err(io::Error::other)
    }
}

/// Reads what is at a place but for its layers; of several images there the one called `name`.
///
/// # Errors
/// When it can't be had.
pub(in crate::project) fn read(machine: &Machine, place: &Place, name: Option<&str>) -> Result<Side<'static>, Failure> {
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    let published = match place {
        Place::Registry(reference) if !machine.offline => Some(Published {
            registry: online::registry(machine)?,
            cache: machine.cache()?,
            reference: reference.clone(),
        }),
        _ => None,
    };
    let registries = published.as_ref().map(|published| (&published.registry, &published.cache));
    let reader = online::reader(machine, registries);
    let wanted = Wanted { blobs: Blobs::Configs, is_fast: true, is_listed: false, sums_both: false, is_kept: true };
    let archive = reader.read(place, wanted).map_err(DiffError::Read)?;
    let elsewhere = published.map(|published| Box::new(published) as Box<dyn Elsewhere>);
    Ok(Side::new(archive, name, elsewhere, bounds).map_err(DiffError::from)?)
}
