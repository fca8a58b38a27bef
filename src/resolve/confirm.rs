//! Whether the image manifests of a pin are those that its index has: people read the one digest, builds use the others.

use std::collections::BTreeMap;

use super::error::NotListed;
use super::image::{Documents, Remote, pick};
use super::layout::Local;
use super::{Reason, ResolveErrors, Resolver};
use crate::digest::Digest;
use crate::image::Layout;
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::ImageDocument;

impl Resolver {
    /// Checks that what each image's pin has for a platform is what its locked index has for it.
    ///
    /// Indexes that are not in the cache are fetched.
    pub fn confirm(&self, pins: &[Pin]) -> Result<(), ResolveErrors> {
        let errors = self.each(pins, |pin| pin.request().to_owned(), |pin| self.confirm_pin(pin));
        let errors: Vec<_> = errors.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() { Ok(()) } else { Err(ResolveErrors(errors)) }
    }

    pub(super) fn confirm_pin(&self, pin: &Pin) -> Result<(), Reason> {
        let (digest, platforms) = match pin {
            Pin::Image { digest, platforms, .. } | Pin::Layout { digest, platforms, .. } => (*digest, platforms),
            Pin::Http { .. } | Pin::Git { .. } => return Ok(()),
        };
        // Without an index there is one image manifest for all.
        if platforms.values().all(|locked| *locked == digest) {
            return Ok(());
        }
        match (pin, self.layouts.get(pin.request())) {
            (Pin::Layout { .. }, Some(directory)) => {
                let layout = Layout::open(directory, self.limits())?;
                let source = Local { layout: &layout, limits: self.limits() };
                self.compare(&source, digest, source.by_digest(digest)?, platforms)
            }
            _ => {
                let reference: Reference = pin.request().parse()?;
                let source = Remote { resolver: self, reference: &reference };
                self.compare(&source, digest, self.locked_document(&reference, digest)?, platforms)
            }
        }
    }

    fn compare(
        &self,
        source: &dyn Documents,
        index: Digest,
        document: ImageDocument,
        platforms: &BTreeMap<Platform, Digest>,
    ) -> Result<(), Reason> {
        let is_lone = matches!(document, ImageDocument::Manifest(_));
        let mut candidates = Vec::new();
        self.list(source, document, 1, &mut candidates)?;
        for (platform, locked) in platforms {
            let found = pick(source, &mut candidates, platform, is_lone)?.digest();
            if found != *locked {
                let wrong = NotListed { platform: platform.clone(), index, locked: *locked, found };
                return Err(Reason::NotListed(Box::new(wrong)));
            }
        }
        Ok(())
    }
}
