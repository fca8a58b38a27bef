//! The configuration of base images that are locked: their ENV and ONBUILD decide what a Dockerfile asks for.

use super::contexts::context_of;
use crate::digest::Digest;
use crate::dockerfile::target::{BaseConfig, BaseImages, Image};
use crate::lockfile::{Lockfile, Pin};
use crate::resolve::{ResolveError, Resolver};

/// Answers from the lockfile's pins; what is not pinned yet is [`BaseConfig::pending`].
pub struct LockedBases<'a> {
    /// The pins.
    pub lockfile: &'a Lockfile,
    /// Where configurations come from; without, all are unknown.
    pub resolver: Option<&'a Resolver>,
    /// Ask no host: configurations that lie neither in the cache nor in a layout are unknown.
    pub offline: bool,
}

impl LockedBases<'_> {
    fn pin(&self, base: &Image) -> Option<(&Pin, Digest)> {
        let platform = base.platform.normalised();
        self.lockfile.sources.iter().find_map(|pin| {
            let wanted = match (pin, &base.layout) {
                (Pin::Layout { request, .. }, Some((store, _))) => *request == context_of(store),
                (Pin::Image { request, .. }, None) => *request == base.reference,
                _ => false,
            };
            pin.platforms().filter(|_| wanted).and_then(|platforms| Some((pin, *platforms.get(&platform)?)))
        })
    }
}

impl BaseImages for LockedBases<'_> {
    type Error = ResolveError;

    fn config(&mut self, base: &Image) -> Result<BaseConfig, ResolveError> {
        let Some(resolver) = self.resolver else { return Ok(BaseConfig::unknown()) };
        let Some((pin, manifest)) = self.pin(base) else { return Ok(BaseConfig::pending()) };
        let at_hand = matches!(pin, Pin::Layout { .. }) || resolver.cache.path(&manifest).is_some();
        if self.offline && !at_hand {
            return Ok(BaseConfig::pending());
        }
        let image = resolver.locked_image(pin, manifest)?;
        let texts = |list: &[Vec<u8>]| list.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let config = &image.config.run;
        let mut env: Vec<String> = texts(&config.env);
        if !env.iter().any(|variable| variable.starts_with("PATH=")) {
            env.extend(BaseConfig::unknown().env);
        }
        Ok(BaseConfig {
            env,
            onbuild: texts(&config.on_build),
            working_dir: text(&config.working_dir),
            user: text(&config.user),
            shell: texts(&config.shell),
            is_empty: image.manifest.layers.is_empty(),
            is_pending: false,
        })
    }
}
