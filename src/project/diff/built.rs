//! An image that was just built, as a side of a comparison.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::error::DiffError;
use crate::bounds::Bounds;
use crate::build::{Assembled, AssembledLayer, Blob, WorkDirectories};
use crate::cancel::Cancel;
use crate::compare::{Elsewhere, Side};
use crate::digest::Digest;
use crate::image::Index;
use crate::image::archive::{Archive, Source, Surroundings};
use crate::image::media_type::OCI_INDEX;
use crate::layer::Listed;
use crate::resolve::Resolver;
use crate::status::Failure;

/// The layers of an image that was just built: packed, or fetched, when they are asked for.
struct Layers<'a> {
    layers: BTreeMap<Vec<u8>, &'a AssembledLayer>,
    resolver: &'a Resolver,
    work: &'a (dyn WorkDirectories + Sync),
    cancel: &'a Cancel,
}

impl Elsewhere for Layers<'_> {
    fn fetch(&self, member: &[u8], _size: u64) -> io::Result<PathBuf> {
        let layer = self.layers.get(member).ok_or(io::ErrorKind::NotFound)?;
        match &layer.blob {
            Some(Blob::Remote { request }) => {
                self.resolver.fetch_layer(request, &layer.descriptor, layer.diff_id).map_err(io::Error::other)
            }
            Some(Blob::File(path)) => Ok(path.clone()),
            _ => {
                let directory = self.work.directory().map_err(io::Error::other)?;
                let path = directory.join(format!("compared-{}", layer.descriptor.digest.hex()));
                if !path.exists() {
                    layer.write(&path, self.cancel)?;
                }
                Ok(path)
            }
        }
    }
}

/// The side that an image is, for as long as the directories of its build are there.
///
/// # Errors
/// When a temporary file can't be read.
pub(in crate::project) fn built<'a>(
    image: &'a Assembled,
    resolver: &'a Resolver,
    work: &'a (dyn WorkDirectories + Sync),
    bounds: Bounds<'a>,
) -> Result<Side<'a>, Failure> {
    let member = |digest: &Digest| format!("blobs/sha256/{}", digest.hex()).into_bytes();
    let manifests = image.platforms.iter().map(|platform| platform.descriptor.clone()).collect();
    let index = Index { media_type: Some(OCI_INDEX.to_owned()), manifests, annotations: BTreeMap::new() };
    let mut members = BTreeMap::from([
        (b"oci-layout".to_vec(), Source::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())),
        (b"index.json".to_vec(), Source::Bytes(index.to_compact_bytes())),
    ]);
    let mut layers = BTreeMap::new();
    for platform in &image.platforms {
        for document in [&platform.manifest, &platform.config] {
            members.insert(member(&Digest::of(document)), Source::Bytes(document.clone()));
        }
        for layer in &platform.layers {
            let name = member(&layer.descriptor.digest);
            members.insert(name.clone(), Source::Unread { size: layer.descriptor.size });
            layers.insert(name, layer);
        }
    }
    let around = Surroundings {
        limits: bounds.limits,
        cancel: bounds.cancel,
        threads: 1,
        is_fast: true,
        listed: Listed::Nothing,
        contents: None,
        sums_both: false,
    };
    let archive = Archive::read_sources(members, &around).map_err(DiffError::from)?;
    let elsewhere = Layers { layers, resolver, work, cancel: bounds.cancel };
    Ok(Side::new(archive, None, Some(Box::new(elsewhere)), bounds).map_err(DiffError::from)?)
}
