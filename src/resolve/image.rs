//! Images: the document that a reference names, and the image manifest for each platform.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};

use super::matching::serving;
use super::{Reason, Resolved, Resolver};
use crate::digest::Digest;
use crate::escape;
use crate::image::document::{View, check};
use crate::image::media_type::{Kind, kind};
use crate::image::{Config, Descriptor, Document, ImageManifest, InvalidDocument};
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::{ImageDocument, RegistryError};
use crate::store::{Cache, StoreError};

/// Where the documents of one image come from.
pub(super) trait Documents {
    /// The index or image manifest that the descriptor describes, checked against it.
    fn document(&self, descriptor: &Descriptor) -> Result<ImageDocument, Reason>;

    /// The config that the descriptor describes, checked against it.
    fn config(&self, descriptor: &Descriptor) -> Result<Document<Config>, Reason>;
}

/// The image manifests that were chosen.
pub(super) struct Chosen {
    /// By platform.
    pub platforms: BTreeMap<Platform, Document<ImageManifest>>,
    /// The newest `created` of their configs, in seconds since 1970.
    pub made: Option<i64>,
}

impl Resolver {
    pub(super) fn resolve_image(
        &self,
        reference: &Reference,
        platforms: &BTreeSet<Platform>,
    ) -> Result<Resolved, Reason> {
        let reference = reference.clone().with_default_tag();
        let fetched = self.registry.manifest(&reference)?;
        let (digest, mirror) = (fetched.digest(), fetched.mirror.clone());
        keep(&self.cache, fetched.bytes())?;
        let source = Remote { resolver: self, reference: &reference };
        let chosen = self.choose(&source, fetched.document, platforms)?;
        let platforms =
            chosen.platforms.into_iter().map(|(platform, manifest)| (platform, manifest.digest())).collect();
        let pin = Pin::Image { request: reference.to_string(), digest, platforms };
        Ok(Resolved { pin, made: chosen.made.filter(|_| self.ages), mirror })
    }

    /// The image manifest for each platform, with its config read and kept.
    pub(super) fn choose(
        &self,
        source: &dyn Documents,
        top: ImageDocument,
        wanted: &BTreeSet<Platform>,
    ) -> Result<Chosen, Reason> {
        let mut candidates = Vec::new();
        let is_lone = matches!(top, ImageDocument::Manifest(_));
        self.list(source, top, 1, &mut candidates)?;
        let mut chosen = Chosen { platforms: BTreeMap::new(), made: None };
        for platform in wanted {
            let candidate = pick(source, &mut candidates, platform, is_lone)?;
            let manifest = candidate.manifest(source)?;
            let config = source.config(&manifest.config)?;
            let says = platform_of(&config);
            if let Some(listed) = &candidate.platform
                && (&listed.os, &listed.architecture) != (&says.os, &says.architecture)
            {
                let digest = manifest.digest();
                self.progress().warn(&format!(
                    "image manifest {digest} is listed for {listed}, but its config says {}",
                    escape::text(&says.to_string())
                ));
            }
            let is_for_another = (&says.os, &says.architecture) != (&platform.os, &platform.architecture);
            if is_lone && is_for_another && !candidate.says_nothing() {
                let digest = manifest.digest();
                self.progress().warn(&format!(
                    "image manifest {digest} is for {}, and there is none for {platform}: what is in it may not run there",
                    escape::text(&says.to_string())
                ));
            }
            chosen.made = chosen.made.max(config.created.map(|created| created.seconds()));
            chosen.platforms.insert(platform.clone(), manifest);
        }
        Ok(chosen)
    }

    /// All image manifests below `document`, in order; attestations and artifacts are left out.
    pub(super) fn list(
        &self,
        source: &dyn Documents,
        document: ImageDocument,
        depth: u64,
        into: &mut Vec<Candidate>,
    ) -> Result<(), Reason> {
        let index = match document {
            ImageDocument::Index(index) => index,
            ImageDocument::Manifest(manifest) => {
                into.push(Candidate { platform: None, found: Found::Read(manifest) });
                return Ok(());
            }
        };
        if depth > self.limits().index_depth {
            return Err(Reason::Depth(self.limits().index_depth));
        }
        for descriptor in index.manifests.iter().filter(|descriptor| !descriptor.is_attestation()) {
            match kind(&descriptor.media_type) {
                Kind::Manifest => {
                    let unknown = descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
                    if !unknown {
                        let platform = descriptor.image_platform();
                        into.push(Candidate { platform, found: Found::Listed(Box::new(descriptor.clone())) });
                    }
                }
                Kind::Index => self.list(source, source.document(descriptor)?, depth + 1, into)?,
                _ => {}
            }
            if into.len() as u64 > self.limits().index_manifests {
                let limit = self.limits().index_manifests;
                let object = "indexes in each other".to_owned();
                let exceeded = crate::limits::LimitExceeded { name: "index-manifests", limit, object };
                return Err(Reason::Document { what: "index", digest: index.digest(), source: exceeded.into() });
            }
        }
        Ok(())
    }
}

pub(super) struct Candidate {
    /// What the index says it is for.
    platform: Option<Platform>,
    found: Found,
}

enum Found {
    Listed(Box<Descriptor>),
    Read(Box<Document<ImageManifest>>),
}

