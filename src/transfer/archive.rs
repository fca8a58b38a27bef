//! An archive, a layout, or what an engine saves, that an image is taken from.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use super::docker;
use super::error::TransferError;
use super::image::Shelf;
use crate::digest::{AnyDigest, Digest};
use crate::image::archive::{Archive, Opener};
use crate::image::validate::{self, Closure, Form, Selection};
use crate::image::{Descriptor, Index};
use crate::limits::Limits;
use crate::registry::OpenBlob;
use crate::source::{Blobs, Place, ReadError, Reader, Wanted};

/// Names that a message tells.
const MOST_NAMES: usize = 16;

/// A place that was read; its blobs are where they were.
struct Held {
    blobs: Arc<BTreeMap<Digest, Opener>>,
    /// What `index.json` names beside the image, with the document that each is about.
    beside: Vec<(Digest, Descriptor)>,
    names: Vec<String>,
    limits: Limits,
}

/// Opens what is at `place`, which is no registry: the place, and its image; of several the one that is called `name`.
pub fn open_archive(
    place: &Place,
    name: Option<&str>,
    reader: &Reader<'_>,
) -> Result<(Box<dyn Shelf>, Descriptor), TransferError> {
    let (archive, found) = read(place, name, reader, true)?;
    match found.form {
        Form::Docker => {
            // Without an image manifest nothing says what the layers' bytes are: they are read once.
            let (archive, found) = read(place, name, reader, false)?;
            let made = docker::manifest(&archive, &found, place)?;
            let bytes = (made.descriptor.digest, Opener::of_bytes(made.bytes));
            let blobs = made.blobs.into_iter().chain([bytes]).collect();
            let shelf = Held::new(blobs, Vec::new(), found.names, reader.limits);
            Ok((Box::new(shelf), made.descriptor))
        }
        _ => {
            let top = top(&found, place)?;
            let blobs = blobs(&archive)?;
            let beside = beside(&archive, &found, reader.limits);
            let names = found.images.iter().flat_map(|image| image.names.clone()).collect();
            Ok((Box::new(Held::new(blobs, beside, names, reader.limits)), top))
        }
    }
}

fn read(
    place: &Place,
    name: Option<&str>,
    reader: &Reader<'_>,
    is_fast: bool,
) -> Result<(Archive, Closure), TransferError> {
    let wanted = Wanted { blobs: Blobs::All, is_fast, is_listed: false, sums_both: false, is_kept: true };
    let mut archive = reader.read(place, wanted)?;
    let selection = Selection { image: name.map(str::to_owned), is_fast, ..Selection::default() };
    let found = validate::check(&mut archive, &selection, reader.limits)
        .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
    if let Some(violation) = found.findings.violations.first() {
        let more = found.findings.violation_count().saturating_sub(1);
        let more = if more == 0 { String::new() } else { format!(", and {more} more; see `repro inspect`") };
        let problem = format!("{}{more}", violation.message);
        return Err(TransferError::Malformed { object: format!("{place}: {}", violation.place), problem });
    }
    if let Some(wanted) = name.filter(|_| found.tops.is_empty() && found.images.is_empty()) {
        return Err(TransferError::NoImage { wanted: wanted.to_owned(), known: found.names });
    }
    Ok((archive, found))
}

/// The descriptor of the one image.
fn top(found: &Closure, place: &Place) -> Result<Descriptor, TransferError> {
    let mut tops: Vec<AnyDigest> = found.tops.clone();
    tops.sort();
    tops.dedup();
    let top = match tops[..] {
        [top] => top,
        [] => return Err(TransferError::Empty(place.to_string())),
        _ => {
            let known = found.images.iter().flat_map(|image| image.names.clone()).take(MOST_NAMES).collect();
            return Err(TransferError::Several { place: place.to_string(), count: tops.len(), known });
        }
    };
    let known = found.documents.iter().find(|document| document.digest == top).zip(top.sha256());
    let (document, digest) = known.ok_or_else(|| TransferError::Malformed {
        object: format!("document {top}"),
        problem: "it is not there, or its digest is not sha256".to_owned(),
    })?;
    Ok(Descriptor::new(&document.media_type, digest, document.size))
}

/// Where the blobs are, by what they are called; their bytes are checked when they are read.
fn blobs(archive: &Archive) -> Result<BTreeMap<Digest, Opener>, TransferError> {
    let mut blobs = BTreeMap::new();
    for name in archive.members.keys() {
        let hex = name.strip_prefix(b"blobs/sha256/").and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(digest) = hex.and_then(|hex| format!("sha256:{hex}").parse().ok())
            && let Some(opener) = archive.opener(name)
        {
            blobs.insert(digest, opener);
        }
    }
    Ok(blobs)
}

/// What `index.json` names that is about another document.
fn beside(archive: &Archive, found: &Closure, limits: &Limits) -> Vec<(Digest, Descriptor)> {
    let bytes = archive.file(b"index.json").and_then(|file| archive.bytes(file).ok().flatten()).unwrap_or_default();
    let Ok(index) = crate::image::Document::<Index>::parse(bytes, limits) else { return Vec::new() };
    let subject = |descriptor: &Descriptor| {
        let digest = AnyDigest::from(descriptor.digest);
        let image = found.images.iter().find(|image| image.manifest == Some(digest))?;
        image.subject.as_ref()?.sha256()
    };
    index.manifests.iter().filter_map(|descriptor| Some((subject(descriptor)?, descriptor.clone()))).collect()
}

impl Held {
    fn new(
        blobs: BTreeMap<Digest, Opener>,
        beside: Vec<(Digest, Descriptor)>,
        names: Vec<String>,
        limits: &Limits,
    ) -> Self {
        Self { blobs: Arc::new(blobs), beside, names, limits: limits.clone() }
    }
}

impl Shelf for Held {
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, TransferError> {
        let object = format!("blob {}", descriptor.digest);
        let wrong = |problem: String| TransferError::Malformed { object: object.clone(), problem };
        let opener = self.blobs.get(&descriptor.digest).ok_or_else(|| wrong("it is missing".to_owned()))?;
        let mut bytes = Vec::new();
        let limit = descriptor.size.min(self.limits.json_bytes).saturating_add(1);
        let read = opener.open(0).and_then(|reader| reader.take(limit).read_to_end(&mut bytes));
        read.map_err(|error| wrong(error.to_string()))?;
        Ok(bytes)
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, TransferError> {
        Ok(self.beside.iter().filter(|(about, _)| *about == subject).map(|(_, one)| one.clone()).collect())
    }

    fn blobs(&self) -> OpenBlob {
        let blobs = Arc::clone(&self.blobs);
        Arc::new(move |digest| {
            let missing = || io::Error::new(io::ErrorKind::InvalidData, format!("blob {digest} is missing"));
            blobs.get(digest).ok_or_else(missing)?.open(0)
        })
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}
