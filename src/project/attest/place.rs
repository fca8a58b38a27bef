//! What an image is called in statements.

use crate::digest::Digest;
use crate::platform::Platform;
use crate::reference::Reference;

/// Where an image is pulled from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPlace {
    /// The repository; an image that is published nowhere has its own name.
    repository: String,
    /// The tag, if one was named.
    tag: Option<String>,
    /// Whether others can pull it.
    is_registry: bool,
}

impl PublishedPlace {
    /// The place of the image `name`: what was compared with, else the manifest's repository, else nowhere.
    pub fn of(name: &str, against: Option<&str>, repository: Option<&str>) -> Self {
        let parsed = |text: &str| text.trim_start_matches("docker://").parse::<Reference>().ok();
        let place = |reference: Reference| Self {
            repository: format!("{}/{}", reference.domain(), reference.path()).to_lowercase(),
            tag: reference.tag().map(str::to_owned),
            is_registry: true,
        };
        let nowhere = || Self { repository: name.to_lowercase(), tag: None, is_registry: false };
        against.and_then(parsed).or_else(|| repository.and_then(parsed)).map_or_else(nowhere, place)
    }

    /// The place that a package URL of a statement names, as far as it names one.
    pub fn of_resource(resource: &str) -> Self {
        let (path, qualifiers) = resource.split_once('?').unwrap_or((resource, ""));
        let qualifier = |name: &str| {
            qualifiers.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let repository = qualifier("repository_url");
        Self { is_registry: repository.is_some(), repository: repository.unwrap_or(name), tag: qualifier("tag") }
    }

    /// What a platform of it is called.
    pub fn subject(&self, part: &str) -> String {
        format!("{}@{part}", self.repository)
    }

    fn qualifiers(&self, before: &[String], with_tag: bool) -> String {
        let mut all = before.to_vec();
        if self.is_registry {
            all.push(format!("repository_url={}", self.repository));
        }
        all.extend(self.tag.iter().filter(|_| with_tag).map(|tag| format!("tag={tag}")));
        if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) }
    }

    fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }

    /// Where it is pulled from, as a package URL.
    pub fn resource(&self) -> String {
        format!("pkg:oci/{}{}", self.name(), self.qualifiers(&[], true))
    }

    /// One image manifest of it, as a package URL.
    pub fn manifest(&self, digest: &Digest, platform: Option<&Platform>) -> String {
        let architecture = platform.map(|platform| format!("arch={}", platform.architecture));
        let qualifiers = self.qualifiers(&architecture.into_iter().collect::<Vec<_>>(), false);
        format!("pkg:oci/{}@sha256%3A{}{qualifiers}", self.name(), digest.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_as_far_as_it_is_known() {
        let digest = Digest::of(b"");
        let amd64 = Platform::new("linux", "amd64", None);
        for (against, repository, subject, resource) in [
            (None, None, "app@linux/amd64", "pkg:oci/app"),
            (
                None,
                Some("ghcr.io/acme/tool"),
                "ghcr.io/acme/tool@linux/amd64",
                "pkg:oci/tool?repository_url=ghcr.io/acme/tool",
            ),
            (
                Some("ghcr.io/acme/tool:1.4.0"),
                None,
                "ghcr.io/acme/tool@linux/amd64",
                "pkg:oci/tool?repository_url=ghcr.io/acme/tool&tag=1.4.0",
            ),
        ] {
            let place = PublishedPlace::of("App", against, repository);
            assert_eq!((&*place.subject("linux/amd64"), &*place.resource()), (subject, resource));
            assert_eq!(PublishedPlace::of_resource(resource), place);
            assert!(place.manifest(&digest, Some(&amd64)).starts_with(&format!(
                "{}@sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?arch=amd64",
                resource.split('?').next().unwrap()
            )));
        }
    }
}
