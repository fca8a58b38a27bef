//! Blobs, streamed into the cache and checked on the way.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::endpoint::Endpoint;
use super::{Registry, RegistryError, header_digest, refuse};
use crate::digest::Digest;
use crate::http::{HttpError, Request};
use crate::limits::LimitExceeded;
use crate::reference::Reference;
use crate::store::{Cache, StoreError};

/// Attempts at one endpoint when the connection breaks in the middle of a blob.
const ATTEMPTS: u32 = 3;
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
            let mut attempt = 1;
            loop {
                match self.blob_from(endpoint, digest, size, cache, &step) {
                    Err(RegistryError::Http(HttpError::Unreachable { .. })) if attempt < ATTEMPTS => attempt += 1,
                    other => return other,
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

    /// Whether the repository says that it has the blob.
    pub fn has_blob(&self, reference: &Reference, digest: Digest) -> Result<bool, RegistryError> {
        let object = format!("blob {digest}");
        let asked = self.try_each(reference, &object, |endpoint| {
            let url = endpoint.url("blobs", &digest.to_string())?;
            let answer = self.ask(endpoint, &Request::head(url))?;
            if answer.status == 200 { Ok(()) } else { Err(refuse(answer, &object)) }
        });
        match asked {
            Ok(()) => Ok(true),
            Err(error) if error.is_absence() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn blob_from(
        &self,
        endpoint: &Endpoint,
        digest: Digest,
        size: Option<u64>,
        cache: &Cache,
        step: &str,
    ) -> Result<(), RegistryError> {
        let object = format!("blob {digest}");
        let answer = self.ask(endpoint, &Request::get(endpoint.url("blobs", &digest.to_string())?))?;
        if answer.status != 200 {
            return Err(refuse(answer, &object));
        }
        let url = answer.url.shown();
        if let Some(claimed) = header_digest(&answer, &object)?
            && claimed != digest
        {
            let reason = format!("`Docker-Content-Digest` is {claimed}");
            return Err(RegistryError::Nonsense { object, url, reason });
        }
        let limit = size.unwrap_or(self.limits().blob);
        let mut body = answer.into_body().take(limit.saturating_add(1));
        let mut writer = cache.writer()?;
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        loop {
            let count = body.read(&mut piece).map_err(HttpError::unwrap)?;
            if count == 0 {
                break;
            }
            done += count as u64;
            if done > limit {
                break;
            }
            writer.write_all(&piece[..count]).map_err(|error| HttpError::Local(error.into()))?;
            self.progress().step(step, done, size);
        }
        match size {
            None if done > limit => Err(HttpError::from(LimitExceeded { name: "blob", limit, object }).into()),
            Some(expected) if done > expected => Err(RegistryError::Size { object, url, found: done, expected }),
            size => match writer.commit(Some(&digest)) {
                Ok(_) => match size {
                    Some(expected) if done != expected => {
                        Err(RegistryError::Size { object, url, found: done, expected })
                    }
                    _ => Ok(()),
                },
                Err(StoreError::Mismatch { expected, found }) => {
                    Err(RegistryError::Digest { object, url, computed: found, expected })
                }
                Err(error) => Err(error.into()),
            },
        }
    }
}