impl Candidate {
    /// Whether neither an index nor the config names a platform.
    fn says_nothing(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.os.is_empty() && platform.architecture.is_empty())
    }

    pub(super) fn digest(&self) -> Digest {
        match &self.found {
            Found::Listed(descriptor) => descriptor.digest,
            Found::Read(manifest) => manifest.digest(),
        }
    }

    fn manifest(&self, source: &dyn Documents) -> Result<Document<ImageManifest>, Reason> {
        match &self.found {
            Found::Read(manifest) => Ok((**manifest).clone()),
            Found::Listed(descriptor) => match source.document(descriptor)? {
                ImageDocument::Manifest(manifest) => Ok(*manifest),
                ImageDocument::Index(index) => {
                    let source = InvalidDocument::Rule("an index where an image manifest was announced".to_owned());
                    Err(Reason::Document { what: "image manifest", digest: index.digest(), source })
                }
            },
        }
    }
}

/// The best candidate for `wanted`; only if none is listed for it, those without a platform are looked into.
///
/// An image without an index (`is_lone`) may be of any platform: nothing better can be chosen, and BuildKit asks nothing.
pub(super) fn pick<'a>(
    source: &dyn Documents,
    candidates: &'a mut [Candidate],
    wanted: &Platform,
    is_lone: bool,
) -> Result<&'a Candidate, Reason> {
    let mut best = find_best(candidates, wanted)?;
    if best.is_none() {
        for candidate in candidates.iter_mut().filter(|candidate| candidate.platform.is_none()) {
            let manifest = candidate.manifest(source)?;
            if kind(&manifest.config.media_type) == Kind::Config {
                let config = source.config(&manifest.config)?;
                candidate.platform = Some(platform_of(&config));
            }
            candidate.found = Found::Read(Box::new(manifest));
        }
        best = find_best(candidates, wanted)?;
    }
    // A single image that says nothing about its platform is what every tool builds on.
    if best.is_none() && candidates.len() == 1 && candidates.iter().all(Candidate::says_nothing) {
        best = Some(0);
    }
    if best.is_none() && is_lone {
        best = candidates.iter().position(|candidate| candidate.platform.is_some());
    }
    if let Some(candidate) = best.and_then(|at| candidates.get(at)) {
        return Ok(candidate);
    }
    let there: BTreeSet<_> = candidates.iter().filter_map(|candidate| candidate.platform.clone()).collect();
    Err(Reason::Platform { wanted: wanted.clone(), there: there.into_iter().collect() })
}

/// Where the image is that serves `wanted` best; two different ones for one platform are an error.
fn find_best(candidates: &[Candidate], wanted: &Platform) -> Result<Option<usize>, Reason> {
    for platform in serving(wanted) {
        let matching = || candidates.iter().enumerate().filter(|(_, c)| c.platform.as_ref() == Some(&platform));
        let digests: BTreeSet<_> = matching().map(|(_, candidate)| candidate.digest()).collect();
        match (matching().next(), digests.len()) {
            (Some((at, _)), 1) => return Ok(Some(at)),
            (Some(_), count) => return Err(Reason::Ambiguous { platform, count }),
            (None, _) => {}
        }
    }
    Ok(None)
}

fn platform_of(config: &Config) -> Platform {
    Platform::new(&config.os, &config.architecture, Some(config.variant.as_str()).filter(|variant| !variant.is_empty()))
}

/// The documents of an image in a registry; what is read is kept in the cache.
pub(super) struct Remote<'a> {
    pub resolver: &'a Resolver,
    pub reference: &'a Reference,
}

impl Documents for Remote<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<ImageDocument, Reason> {
        let fetched = self.resolver.registry.manifest(&self.reference.clone().with_digest(descriptor.digest))?;
        let refused = |source| Reason::Document { what: "manifest", digest: descriptor.digest, source };
        check(fetched.bytes(), descriptor).map_err(refused)?;
        if fetched.media_type != descriptor.media_type {
            let (inner, outer) = (fetched.media_type, descriptor.media_type.clone());
            return Err(refused(InvalidDocument::MediaType { inner, outer }));
        }
        keep(&self.resolver.cache, fetched.bytes())?;
        Ok(fetched.document)
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Document<Config>, Reason> {
        read_blob(self.resolver, self.reference, descriptor)
    }
}

/// A document that is stored as a blob, from the cache or the registry.
pub(super) fn read_blob<T: View>(
    resolver: &Resolver,
    reference: &Reference,
    descriptor: &Descriptor,
) -> Result<Document<T>, Reason> {
    let limits = resolver.limits();
    let refused = |source| Reason::Document { what: T::WHAT, digest: descriptor.digest, source };
    if descriptor.size > limits.json_bytes {
        let (limit, object) = (limits.json_bytes, T::WHAT.to_owned());
        return Err(refused(crate::limits::LimitExceeded { name: "json-bytes", limit, object }.into()));
    }
    let path = resolver.registry.blob(reference, descriptor.digest, Some(descriptor.size), &resolver.cache)?;
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(descriptor.size.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| StoreError::File { action: "read", path, error })?;
    Document::described(bytes, descriptor, limits).map_err(refused)
}

/// Puts a document into the cache.
pub(super) fn keep(cache: &Cache, bytes: &[u8]) -> Result<(), Reason> {
    let digest = Digest::of(bytes);
    if cache.path(&digest).is_some() {
        return Ok(());
    }
    let mut writer = cache.writer()?;
    writer.write_all(bytes).map_err(|error| RegistryError::from(crate::http::HttpError::Local(error.into())))?;
    writer.commit(Some(&digest))?;
    Ok(())
}
