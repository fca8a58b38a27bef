//! Releases of Docker's own frontend, as far as an image's tag tells them.

use crate::reference::Reference;

/// The first release that gives secrets as variables.
const FIRST: (u64, u64) = (1, 10);

/// Whether a reference names Docker's frontend by the tag of a release that can't give secrets as variables
/// (`docker/dockerfile:1.4-labs`).
pub fn lacks_secret_variables(name: &str) -> bool {
    let Ok(reference) = name.parse::<Reference>() else { return false };
    if !reference.path().rsplit('/').next().is_some_and(|last| last.starts_with("dockerfile")) {
        return false;
    }
    let tag = reference.tag().unwrap_or_default();
    let mut numbers = tag.split('-').next().unwrap_or_default().split('.').map(|part| part.parse::<u64>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < FIRST,
        (Some(major), None) => major < FIRST.0,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_frontends_are_known_by_their_tag() {
        for (name, want) in [
            ("docker/dockerfile:1.4", true),
            ("docker.io/docker/dockerfile:1.9.0-labs", true),
            ("docker/dockerfile:0.12", true),
            ("docker/dockerfile:1.10", false),
            ("docker/dockerfile:1", false),
            ("docker/dockerfile:1-labs", false),
            ("docker/dockerfile:latest", false),
            ("docker/dockerfile-upstream:1.3", true),
            ("registry.example/frontend:0.1", false),
            ("docker/dockerfile", false),
        ] {
            assert_eq!(lacks_secret_variables(name), want, "{name}");
        }
    }
}
