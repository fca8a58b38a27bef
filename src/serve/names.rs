//! Which manifest each tag of each repository names, as `index.json` tells it.
//!
//! An entry is called by the annotation that containerd and BuildKit write (`HOST/REPOSITORY:TAG`, of which the host does
//! not count here); by the tag alone, in the repository that is called like the file; or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::route::{is_tag, repository};
use crate::digest::Digest;
use crate::image::media_type::OCI_INDEX;
use crate::image::{Descriptor, Index};
use crate::reference::Reference;

const FULL_NAME: &str = "io.containerd.image.name";
const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// The host in names that are written: nobody else's.
const HOST: &str = "localhost";

/// The tags and documents of one repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Repository {
    pub tags: BTreeMap<String, Digest>,
    pub documents: BTreeSet<Digest>,
}

/// One name, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest of the index or image manifest.
    pub digest: Digest,
}

/// All repositories.
pub(super) type Repositories = BTreeMap<String, Repository>;

/// The repositories that an index tells of; what has no repository of its own is in `default`.
pub(super) fn read(index: &Index, default: &str) -> Repositories {
    let mut repositories = Repositories::new();
    for descriptor in &index.manifests {
        let full = descriptor.annotations.get(FULL_NAME).and_then(|name| name.parse::<Reference>().ok());
        let tag = descriptor.annotations.get(REFERENCE).filter(|tag| is_tag(tag)).cloned();
        let (name, tag) = match full {
            Some(full) => {
                (full.path().to_owned(), full.tag().map(str::to_owned).or(tag.filter(|_| full.digest().is_none())))
            }
            None => (default.to_owned(), tag),
        };
        let Some(name) = repository(&name) else { continue };
        let repository = repositories.entry(name).or_default();
        repository.documents.insert(descriptor.digest);
        if let Some(tag) = tag {
            repository.tags.insert(tag, descriptor.digest);
        }
    }
    if let [(_, only)] = &mut repositories.iter_mut().collect::<Vec<_>>()[..]
        && only.tags.is_empty()
        && only.documents.len() == 1
    {
        only.tags = only.documents.iter().map(|digest| ("latest".to_owned(), *digest)).collect();
    }
    repositories
}

/// The index of these repositories: every tag, and every document that nothing else leads to.
pub(super) fn write(
    repositories: &Repositories,
    describe: impl Fn(&Digest) -> Option<Descriptor>,
    is_below: impl Fn(&Digest) -> bool,
) -> Vec<u8> {
    let mut manifests = Vec::new();
    for (name, repository) in repositories {
        for (tag, digest) in &repository.tags {
            let Some(mut descriptor) = describe(digest) else { continue };
            descriptor.annotations.insert(FULL_NAME.to_owned(), format!("{HOST}/{name}:{tag}"));
            descriptor.annotations.insert(REFERENCE.to_owned(), tag.clone());
            manifests.push(descriptor);
        }
        let tagged: BTreeSet<&Digest> = repository.tags.values().collect();
        for digest in repository.documents.iter().filter(|digest| !tagged.contains(digest) && !is_below(digest)) {
            let Some(mut descriptor) = describe(digest) else { continue };
            descriptor.annotations.insert(FULL_NAME.to_owned(), format!("{HOST}/{name}@{digest}"));
            manifests.push(descriptor);
        }
    }
    Index { media_type: Some(OCI_INDEX.to_owned()), manifests, annotations: BTreeMap::new() }.to_compact_bytes()
}

/// All tags.
pub(super) fn all(repositories: &Repositories) -> Vec<Named> {
    let of = |(name, repository): (&String, &Repository)| {
        let tags = repository.tags.iter();
        tags.map(|(tag, digest)| Named { repository: name.clone(), tag: tag.clone(), digest: *digest })
            .collect::<Vec<_>>()
    };
    repositories.iter().flat_map(of).collect()
}
