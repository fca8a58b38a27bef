//! Daemons that others use too: whether what they unpacked of a base image is what its pin names.
//!
//! Before v0.33.1 BuildKit does not compare what it unpacks of a layer with the diff ID that the image's config has for
//! it, and keeps it under that name. What another user's build left there a pin does not see, nor `--no-cache`.

use semver::Version;

use super::worker::Worker;
use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;

/// The first BuildKit that compares.
const COMPARES: Version = Version::new(0, 33, 1);

/// Refuses a daemon that others may use and that does not compare, unless the user allows those before a version.
///
/// # Returns
/// What each verdict must say about such a daemon that is allowed.
pub fn check(worker: &Worker, allowed_before: Option<&Version>) -> Result<Option<String>, BuildKitError> {
    let known = worker.plain_version();
    if known.as_ref().is_some_and(|version| *version >= COMPARES) {
        return Ok(None);
    }
    let version = escape::text(&worker.version);
    let reason = format!("before v{COMPARES} it doesn't check what it unpacks of a base image");
    if known.zip(allowed_before).is_some_and(|(version, bound)| version < *bound) {
        return Ok(Some(format!(
            "BuildKit is `{version}`, and others may use it: {reason}, which may be another than the pin"
        )));
    }
    Err(BuildKitError::Unusable {
        message: format!(
            "BuildKit is `{version}`, expected v{COMPARES} or newer of a daemon that others may use: {reason}"
        ),
        fix: format!(
            "start a newer BuildKit, or none at all: without `--addr` and `BUILDKIT_HOST` a private one is started; \
             `allow-shared-before = \"{COMPARES}\"` in `[buildkit]` of your own configuration allows this one, and each verdict says so"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{ExitStatus, Status};

    #[test]
    fn a_shared_daemon_that_does_not_compare_needs_the_users_word() {
        let before = |text: &str| Some(Version::parse(text).unwrap());
        for (version, allowed, want) in [
            ("v0.33.1", None, Ok(false)),
            ("v0.34.2", before("0.33.1"), Ok(false)),
            ("v0.33.1-rc1+x", None, Ok(false)),
            ("v0.33.0", None, Err(())),
            ("v0.32.2", None, Err(())),
            ("v0.32.2", before("0.33.1"), Ok(true)),
            ("v0.32.2", before("0.30.0"), Err(())),
            ("v0.33.0", before("0.33.0"), Err(())),
            ("unknown", before("0.33.1"), Err(())),
        ] {
            let worker = Worker {
                version: version.to_owned(),
                snapshotter: "overlayfs".to_owned(),
                platform: None,
                platforms: Vec::new(),
            };
            let found = check(&worker, allowed.as_ref());
            let is_told = found.as_ref().map(Option::is_some).map_err(|error| {
                assert_eq!(error.status(), Status::Engine);
                assert!(error.hint().is_some_and(|hint| hint.contains("allow-shared-before = \"0.33.1\"")), "{error}");
            });
            assert_eq!(is_told, want, "{version} {allowed:?}");
        }
    }
}
