//! Blobs: asked for, taken over from another repository, or sent; several at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::body::{Body, Broken};
use super::upload::Begun;
use super::{OpenBlob, Push, Shipped, check_digest};
use crate::digest::Digest;
use crate::http::{HttpError, Request};
use crate::registry::together::side_by_side;
use crate::registry::{Registry, RegistryError};

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It was there.
    Present,
    /// The registry took it over from another of its repositories.
    Mounted,
    /// It was sent.
    Sent,
}

impl Registry {
    /// Pushes several blobs at a time, large ones first; the first error ends all. Those that were taken must be there then.
    pub(super) fn push_blobs(&self, push: &Push<'_>, blobs: &BTreeMap<Digest, u64>) -> Result<Shipped, RegistryError> {
        let mut blobs: Vec<(Digest, u64)> = blobs.iter().map(|(digest, size)| (*digest, *size)).collect();
        blobs.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        // The first question alone: it finds the login that the others then use.
        if let Some((digest, size)) = blobs.first() {
            self.has(push, *digest, *size)?;
        }
        let ways = side_by_side(&blobs, |blob| {
            let way = self.push_blob(push, *blob, push.open)?;
            Ok((way, *blob))
        })?;
        let mut shipped = Shipped::default();
        for (way, (_, size)) in &ways {
            match way {
                Way::Present => shipped.present += 1,
                Way::Mounted => shipped.mounted += 1,
                Way::Sent => {
                    shipped.sent += 1;
                    shipped.sent_bytes += size;
                }
            }
        }
        let taken: Vec<(Digest, u64)> =
            ways.into_iter().filter(|(way, _)| *way != Way::Present).map(|(_, blob)| blob).collect();
        side_by_side(&taken, |(digest, size)| self.confirm(push, *digest, *size))?;
        Ok(shipped)
    }

    /// Sends a blob unless it is there.
    pub(super) fn push_blob(
        &self,
        push: &Push<'_>,
        (digest, size): (Digest, u64),
        open: &OpenBlob,
    ) -> Result<Way, RegistryError> {
        let step = format!("push {digest} to {}", push.repository);
        let progress = Arc::clone(&self.client.settings().progress);
        let body = Body { digest, size, open: Arc::clone(open), progress, step, broken: Broken::default() };
        let way = self.push_body(push, &body);
        self.progress().end(&body.step);
        way
    }

    fn push_body(&self, push: &Push<'_>, body: &Body) -> Result<Way, RegistryError> {
        let object = object(body.digest);
        let mut attempt = 1;
        let mut asked_again = false;
        // Where pieces are no way either, this is what the registry minds.
        let mut refused_whole = None;
        let mut in_pieces = push.in_pieces.load(Ordering::Relaxed);
        // An upload of which the registry has the beginning.
        let mut begun = None;
        loop {
            let (place, offset) = match begun.take() {
                Some(begun) => begun,
                None if self.has(push, body.digest, body.size)? => {
                    return Ok(if attempt > 1 { Way::Sent } else { Way::Present });
                }
                None => match self.begin_upload(push, body.digest, &object)? {
                    Begun::Mounted => return Ok(Way::Mounted),
                    Begun::Place(place) => (place, 0),
                },
            };
            let result = if in_pieces || offset > 0 {
                match self.send_in_pieces(push, &place, body, offset, in_pieces, &object) {
                    Ok(result) => result,
                    Err(error) => return Err(unreadable(body, &object).or(refused_whole).unwrap_or(error)),
                }
            } else {
                self.send_whole(push, &place, body)
            };
            match result {
                Ok(response) if matches!(response.status, 200 | 201 | 204) => {
                    check_digest(&response, body.digest, &object)?;
                    push.in_pieces.fetch_or(in_pieces, Ordering::Relaxed);
                    return Ok(Way::Sent);
                }
                // The token ran out on the way.
                Ok(response) if response.status == 401 && !asked_again => asked_again = true,
                // Some take no blob whole, or none as large as this; those that do are asked the usual way.
                Ok(response) if !in_pieces && offset == 0 && is_about_the_way(response.status) => {
                    in_pieces = true;
                    self.progress().log(&format!("{object}: status {}, sent again in pieces", response.status));
                    refused_whole = Some(push.refuse(Ok(response), object.clone()));
                }
                // The rest of an upload that the registry forgot meanwhile is begun anew.
                Ok(response) if offset > 0 && matches!(response.status, 404 | 416) && attempt < 4 => attempt += 1,
                result => {
                    let result = match body.failure() {
                        Some(error) if !error.is_unreachable() => return Err(source(error, &object)),
                        Some(error) => Err(error),
                        None => result,
                    };
                    if !self.client.wait_after(attempt, &result, &place.url)? {
                        return Err(refused_whole.unwrap_or_else(|| push.refuse(result, object)));
                    }
                    attempt += 1;
                    if !in_pieces {
                        begun = self.progress_of(push, &place, body.size, &object);
                    }
                }
            }
        }
    }

    /// Whether the repository has the blob.
    fn has(&self, push: &Push<'_>, digest: Digest, size: u64) -> Result<bool, RegistryError> {
        let object = object(digest);
        let url = push.endpoint.url("blobs", &digest.to_string())?;
        let response = self.ask(&push.endpoint, &Request::head(url)).map_err(|error| push.wrap(error, &object))?;
        match response.status {
            200 => match response.content_length() {
                Some(found) if found != size => {
                    Err(RegistryError::Size { object, url: response.url.shown(), found, expected: size })
                }
                _ => Ok(true),
            },
            404 | 405 | 410 | 501 => Ok(false),
            _ => Err(push.refuse(Ok(response), object)),
        }
    }

    /// Refuses a registry that took a blob and does not have it.
    fn confirm(&self, push: &Push<'_>, digest: Digest, size: u64) -> Result<(), RegistryError> {
        if self.has(push, digest, size)? {
            return Ok(());
        }
        let url = push.endpoint.url("blobs", &digest.to_string())?.shown();
        let reason = "it was taken, but is not there".to_owned();
        Err(RegistryError::Nonsense { object: object(digest), url, reason })
    }
}

/// The error of a blob that could not be read where it comes from.
fn source(error: HttpError, object: &str) -> RegistryError {
    match error {
        HttpError::Local(error) if error.kind() == io::ErrorKind::InvalidData => {
            RegistryError::Unlike { object: object.to_owned(), reason: error.to_string() }
        }
        error => error.into(),
    }
}

fn unreadable(body: &Body, object: &str) -> Option<RegistryError> {
    body.failure().map(|error| source(error, object))
}

fn object(digest: Digest) -> String {
    format!("blob {digest}")
}

/// Whether a refusal may be about how a blob was sent, and not about the blob or who sends it.
fn is_about_the_way(status: u16) -> bool {
    matches!(status, 400 | 404 | 405 | 411 | 413 | 415 | 416 | 501)
}
