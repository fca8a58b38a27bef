//! Indexes and image manifests, by tag or by digest.

use super::endpoint::Endpoint;
use super::{Registry, RegistryError, header_digest, refuse};
use crate::digest::Digest;
use crate::escape;
use crate::http::Request;
use crate::image::document::InvalidDocument;
use crate::image::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, Kind, OCI_INDEX, OCI_MANIFEST, kind};
use crate::image::{Document, ImageManifest, Index};
use crate::limits::Limits;
use crate::reference::Reference;

/// What stands for "some bytes" in a `Content-Type`: the document itself has to say what it is.
const ANY_TYPE: &[&str] = &["application/json", "application/octet-stream", "text/plain"];

/// A document that a reference named, checked.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its media type.
    pub media_type: String,
    /// The document with its exact bytes.
    pub document: ImageDocument,
    /// The mirror that said what the tag means, where the registry itself was not reached.
    pub mirror: Option<String>,
}

/// One of the two kinds of document that a reference can name.
#[derive(Clone, Debug)]
pub enum ImageDocument {
    /// Image manifests of several platforms.
    Index(Document<Index>),
    /// One image.
    Manifest(Box<Document<ImageManifest>>),
}

impl Fetched {
    /// The digest that the bytes have.
    pub fn digest(&self) -> Digest {
        match &self.document {
            ImageDocument::Index(index) => index.digest(),
            ImageDocument::Manifest(manifest) => manifest.digest(),
        }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.document {
            ImageDocument::Index(index) => index.bytes(),
            ImageDocument::Manifest(manifest) => manifest.bytes(),
        }
    }
}

impl Registry {
    /// The document that the reference names: by its digest if it has one, else by its tag, else by `latest`.
    ///
    /// Mirrors give what has a digest; what a tag means they say only where the registry itself is not reached.
    pub fn manifest(&self, reference: &Reference) -> Result<Fetched, RegistryError> {
        let reference = reference.clone().with_default_tag();
        let object = object(&reference);
        let ask = |endpoint: &Endpoint| self.manifest_from(endpoint, &reference, &object);
        if reference.digest().is_some() {
            return self.try_each(&reference, "manifest", ask);
        }
        let (fetched, mirror) = self.try_upstream(&reference, "manifest", ask)?;
        Ok(Fetched { mirror, ..fetched })
    }

    /// Whether the document that the reference names is there, without fetching it: a hint only.
    pub fn has_manifest(&self, reference: &Reference) -> Result<bool, RegistryError> {
        Ok(self.sees_manifest(reference)?.0)
    }

    /// The same, with the mirror that said so.
    ///
    /// The registry itself is asked, and its mirrors only where it is not reached; what these don't have is not gone.
    pub fn sees_manifest(&self, reference: &Reference) -> Result<(bool, Option<String>), RegistryError> {
        let reference = reference.clone().with_default_tag();
        let object = object(&reference);
        let asked = self.try_upstream(&reference, "manifest", |endpoint| {
            let url = endpoint.url("manifests", &name(&reference))?;
            let response = self.ask(endpoint, &accepting(Request::head(url)))?;
            match response.status {
                200 => Ok(()),
                // Some registries response only GET.
                405 | 501 => self.manifest_from(endpoint, &reference, &object).map(drop),
                _ => Err(refuse(response, &object)),
            }
        });
        match asked {
            Ok(((), mirror)) => Ok((true, mirror)),
            Err(RegistryError::NotFound { .. }) => Ok((false, None)),
            Err(error) => Err(error),
        }
    }

    fn manifest_from(
        &self,
        endpoint: &Endpoint,
        reference: &Reference,
        object: &str,
    ) -> Result<Fetched, RegistryError> {
        self.manifest_at(endpoint, &name(reference), object)
    }

