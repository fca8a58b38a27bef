//! Blobs, streamed into the cache and checked on the way.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use super::endpoint::Endpoint;
use super::together::side_by_side;
use super::{Registry, RegistryError, header_digest, refuse};
use crate::digest::Digest;
use crate::http::{HttpError, Request, Response};
use crate::limits::LimitExceeded;
use crate::reference::Reference;
use crate::store::{BlobWriter, Cache, StoreError};

/// Attempts at one endpoint when the connection breaks in the middle of a blob and little more arrives.
const ATTEMPTS: u32 = 3;
/// An attempt that brought this many bytes is not counted: large blobs come through bad lines in pieces.
const PROGRESS: u64 = 1 << 20;
const PIECE: usize = 128 << 10;

impl Registry {
    /// The blob's file in the cache, fetched from the repository of `reference` if it is not there yet.
    ///
    /// `size` is what a descriptor says; without it the blob ends at the limit `blob`.
    pub fn blob(
        &self,
        reference: &Reference,
        digest: Digest,
        size: Option<u64>,
        cache: &Cache,
    ) -> Result<PathBuf, RegistryError> {
        if let Some(path) = cache.path(&digest)
            && cache.check(&digest)?
        {
            return Ok(path);
        }
        let step = format!("fetch {digest} of {reference}");
        let fetched = self.try_each(reference, &format!("blob {digest}"), |endpoint| {
            let mut part = Part { writer: cache.writer()?, done: 0 };
            let mut attempt = 1;
            loop {
                let before = part.done;
                // Only the end of the response is missing: the digest tells whether all of the blob is there.
                if size == Some(part.done) && attempt > 1 {
                    return finish(part, endpoint, digest, size);
                }
                match self.add_to(&mut part, endpoint, digest, size, cache, &step) {
                    Err(RegistryError::Http(HttpError::Unreachable { .. })) if attempt < ATTEMPTS => {
                        let progressed = part.done >= before.saturating_add(PROGRESS);
                        attempt = if progressed { 1 } else { attempt + 1 };
                    }
                    Ok(()) => return finish(part, endpoint, digest, size),
                    Err(error) => return Err(error),
                }
            }
        });
        self.progress().end(&step);
        fetched?;
        cache.path(&digest).ok_or_else(|| RegistryError::Nonsense {
            object: format!("blob {digest}"),
            url: reference.to_string(),
            reason: "it vanished from the cache".to_owned(),
        })
    }

    /// The files of several blobs, fetched several at a time, large ones first.
    pub fn fetch_blobs(
        &self,
        reference: &Reference,
        blobs: &BTreeMap<Digest, u64>,
        cache: &Cache,
    ) -> Result<BTreeMap<Digest, PathBuf>, RegistryError> {
        let mut wanted: Vec<(&Digest, &u64)> = blobs.iter().collect();
        wanted.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
        let fetched = side_by_side(&wanted, |(digest, size)| {
            Ok((**digest, self.blob(reference, **digest, Some(**size), cache)?))
        })?;
        Ok(fetched.into_iter().collect())
    }

    /// Opens a blob of the reference's repository for one reading from its start; whoever reads it checks it.
    pub fn open_blob(&self, reference: &Reference, digest: Digest) -> Result<Box<dyn Read + Send>, RegistryError> {
        let object = format!("blob {digest}");
        self.try_each(reference, &object, |endpoint| {
            let response = self.ask(endpoint, &Request::get(endpoint.url("blobs", &digest.to_string())?))?;
            match response.status {
                200 => Ok(Box::new(response.into_body()) as Box<dyn Read + Send>),
                _ => Err(refuse(response, &object)),
            }
        })
    }

    /// Reads the blob from where `part` ends to its end, or anew if the server gives no parts.
    fn add_to(
        &self,
        part: &mut Part,
        endpoint: &Endpoint,
        digest: Digest,
        size: Option<u64>,
        cache: &Cache,
        step: &str,
    ) -> Result<(), RegistryError> {
        let object = format!("blob {digest}");
        let mut request = Request::get(endpoint.url("blobs", &digest.to_string())?);
        if part.done > 0 {
            request = request.header("range", format!("bytes={}-", part.done));
        }
        let response = self.ask(endpoint, &request)?;
        match response.status {
            206 if continues(&response, part.done) => {}
            200 if part.done == 0 => {}
            200 => *part = Part { writer: cache.writer()?, done: 0 },
            206 => {
                let reason = format!("`Content-Range` does not go on from byte {}", part.done);
                return Err(RegistryError::Nonsense { object, url: response.url.shown(), reason });
            }
            _ => return Err(refuse(response, &object)),
        }
        if let Some(claimed) = header_digest(&response, &object)?
            && claimed != digest
        {
            let (url, reason) = (response.url.shown(), format!("`Docker-Content-Digest` is {claimed}"));
            return Err(RegistryError::Nonsense { object, url, reason });
        }
        let limit = size.unwrap_or(self.limits().blob);
        let mut body = response.into_body().take(limit.saturating_add(1) - part.done);
        let mut piece = vec![0; PIECE];
        loop {
            let count = body.read(&mut piece).map_err(HttpError::unwrap)?;
            if count == 0 {
                break;
            }
            part.done += count as u64;
            if part.done > limit {
                break;
            }
            part.writer.write_all(&piece[..count]).map_err(|error| HttpError::Local(error.into()))?;
            self.progress().step(step, part.done, size);
        }
        match size {
            None if part.done > limit => Err(HttpError::from(LimitExceeded { name: "blob", limit, object }).into()),
            _ => Ok(()),
        }
    }
}

/// What has arrived of a blob.
struct Part {
    writer: BlobWriter,
    done: u64,
}

/// Whether a partial response begins at byte `from`.
fn continues(response: &Response, from: u64) -> bool {
    let start = response.header("content-range").and_then(|range| range.trim().strip_prefix("bytes ")?.split_once('-'));
    from > 0 && start.is_some_and(|(start, _)| start.parse() == Ok(from))
}

fn finish(part: Part, endpoint: &Endpoint, digest: Digest, size: Option<u64>) -> Result<(), RegistryError> {
    let object = format!("blob {digest}");
    let url = endpoint.url("blobs", &digest.to_string())?.shown();
    let found = part.done;
    match size {
        Some(expected) if found > expected => return Err(RegistryError::Size { object, url, found, expected }),
        _ => {}
    }
    match part.writer.commit(Some(&digest)) {
        Ok(_) => match size {
            Some(expected) if found != expected => Err(RegistryError::Size { object, url, found, expected }),
            _ => Ok(()),
        },
        Err(StoreError::Mismatch { expected, found }) => {
            Err(RegistryError::Digest { object, url, computed: found, expected })
        }
        Err(error) => Err(error.into()),
    }
}
