//! OCI layouts as named contexts.

use std::collections::BTreeSet;
use std::path::Path;

use super::image::{Documents, keep};
use super::{Reason, Resolved, Resolver};
use crate::digest::Digest;
use crate::escape;
use crate::image::layout::LayoutError;
use crate::image::media_type::{Kind, kind};
use crate::image::{Config, Descriptor, Document, ImageManifest, InvalidDocument, Layout};
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::registry::ImageDocument;

/// How a layout's index names an image.
const NAME: &str = "org.opencontainers.image.ref.name";

impl Resolver {
    pub(super) fn resolve_layout(
        &self,
        name: &str,
        path: &Path,
        selector: Option<&str>,
        platforms: &BTreeSet<Platform>,
    ) -> Result<Resolved, Reason> {
        let layout = Layout::open(path, self.limits())?;
        let source = Local { layout: &layout, limits: self.limits() };
        let top = source.select(selector)?;
        let digest = match &top {
            ImageDocument::Index(index) => index.digest(),
            ImageDocument::Manifest(manifest) => manifest.digest(),
        };
        let chosen = self.choose(&source, top, platforms)?;
        for manifest in chosen.platforms.values() {
            keep(&self.cache, manifest.bytes())?;
            for layer in &manifest.layers {
                source.expect_blob(layer)?;
            }
        }
        let platforms =
            chosen.platforms.into_iter().map(|(platform, manifest)| (platform, manifest.digest())).collect();
        let pin = Pin::Layout { request: name.to_owned(), digest, platforms };
        Ok(Resolved { pin, made: chosen.made.filter(|_| self.ages), mirror: None })
    }
}

/// The documents of an image in a layout.
pub(super) struct Local<'a> {
    pub layout: &'a Layout,
    pub limits: &'a Limits,
}

impl Local<'_> {
    /// The document that the selector (tag or digest) names, or the only one.
    fn select(&self, selector: Option<&str>) -> Result<ImageDocument, Reason> {
        let listed: Vec<_> = self.layout.index().manifests.iter().filter(|listed| !listed.is_attestation()).collect();
        let Some(selector) = selector else {
            return match listed[..] {
                [one] => self.document(one),
                _ => Err(self.cannot_choose("expected one image", &listed)),
            };
        };
        if let Ok(digest) = selector.trim_start_matches('@').parse::<Digest>() {
            return match listed.iter().find(|listed| listed.digest == digest) {
                Some(descriptor) => self.document(descriptor),
                None => self.by_digest(digest),
            };
        }
        let named: Vec<_> =
            listed.iter().copied().filter(|l| l.annotations.get(NAME).is_some_and(|name| name == selector)).collect();
        match named[..] {
            [one] => self.document(one),
            _ => {
                let expected = format!("expected one image named `{}`", escape::text(selector));
                Err(self.cannot_choose(&expected, &listed))
            }
        }
    }

    fn cannot_choose(&self, expected: &str, listed: &[&Descriptor]) -> Reason {
        let shown = |listed: &&Descriptor| match listed.annotations.get(NAME) {
            Some(name) => format!("`{}`", escape::text(name)),
            None => listed.digest.to_string(),
        };
        let directory = escape::name(self.layout.directory().as_os_str().as_encoded_bytes());
        let there = match listed {
            [] => "none".to_owned(),
            some => some.iter().take(20).map(shown).collect::<Vec<_>>().join(", "),
        };
        Reason::Selection(format!("{expected} in the layout `{directory}`, found {there}"))
    }

    /// A document that only its digest names: whatever kind it is.
    pub fn by_digest(&self, digest: Digest) -> Result<ImageDocument, Reason> {
        match self.layout.document_by_digest::<ImageManifest>(digest, self.limits) {
            Ok(manifest) => Ok(ImageDocument::Manifest(Box::new(manifest))),
            Err(LayoutError::Document { source: InvalidDocument::Digest { computed, expected }, .. }) => {
                Err(Reason::Document {
                    what: "manifest",
                    digest,
                    source: InvalidDocument::Digest { computed, expected },
                })
            }
            Err(LayoutError::Document { .. }) => {
                Ok(ImageDocument::Index(self.layout.document_by_digest(digest, self.limits)?))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// An error if the blob is not there or has another size.
    fn expect_blob(&self, descriptor: &Descriptor) -> Result<(), Reason> {
        let file = self.layout.open_blob(descriptor.digest)?;
        let path = self.layout.blob_path(descriptor.digest);
        let actual = file.metadata().map_err(|source| LayoutError::Io { path, source })?.len();
        if actual != descriptor.size {
            let source = InvalidDocument::Size { actual, expected: descriptor.size };
            return Err(Reason::Document { what: "layer", digest: descriptor.digest, source });
        }
        Ok(())
    }
}

impl Documents for Local<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<ImageDocument, Reason> {
        match kind(&descriptor.media_type) {
            Kind::Index => Ok(ImageDocument::Index(self.layout.document(descriptor, self.limits)?)),
            Kind::Manifest => Ok(ImageDocument::Manifest(Box::new(self.layout.document(descriptor, self.limits)?))),
            _ => {
                let reason = format!("media type `{}` is no image", escape::text(&descriptor.media_type));
                let source = InvalidDocument::Rule(reason);
                Err(Reason::Document { what: "manifest", digest: descriptor.digest, source })
            }
        }
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Document<Config>, Reason> {
        Ok(self.layout.document(descriptor, self.limits)?)
    }
}
