//! One blob on its way into a registry: whole in one request, or in pieces for those that take no whole ones.

use std::io::{self, Read};

use super::push::{BLOB, OpenBlob, Push};
use super::{Registry, RegistryError};
use crate::digest::Digest;
use crate::http::{HttpError, Request, Response, Upload, Url};

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
    /// Asks for a place to send a blob to.
    pub(super) fn begin_upload(&self, push: &Push<'_>, object: &str) -> Result<Place, RegistryError> {
        let request = Request::post(push.endpoint.url("blobs", "uploads/")?);
        let response = self.ask(&push.endpoint, &request).map_err(|error| push.wrap(error, object))?;
        if response.status != 202 {
            return Err(push.refuse(Ok(response), object.to_owned()));
        }
        Place::of(&response, object)
    }

    /// Sends a blob in one request; an upload whose end is unknown can't be gone on with.
    pub(super) fn send_whole(
        &self,
        push: &Push<'_>,
        place: &Place,
        (digest, size): (Digest, u64),
        open: &OpenBlob,
    ) -> Result<Response, HttpError> {
        let upload = push.upload(digest, size, open, &self.client.settings().progress);
        let url = place.url.clone().with_parameter("digest", &digest.to_string());
        self.client.send(&self.logged_in(push, Request::put(url.clone(), upload), &url))
    }

    /// Sends a blob piece by piece, each to where the response to the one before leads, and closes it with its digest.
    ///
    /// The inner result is that of the last request that was sent.
    pub(super) fn send_in_pieces(
        &self,
        push: &Push<'_>,
        place: &Place,
        (digest, size): (Digest, u64),
        open: &OpenBlob,
        object: &str,
    ) -> Result<Result<Response, HttpError>, RegistryError> {
        let local = |error: io::Error| push.wrap(HttpError::Local(error.into()).into(), object);
        let mut reader = open(&digest).map_err(local)?.take(size);
        let (mut url, mut done) = (place.url.clone(), 0);
        while done < size {
            let mut piece = Vec::new();
            reader.by_ref().take(place.piece).read_to_end(&mut piece).map_err(local)?;
            let length = piece.len() as u64;
            if length == 0 {
                return Err(local(io::ErrorKind::UnexpectedEof.into()));
            }
            let request = Request::patch(url.clone(), Upload::of_bytes(&piece, BLOB))
                .header("content-range", format!("{done}-{}", done + length - 1));
            let response = match self.client.send(&self.logged_in(push, request, &url)) {
                Ok(response) if response.status == 202 => response,
                other => return Ok(other),
            };
            done += length;
            push.pass(length, self.progress());
            url = Place::of(&response, object)?.url;
        }
        let url = url.with_parameter("digest", &digest.to_string());
        Ok(self.client.send(&self.logged_in(push, Request::put(url.clone(), Upload::of_bytes(&[], BLOB)), &url)))
    }

    /// The request with the login that the registry was content with, if it goes to the registry itself.
    fn logged_in(&self, push: &Push<'_>, request: Request, url: &Url) -> Request {
        let login = self.known_login(&push.endpoint).filter(|_| url.origin() == push.endpoint.origin());
        request.named_by(push.endpoint.base()).authorization(login)
    }
}
