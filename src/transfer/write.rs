//! An image as an archive or a layout.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::PathBuf;

use super::image::{Image, Shelf};
use super::referrers::Referrer;
use crate::digest::Digest;
use crate::image::media_type::OCI_INDEX;
use crate::image::write::{Contents, OpenBlob, Sink, SinkError};
use crate::image::{Descriptor, Index};
use crate::reference::Reference;

const REFERENCE: &str = "org.opencontainers.image.ref.name";
const FULL_NAME: &str = "io.containerd.image.name";

/// Opens a blob for an archive or a layout.
type Open<'a> = &'a (dyn Fn(&Digest) -> io::Result<Box<dyn io::Read + Send>> + Send + Sync);

/// Writes an image and what refers to it, whole or not at all; blobs that were `fetched` are taken from there.
pub fn write(
    shelf: &dyn Shelf,
    image: &Image,
    referrers: &[Referrer],
    names: &[Reference],
    fetched: &BTreeMap<Digest, PathBuf>,
    sink: &Sink,
) -> Result<(), SinkError> {
    let of_shelf = shelf.blobs();
    let open = move |digest: &Digest| -> io::Result<Box<dyn io::Read + Send>> {
        match fetched.get(digest) {
            Some(path) => Ok(Box::new(File::open(path)?)),
            None => of_shelf(digest),
        }
    };
    let contents = Contents { checked: fetched.clone(), ..contents(image, referrers, names, &open) };
    sink.write(&contents, None)
}

fn contents<'a>(image: &'a Image, referrers: &'a [Referrer], names: &[Reference], open: Open<'a>) -> Contents<'a> {
    let mut blobs: BTreeMap<Digest, (u64, OpenBlob<'a>)> = BTreeMap::new();
    for part in std::iter::once(image).chain(referrers.iter().map(|referrer| &referrer.image)) {
        for document in &part.documents {
            let bytes = document.bytes.as_slice();
            let read: OpenBlob<'a> = Box::new(move || Ok(Box::new(Cursor::new(bytes.to_vec()))));
            blobs.insert(Digest::of(bytes), (bytes.len() as u64, read));
        }
        for (digest, size) in &part.blobs {
            blobs.insert(*digest, (*size, Box::new(move || open(digest))));
        }
    }
    let index = Some(index(image, referrers, names));
    Contents { blobs, checked: BTreeMap::new(), index, docker_manifest: None, is_only_copy: false }
}

/// `index.json`: the image by each of its names, then what refers to it, without names.
fn index(image: &Image, referrers: &[Referrer], names: &[Reference]) -> Vec<u8> {
    let named = |name: &Reference| {
        let mut top = image.top.clone();
        top.annotations.insert(FULL_NAME.to_owned(), name.to_string());
        if let Some(tag) = name.tag() {
            top.annotations.insert(REFERENCE.to_owned(), tag.to_owned());
        }
        top
    };
    let mut manifests: Vec<Descriptor> = match names {
        [] => vec![image.top.clone()],
        names => names.iter().map(named).collect(),
    };
    manifests.extend(referrers.iter().map(|referrer| referrer.descriptor.clone()));
    Index { media_type: Some(OCI_INDEX.to_owned()), manifests, annotations: BTreeMap::new() }.to_compact_bytes()
}
