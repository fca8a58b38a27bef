//! One blob on its way into a registry: whole in one request, or in pieces for those that take no whole ones.

use std::io::{self, Read};

use super::body::{BLOB, Body};
use super::{Push, check_digest};
use crate::digest::Digest;
use crate::http::{HttpError, Request, Response, Upload, Url};
use crate::registry::{Registry, RegistryError};

/// Bytes of a piece, unless the registry wants larger ones: what a proxy with usual settings lets through.
const PIECE: u64 = 1 << 20;
/// The largest piece that a registry may ask for; it is held in memory.
const LARGEST: u64 = 64 << 20;

/// Where the next bytes of a blob go.
#[derive(Clone)]
pub(super) struct Place {
    pub url: Url,
    /// Bytes that a piece has.
    piece: u64,
}

/// What a registry makes of the wish to send a blob.
pub(super) enum Begun {
    /// It has taken the blob over from another of its repositories.
    Mounted,
    /// The blob is to be sent there.
    Place(Place),
}

impl Place {
    /// Where a response to a request of an upload leads.
    fn of(response: &Response, object: &str) -> Result<Self, RegistryError> {
        let nonsense =
            |reason: String| RegistryError::Nonsense { object: object.to_owned(), url: response.url.shown(), reason };
        let location =
            response.header("location").ok_or_else(|| nonsense("an upload without `Location`".to_owned()))?;
        let url =
            response.url.join(location).map_err(|error| nonsense(format!("`Location` of the upload: {error}")))?;
        if response.url.is_tls() && !url.is_tls() {
            return Err(nonsense(format!("the upload leads from https to plain http (`{}`)", url.shown())));
        }
        let wanted = response.header("oci-chunk-min-length").and_then(|length| length.trim().parse().ok());
        Ok(Self { url, piece: wanted.unwrap_or(PIECE).clamp(PIECE, LARGEST) })
    }
}

impl Registry {
    /// Asks for a place to send a blob to; where another repository may have it, whether it can be taken over.
    pub(super) fn begin_upload(&self, push: &Push<'_>, digest: Digest, object: &str) -> Result<Begun, RegistryError> {
        let url = push.endpoint.url("blobs", "uploads/")?;
        let plain = Request::post(url.clone());
        let request = match &push.endpoint.mounts {
            Some(from) => Request::post(url.with_parameter("mount", &digest.to_string()).with_parameter("from", from)),
            None => plain.clone(),
        };
        let ask = |request| self.ask(&push.endpoint, &request).map_err(|error| push.wrap(error, object));
        let mut response = ask(request)?;
        if push.endpoint.mounts.is_some() {
            match response.status {
                201 => {
                    check_digest(&response, digest, object)?;
                    return Ok(Begun::Mounted);
                }
                202 => {}
                // Some know no mounts, or forbid those from where the login may not read.
                _ => response = ask(plain)?,
            }
        }
        if response.status != 202 {
            return Err(push.refuse(Ok(response), object.to_owned()));
        }
        Place::of(&response, object).map(Begun::Place)
    }

    /// Sends a blob in one request.
    pub(super) fn send_whole(&self, push: &Push<'_>, place: &Place, body: &Body) -> Result<Response, HttpError> {
        let url = place.url.clone().with_parameter("digest", &body.digest.to_string());
        self.client.send(&self.logged_in(push, Request::put(url.clone(), body.upload(0)), &url))
    }

    /// Where an upload that broke may go on, and from which byte; none where the registry has nothing of it.
    pub(super) fn progress_of(&self, push: &Push<'_>, place: &Place, size: u64, object: &str) -> Option<(Place, u64)> {
        let request = self.logged_in(push, Request::get(place.url.clone()).once(), &place.url);
        let response = self.client.send(&request).ok().filter(|response| matches!(response.status, 200 | 204))?;
        let done = kept(&response).filter(|done| (2..size).contains(done))?;
        let next = Place::of(&response, object).map_or_else(|_| place.url.clone(), |next| next.url);
        self.progress().log(&format!("{object}: goes on at byte {done}"));
        Some((Place { url: next, piece: place.piece }, done))
    }

    /// Sends a blob from byte `offset` on, piece by piece or in one, each to where the response to the one before leads,
    /// and closes it with its digest.
    ///
    /// The inner result is that of the last request that was sent.
    pub(super) fn send_in_pieces(
        &self,
        push: &Push<'_>,
        place: &Place,
        body: &Body,
        offset: u64,
        in_pieces: bool,
        object: &str,
    ) -> Result<Result<Response, HttpError>, RegistryError> {
        let local = |error: io::Error| push.wrap(HttpError::Local(error.into()).into(), object);
        let (mut url, mut done) = (place.url.clone(), offset);
        let mut reader = match in_pieces {
            true => Some(body.reader().map_err(local)?),
            false => None,
        };
        while done < body.size {
            let (upload, length) = match &mut reader {
                Some(reader) => {
                    let mut piece = Vec::new();
                    reader.by_ref().take(place.piece).read_to_end(&mut piece).map_err(local)?;
                    (Upload::of_bytes(&piece, BLOB), piece.len() as u64)
                }
                None => (body.upload(done), body.size - done),
            };
            let request =
                Request::patch(url.clone(), upload).header("content-range", format!("{done}-{}", done + length - 1));
            let response = match self.client.send(&self.logged_in(push, request, &url)) {
                Ok(response) if response.status == 202 => response,
                other => return Ok(other),
            };
            done += length;
            if let Some(kept) = kept(&response).filter(|kept| *kept != done) {
                let reason = format!("the registry keeps {kept} bytes of {done} that it was sent");
                return Err(RegistryError::Nonsense { object: object.to_owned(), url: response.url.shown(), reason });
            }
            url = Place::of(&response, object)?.url;
        }
        let url = url.with_parameter("digest", &body.digest.to_string());
        Ok(self.client.send(&self.logged_in(push, Request::put(url.clone(), Upload::of_bytes(&[], BLOB)), &url)))
    }

    /// The request with the login that the registry was content with, if it goes to the registry itself.
    fn logged_in(&self, push: &Push<'_>, request: Request, url: &Url) -> Request {
        let login = self.known_login(&push.endpoint).filter(|_| url.origin() == push.endpoint.origin());
        request.named_by(push.endpoint.base()).authorization(login)
    }
}

/// How many bytes of an upload the registry says to have.
fn kept(response: &Response) -> Option<u64> {
    let range = response.header("range")?.trim();
    let (first, last) = range.strip_prefix("bytes=").unwrap_or(range).split_once('-')?;
    (first == "0").then(|| last.parse::<u64>().ok()?.checked_add(1)).flatten()
}
