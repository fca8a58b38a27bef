//! Documents: sent as they are, and read back where a tag leads to them.

use super::about::About;
use super::{Push, ShippedDocument, check_digest};
use crate::digest::Digest;
use crate::http::{Request, Response, Upload};
use crate::image::Descriptor;
use crate::registry::{Registry, RegistryError, header_digest};

impl Registry {
    /// Sends a document under `name`, a tag or its digest; tells whether that named something else before.
    pub(super) fn push_document(
        &self,
        push: &Push<'_>,
        name: &str,
        document: &ShippedDocument,
    ) -> Result<bool, RegistryError> {
        let object = format!("manifest `{name}`");
        let digest = Digest::of(&document.bytes);
        let there = self.head(push, name, document, &object)?;
        let is_there = there.status == 200 && header_digest(&there, &object)? == Some(digest);
        let about = About::read(&document.bytes, self.limits());
        if is_there && about.is_none() {
            return Ok(false);
        }
        let response = self.put(push, name, document, &object)?;
        check_digest(&response, digest, &object)?;
        self.confirm_document(push, name, document, &object)?;
        if let Some(about) = about.filter(|_| response.header("oci-subject").is_none()) {
            let descriptor = Descriptor::of(&document.media_type, &document.bytes);
            self.list_referrer(push, about, descriptor)?;
        }
        Ok(!is_there)
    }

    fn head(
        &self,
        push: &Push<'_>,
        name: &str,
        document: &ShippedDocument,
        object: &str,
    ) -> Result<Response, RegistryError> {
        let url = push.endpoint.url("manifests", name)?;
        let request = Request::head(url).header("accept", &document.media_type);
        self.ask(&push.endpoint, &request).map_err(|error| push.wrap(error, object))
    }

    fn put(
        &self,
        push: &Push<'_>,
        name: &str,
        document: &ShippedDocument,
        object: &str,
    ) -> Result<Response, RegistryError> {
        let url = push.endpoint.url("manifests", name)?;
        let mut attempt = 1;
        loop {
            let request = Request::put(url.clone(), Upload::of_bytes(&document.bytes, &document.media_type));
            let result = match self.ask(&push.endpoint, &request) {
                Ok(response) => Ok(response),
                Err(RegistryError::Http(error)) => Err(error),
                Err(error) => return Err(push.wrap(error, object)),
            };
            match result {
                Ok(response) if matches!(response.status, 200..=204) => return Ok(response),
                result => {
                    if !self.client.wait_after(attempt, &result, &url)? {
                        return Err(push.refuse(result, object.to_owned()));
                    }
                    attempt += 1;
                }
            }
        }
    }

    /// Reads back what was sent: the registry must give the same bytes under the same name.
    fn confirm_document(
        &self,
        push: &Push<'_>,
        name: &str,
        document: &ShippedDocument,
        object: &str,
    ) -> Result<(), RegistryError> {
        let url = push.endpoint.url("manifests", name)?;
        let request = Request::get(url).header("accept", &document.media_type);
        let response = self.ask(&push.endpoint, &request).map_err(|error| push.wrap(error, object))?;
        let expected = Digest::of(&document.bytes);
        let url = response.url.shown();
        if response.status != 200 {
            let reason = format!("it was taken, but is not there as {expected} (status {})", response.status);
            return Err(RegistryError::Nonsense { object: object.to_owned(), url, reason });
        }
        let computed = Digest::of(&response.into_bytes("json-bytes", self.limits().json_bytes)?);
        if computed != expected {
            return Err(RegistryError::Digest { object: object.to_owned(), url, computed, expected });
        }
        Ok(())
    }
}