    /// The document that `name`, a tag or a digest, names in the endpoint's repository.
    pub(super) fn manifest_at(&self, endpoint: &Endpoint, name: &str, object: &str) -> Result<Fetched, RegistryError> {
        let url = endpoint.url("manifests", name)?;
        let response = self.ask(endpoint, &accepting(Request::get(url)))?;
        if response.status != 200 {
            return Err(refuse(response, object));
        }
        let url = response.url.shown();
        let claimed = header_digest(&response, object)?;
        let content_type = response.header("content-type").map(bare_type);
        let bytes = response.into_bytes("json-bytes", self.limits().json_bytes)?;
        let computed = Digest::of(&bytes);
        // What was asked for counts; the header must not contradict it.
        for expected in name.parse().ok().into_iter().chain(claimed) {
            if computed != expected {
                return Err(RegistryError::Digest { object: object.to_owned(), url, computed, expected });
            }
        }
        read(bytes, content_type.as_deref(), self.limits()).map_err(|wrong| match wrong {
            Wrong::Document(source) => RegistryError::Document { object: object.to_owned(), url, source },
            Wrong::Type(reason) => RegistryError::Nonsense { object: object.to_owned(), url, reason },
        })
    }
}

enum Wrong {
    Document(InvalidDocument),
    Type(String),
}

/// Reads a document of which the registry says that it is a `content_type`.
fn read(bytes: Vec<u8>, content_type: Option<&str>, limits: &Limits) -> Result<Fetched, Wrong> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Inner {
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let outer = content_type.filter(|outer| !ANY_TYPE.contains(outer));
    if let Some(outer) = outer
        && !matches!(kind(outer), Kind::Index | Kind::Manifest)
    {
        return Err(Wrong::Type(format!("Content-Type is `{}`, which is no image", escape::text(outer))));
    }
    let inner: Inner = crate::json::parse(&bytes, limits).map_err(|error| Wrong::Document(error.into()))?;
    if let (Some(outer), Some(inner)) = (outer, &inner.media_type)
        && outer != inner
    {
        let (inner, outer) = (escape::text(inner), escape::text(outer));
        return Err(Wrong::Type(format!("`mediaType` inside is `{inner}`, Content-Type is `{outer}`")));
    }
    let by_members = || if inner.manifests.is_some() { OCI_INDEX } else { OCI_MANIFEST };
    let media_type = outer.or(inner.media_type.as_deref()).unwrap_or_else(by_members).to_owned();
    let document = match kind(&media_type) {
        Kind::Index => ImageDocument::Index(Document::parse(bytes, limits).map_err(Wrong::Document)?),
        Kind::Manifest => ImageDocument::Manifest(Box::new(Document::parse(bytes, limits).map_err(Wrong::Document)?)),
        _ => return Err(Wrong::Type(format!("`mediaType` is `{}`, which is no image", escape::text(&media_type)))),
    };
    Ok(Fetched { media_type, document, mirror: None })
}

fn object(reference: &Reference) -> String {
    format!("manifest of `{reference}`")
}

fn name(reference: &Reference) -> String {
    reference.digest().map_or_else(|| reference.tag().unwrap_or_default().to_owned(), |digest| digest.to_string())
}

fn accepting(request: Request) -> Request {
    request.header("accept", [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST].join(", "))
}

fn bare_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or("").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

    fn media_type(text: &str, content_type: Option<&str>) -> Option<String> {
        read(text.as_bytes().to_vec(), content_type, &Limits::default()).ok().map(|fetched| fetched.media_type)
    }

    #[test]
    fn all_that_tells_the_type_must_agree() {
        let typed = |inner: &str| EMPTY.replacen('{', &format!(r#"{{"mediaType":"{inner}","#), 1);
        for (text, outer, want) in [
            (EMPTY.to_owned(), None, Some(OCI_INDEX)),
            (EMPTY.to_owned(), Some("application/json"), Some(OCI_INDEX)),
            (EMPTY.to_owned(), Some(DOCKER_INDEX), Some(DOCKER_INDEX)),
            (typed(DOCKER_INDEX), None, Some(DOCKER_INDEX)),
            (typed(DOCKER_INDEX), Some(DOCKER_INDEX), Some(DOCKER_INDEX)),
            (typed(DOCKER_INDEX), Some(OCI_INDEX), None),
            (typed(OCI_MANIFEST), None, None),
            (typed("text/html"), None, None),
            (EMPTY.to_owned(), Some("text/html"), None),
            (EMPTY.to_owned(), Some(OCI_MANIFEST), None),
            (EMPTY.to_owned(), Some("application/vnd.docker.distribution.manifest.v1+prettyjws"), None),
            ("<html>".to_owned(), None, None),
        ] {
            assert_eq!(media_type(&text, outer).as_deref(), want, "{text} as {outer:?}");
        }
    }
}
