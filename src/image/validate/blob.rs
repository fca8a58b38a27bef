//! Blobs: is what a descriptor claims there, and is it that?

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::claim::Claim;
use super::walk::Walk;
use crate::digest::AnyDigest;
use crate::image::archive::{Content, Held, HeldFile};

/// A blob that has the claimed digest, or was left alone.
#[derive(Clone, Copy)]
pub(super) struct Blob<'a> {
    pub(super) file: &'a HeldFile,
}

impl<'a> Walk<'a> {
    /// A file at the archive's top that must be there.
    pub(super) fn top_file(&mut self, name: &str) -> Option<&'a HeldFile> {
        self.used.insert(name.as_bytes().to_vec());
        match self.archive.members.get(name.as_bytes()) {
            Some(Held::File(file)) => Some(file),
            Some(Held::Directory) => {
                self.findings.violation("V3", name, "it is a directory, not a file");
                None
            }
            // A violation of the archive says why.
            Some(Held::Refused | Held::Link { .. }) => {
                self.findings.violation("V3", name, "it is no regular file that could be read");
                None
            }
            None => {
                self.findings.violation("V3", name, "it is missing");
                None
            }
        }
    }

    /// The blob that a descriptor claims, if it is there with the right digest. All that is wrong is told.
    pub(super) fn blob(&mut self, claim: &Claim, what: &str) -> io::Result<Option<Blob<'a>>> {
        let name = claim.digest.blob_path().into_bytes();
        self.used.insert(name.clone());
        let object = format!("{what} {}", claim.digest);
        let file = match self.archive.members.get(&name) {
            Some(Held::File(file)) => file,
            Some(Held::Directory) => {
                self.findings.violation("V3", object, "it is a directory, not a file");
                return Ok(None);
            }
            Some(Held::Refused | Held::Link { .. }) => {
                self.findings.violation("V3", object, "it is no regular file that could be read");
                return Ok(None);
            }
            None => {
                self.findings.violation("V3", object, format!("the blob is missing; {} names it", claim.place));
                return Ok(None);
            }
        };
        let computed = file.sums.as_ref().and_then(|sums| sums.in_algorithm(claim.digest.algorithm()));
        let is_right = match computed {
            Some(computed) if computed == claim.digest => true,
            Some(computed) => {
                let expected = claim.digest;
                self.findings.violation(
                    "V1",
                    &object,
                    format!("digest mismatch: computed {computed}, expected {expected}"),
                );
                false
            }
            None => matches!(file.content, Content::Skipped),
        };
        if let Some(size) = claim.size.filter(|size| *size != file.size) {
            let found = file.size;
            let what = format!("size mismatch: {} says {size} bytes, the blob has {found}", claim.place);
            self.findings.violation("V1", &object, what);
        }
        if let Some(data) = &claim.data {
            let bytes = self.archive.bytes(file)?;
            let is_same = match (STANDARD.decode(data), &bytes) {
                (Ok(data), Some(bytes)) => data == *bytes,
                // What is not kept is larger than any `data` needs to be, but its digest tells.
                (Ok(data), None) => AnyDigest::of(claim.digest.algorithm(), &data) == claim.digest,
                (Err(_), _) => false,
            };
            if !is_same {
                self.findings.violation("V10", format!("{} data", claim.place), "it is not the content of the blob");
            }
        }
        Ok(is_right.then_some(Blob { file }))
    }

    /// The bytes and the value of a document; none when it is no JSON that could be relied on.
    pub(super) fn parse(&mut self, file: &HeldFile, object: &str) -> io::Result<Option<(Vec<u8>, Value)>> {
        let limit = self.limits.json_bytes;
        if file.size > limit {
            let what = format!("{} bytes are more than the limit `json-bytes` of {limit}", file.size);
            self.findings.violation("limit", object, what);
            return Ok(None);
        }
        let Some(bytes) = self.archive.bytes(file)? else {
            self.findings.violation("JSON 1", object, "it is no JSON document");
            return Ok(None);
        };
        match crate::json::parse::<Value>(&bytes, self.limits) {
            Ok(value) => Ok(Some((bytes, value))),
            Err(error) => {
                self.findings.violation("JSON 2", object, error);
                Ok(None)
            }
        }
    }
}
