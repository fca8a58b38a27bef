//! Named contexts: under which name and as what the Dockerfile reader and BuildKit are told of them.

use crate::digest::Digest;
use crate::manifest::NamedContext;
use crate::reference::Reference;

/// A context's name as BuildKit looks for it: in familiar form, without `:latest`; `::PLATFORM` stays behind it.
pub fn context_key(name: &str) -> String {
    let (name, platform) = name.split_once("::").map_or((name, None), |(name, platform)| (name, Some(platform)));
    let familiar = name.parse::<Reference>().map_or_else(|_| name.to_owned(), |reference| reference.familiar());
    let familiar = familiar.strip_suffix(":latest").unwrap_or(&familiar);
    platform.map_or_else(|| familiar.to_owned(), |platform| format!("{familiar}::{platform}"))
}

/// A named context as BuildKit takes it; a layout's store is named after the context.
pub(super) fn specifier(name: &str, context: &NamedContext) -> String {
    match context {
        NamedContext::Local(_) => format!("local:{name}"),
        NamedContext::Image(reference) => format!("docker-image://{reference}"),
        // The digest is the lockfile's business; any will do to tell that the layout is used.
        NamedContext::Layout { .. } => format!("oci-layout://{}@{}", store_of(name), Digest::from_bytes([0; 32])),
        NamedContext::Http(address) | NamedContext::Git(address) => address.clone(),
    }
}

/// The store that stands for a context's layout; BuildKit would take what follows a colon for a tag.
fn store_of(name: &str) -> String {
    name.replace(':', "%3A")
}

/// The context whose layout a store stands for.
pub(super) fn context_of(store: &str) -> String {
    store.replace("%3A", ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_contexts_have_the_names_that_buildkit_looks_for() {
        for (name, want) in [
            ("docs", "docs"),
            ("docker.io/library/alpine", "alpine"),
            ("alpine:latest", "alpine"),
            ("docker.io/library/alpine:3.20", "alpine:3.20"),
            ("example.org/base:1", "example.org/base:1"),
            ("docker.io/library/alpine:latest::linux/arm/v7", "alpine::linux/arm/v7"),
        ] {
            assert_eq!(context_key(name), want);
        }
    }
}
