//! What refers to an image, and to that in turn: signatures, attestations, bills of material.

use std::collections::BTreeSet;

use super::error::TransferError;
use super::image::{Image, Shelf};
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::limits::{LimitExceeded, Limits};

/// Documents that refer to one image, directly or not.
const MOST: usize = 1000;

/// One document that refers to an image, with everything below it.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// What it is, as the list says.
    pub descriptor: Descriptor,
    /// What it is about.
    pub subject: Digest,
    /// All of it.
    pub image: Image,
}

/// Everything that refers to a document of `image`, those that are referred to before those that refer.
pub fn referrers(shelf: &dyn Shelf, image: &Image, limits: &Limits) -> Result<Vec<Referrer>, TransferError> {
    let mut found: Vec<Referrer> = Vec::new();
    let mut subjects: Vec<Digest> = image.documents.iter().map(|document| Digest::of(&document.bytes)).collect();
    let mut seen: BTreeSet<Digest> = subjects.iter().copied().collect();
    while let Some(subject) = subjects.pop() {
        for descriptor in shelf.referrers(subject)? {
            if !seen.insert(descriptor.digest) {
                continue;
            }
            if found.len() >= MOST {
                let object = format!("what refers to {}", image.top.digest);
                return Err(LimitExceeded { name: "referrers", limit: MOST as u64, object }.into());
            }
            subjects.push(descriptor.digest);
            let top = Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size);
            let image = Image::gather(shelf, top, limits)?;
            found.push(Referrer { descriptor, subject, image });
        }
    }
    Ok(found)
}
