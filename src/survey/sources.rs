//! What a Dockerfile's target takes from outside, in the lockfile's words.

use std::collections::BTreeSet;

use super::contexts::context_of;
use crate::dockerfile::sources::{Origin, Source, Sources};
use crate::lockfile::{SourceKind, WantedSource};
use crate::manifest::{Image, NamedContext};
use crate::reference::{InvalidReference, Reference};

/// The sources to be locked for one platform's target, also those of which only the config is asked for.
pub fn wanted_sources(image: &Image, sources: &Sources) -> Vec<WantedSource> {
    sources.used.iter().chain(&sources.resolved_only).filter_map(|source| wanted_source(image, source)).collect()
}

/// The image that `# syntax=` names, as [`crate::dockerfile::frontend`] gives it.
///
/// It runs on the builder's machine, whichever that is, so it is pinned without platforms.
pub fn frontend_source(syntax: &str) -> Result<WantedSource, InvalidReference> {
    let reference: Reference = syntax.parse()?;
    Ok(WantedSource {
        kind: SourceKind::Image,
        request: reference.with_default_tag().to_string(),
        platforms: BTreeSet::new(),
        checksum: None,
        lines: Vec::new(),
    })
}

/// A source as it is locked: a file, a commit or an image. Directories of the client are no outside sources.
///
/// A layout is named by its context in `image`, whichever store name the Dockerfile reader was told.
pub fn wanted_source(image: &Image, source: &Source) -> Option<WantedSource> {
    let mut platforms = BTreeSet::new();
    let (kind, request, checksum) = match &source.origin {
        Origin::Local { .. } => return None,
        Origin::Http { url, checksum, .. } => (SourceKind::Http, url.clone(), checksum.clone()),
        Origin::Git { url, git_ref, subdir, checksum, .. } => {
            (SourceKind::Git, git_request(url, git_ref, subdir), checksum.clone())
        }
        Origin::Image { reference, platform, layout } => {
            platforms.insert(platform.normalised());
            match layout {
                Some((store, _)) => (SourceKind::Layout, context_name(image, store, reference), None),
                None => (SourceKind::Image, reference.clone(), None),
            }
        }
    };
    // The lines of an image of layers are the manifest's.
    let is_of_dockerfile = image.files.dockerfile().is_some();
    let lines = source.lines.iter().filter(|_| is_of_dockerfile).map(|lines| (lines.start, lines.end)).collect();
    Some(WantedSource { kind, request, platforms, checksum, lines })
}

/// The request of a git pin: `URL[#REF[:DIRECTORY]]`.
pub fn git_request(url: &str, git_ref: &str, subdir: &str) -> String {
    match (git_ref, subdir) {
        ("", "") => url.to_owned(),
        (git_ref, "") => format!("{url}#{git_ref}"),
        (git_ref, subdir) => format!("{url}#{git_ref}:{subdir}"),
    }
}

/// The layout context that stands behind a store's name, or else replaces this reference.
fn context_name(image: &Image, store: &str, reference: &str) -> String {
    let replaced = |name: &String| {
        let (Ok(named), Ok(used)) = (name.parse::<Reference>(), reference.parse::<Reference>()) else { return false };
        let tag = |reference: &Reference| reference.tag().unwrap_or("latest").to_owned();
        named.name() == used.name() && tag(&named) == tag(&used)
    };
    let is_layout = |name: &&String| matches!(image.files.contexts.get(*name), Some(NamedContext::Layout { .. }));
    let mut layouts = image.files.contexts.keys().filter(is_layout);
    let known = context_of(store);
    match layouts.clone().find(|name| **name == known).or_else(|| layouts.find(|name| replaced(name))) {
        Some(name) => name.clone(),
        None => store.to_owned(),
    }
}
