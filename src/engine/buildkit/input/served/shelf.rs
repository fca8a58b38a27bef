//! What may be asked for, by path.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::repository::Repository;
use crate::build::Plan;
use crate::digest::Digest;
use crate::engine::sources::Sources;
use crate::http::date;
use crate::image::media_type::{OCI_INDEX, OCI_MANIFEST};
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::registry::ImageDocument;
use crate::resolve::LockedImage;
use crate::status::Failure;

/// Things by the path under which they are asked for: `files/<hex>`, `v2/<repository>/manifests/<digest>` and
/// `v2/<repository>/blobs/<digest>`; repositories of commits at `git/<hex>.git`.
#[derive(Default)]
pub struct Shelf {
    items: BTreeMap<String, Item>,
    repositories: BTreeMap<String, Repository>,
}

/// One thing.
pub struct Item {
    /// Bytes of the body.
    pub size: u64,
    /// What stands in the head beside the body's size.
    pub headers: Vec<(&'static str, String)>,
    /// Where the bytes are.
    pub body: Body,
}

/// Where the bytes of a thing are.
pub enum Body {
    /// In memory: a document.
    Bytes(Arc<[u8]>),
    /// In a file.
    File(PathBuf),
    /// Wherever the source of an image has them; fetched once, when they are first asked for.
    Blob {
        /// The pin's request.
        request: String,
        /// Digest of the blob.
        digest: Digest,
        /// Its file once it was asked for; none if it can't be had.
        file: OnceLock<Option<PathBuf>>,
    },
}

impl Shelf {
    /// The repository of commits that lies at `path`.
    pub fn repository(&self, path: &str) -> Option<&Repository> {
        self.repositories.get(path)
    }

    /// Puts a commit of the repository at `url` there, and gives the path of the repository.
    pub fn put_commit(&mut self, url: &str, commit: &str, bundle: PathBuf) -> io::Result<String> {
        let place = format!("git/{}.git", Digest::of(url.as_bytes()).hex());
        self.repositories.entry(place.clone()).or_default().add(commit, bundle)?;
        Ok(place)
    }

    /// What lies at `path`.
    pub fn get(&self, path: &str) -> Option<&Item> {
        self.items.get(path)
    }

    /// Puts the body of a locked file there, and gives its path.
    pub fn put_file(&mut self, digest: &Digest, path: PathBuf, size: u64, modified: Option<u64>) -> String {
        let place = format!("files/{}", digest.hex());
        let headers = modified.and_then(date::write).map(|modified| ("Last-Modified", modified));
        self.items.insert(place.clone(), Item { size, headers: headers.into_iter().collect(), body: Body::File(path) });
        place
    }

    /// Puts an image there, and gives the path of its registry's repositories.
    ///
    /// With `at_hand`, layers of the plan's platform are looked for now and not when they are asked for.
    pub fn put_image(
        &mut self,
        plan: &Plan,
        pin: &Pin,
        sources: &dyn Sources,
        at_hand: bool,
    ) -> Result<String, Failure> {
        let reference: Reference = pin.request().parse()?;
        // A host with its port is no part of a repository's name.
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
        let registry = reference.domain().to_ascii_lowercase().replace(|c| !is_plain(c), "-");
        let registry = registry.trim_matches(['-', '.']).to_owned();
        let repository = format!("v2/{registry}/{}", reference.path());
        if pin.platforms().is_none_or(BTreeMap::is_empty) {
            self.put_any(&repository, pin, sources, at_hand)?;
            return Ok(registry);
        }
        let document = sources.document(pin)?;
        let (bytes, media_type, usual) = match &document {
            ImageDocument::Index(index) => (index.bytes(), &index.media_type, OCI_INDEX),
            ImageDocument::Manifest(manifest) => (manifest.bytes(), &manifest.media_type, OCI_MANIFEST),
        };
        self.put_manifest(&repository, bytes, media_type.as_deref().unwrap_or(usual));
        for (platform, manifest) in pin.platforms().into_iter().flatten() {
            match sources.image(pin, *manifest) {
                Ok(image) => {
                    let at_hand = at_hand && *platform == plan.platform;
                    self.put_platform(&repository, pin.request(), &image, at_hand.then_some(sources))?;
                }
                // Another platform of the same image may be none of this build's.
                Err(_) if *platform != plan.platform => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(registry)
    }

    /// Puts an image of which only the digest is locked there, as far as it is at hand; gives the path of its repository.
    pub fn put_whole(&mut self, request: &str, digest: Digest, sources: &dyn Sources) -> Result<String, Failure> {
        let pin = Pin::Image { request: request.to_owned(), digest, platforms: BTreeMap::new() };
        self.put_any("v2/image", &pin, sources, true)?;
        Ok("image".to_owned())
    }

    /// Puts an image there of which no platform is locked, a frontend or BuildKit itself: it runs wherever the daemon does.
    /// What can be had of one platform at least is enough.
    fn put_any(&mut self, repository: &str, pin: &Pin, sources: &dyn Sources, at_hand: bool) -> Result<(), Failure> {
        let manifests = match sources.document(pin)? {
            ImageDocument::Manifest(manifest) => vec![Digest::of(manifest.bytes())],
            ImageDocument::Index(index) => {
                let media_type = index.media_type.as_deref().unwrap_or(OCI_INDEX);
                self.put_manifest(repository, index.bytes(), media_type);
                let images = index.manifests.iter().filter(|descriptor| !descriptor.is_attestation());
                images.map(|descriptor| descriptor.digest).collect()
            }
        };
        let (mut is_there, mut missing) = (false, None);
        for manifest in manifests {
            let put = sources.image(pin, manifest);
            let put =
                put.and_then(|image| self.put_platform(repository, pin.request(), &image, at_hand.then_some(sources)));
            match put {
                Ok(()) => is_there = true,
                Err(failure) => missing = missing.or(Some(failure)),
            }
        }
        missing.filter(|_| !is_there).map_or(Ok(()), Err)
    }

    fn put_platform(
        &mut self,
        repository: &str,
        request: &str,
        image: &LockedImage,
        at_hand: Option<&dyn Sources>,
    ) -> Result<(), Failure> {
        let media_type = image.manifest.media_type.as_deref().unwrap_or(OCI_MANIFEST);
        self.put_manifest(repository, image.manifest.bytes(), media_type);
        let config = image.config.bytes();
        self.put_blob(repository, image.config.digest(), config.len() as u64, Body::Bytes(config.into()));
        for layer in &image.manifest.layers {
            let body = match at_hand {
                Some(sources) => Body::File(sources.blob(request, layer.digest, layer.size)?),
                None => Body::Blob { request: request.to_owned(), digest: layer.digest, file: OnceLock::new() },
            };
            self.put_blob(repository, layer.digest, layer.size, body);
        }
        Ok(())
    }

    fn put_manifest(&mut self, repository: &str, bytes: &[u8], media_type: &str) {
        let digest = Digest::of(bytes).to_string();
        let place = format!("{repository}/manifests/{digest}");
        let headers = vec![("Content-Type", media_type.to_owned()), ("Docker-Content-Digest", digest)];
        self.items.insert(place, Item { size: bytes.len() as u64, headers, body: Body::Bytes(bytes.into()) });
    }

    fn put_blob(&mut self, repository: &str, digest: Digest, size: u64, body: Body) {
        let headers = vec![("Content-Type", "application/octet-stream".to_owned())];
        self.items.insert(format!("{repository}/blobs/{digest}"), Item { size, headers, body });
    }
}
