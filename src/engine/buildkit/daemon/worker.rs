//! What a daemon says about itself, and whether builds there can be trusted to be reproducible.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;
use crate::json;
use crate::limits::Limits;
use crate::platform::Platform;

/// The first BuildKit that confines steps to a proxy of its own.
const OLDEST_FOR_TAPES: Version = Version::new(0, 31, 0);
const SNAPSHOTTER: &str = "org.mobyproject.buildkit.worker.snapshotter";

/// A daemon's first worker: the one that builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Version as the daemon gives it (`v0.32.2`).
    pub version: String,
    /// What stores its snapshots (`overlayfs`).
    pub snapshotter: String,
    /// The platform of the machine.
    pub platform: Option<Platform>,
    /// All platforms that it runs steps of, those that it emulates among them.
    pub platforms: Vec<Platform>,
}

#[derive(Deserialize)]
struct RawWorker {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    platforms: Vec<RawPlatform>,
    #[serde(rename = "buildkitVersion", default)]
    version: RawVersion,
}

#[derive(Deserialize)]
struct RawPlatform {
    architecture: String,
    os: String,
    #[serde(default)]
    variant: String,
}

#[derive(Default, Deserialize)]
struct RawVersion {
    #[serde(default)]
    version: String,
}

impl Worker {
    /// Reads the response to `buildctl debug workers --format '{{json .}}'`.
    pub fn read(response: &[u8], limits: &Limits) -> Result<Self, BuildKitError> {
        let unreadable = |reason: String| BuildKitError::Unusable {
            message: format!("BuildKit's list of workers can't be read: {reason}"),
            fix: "use BuildKit v0.26 or newer".to_owned(),
        };
        let workers: Vec<RawWorker> = json::parse(response, limits).map_err(|error| unreadable(error.to_string()))?;
        let worker = workers.into_iter().next().ok_or_else(|| unreadable("it is empty".to_owned()))?;
        let snapshotter = worker.labels.get(SNAPSHOTTER).cloned().unwrap_or_default();
        let platforms = worker.platforms.iter().map(|p| Platform::new(&p.os, &p.architecture, Some(&p.variant)));
        let platforms: Vec<Platform> = platforms.collect();
        let platform = platforms.first().cloned();
        Ok(Self { version: worker.version.version, snapshotter, platform, platforms })
    }

    /// Refuses another version than `requirement` asks for, and any snapshotter but overlayfs.
    pub fn check(&self, requirement: &VersionReq) -> Result<(), BuildKitError> {
        let shown = escape::text(&self.version).into_owned();
        if !self.plain_version().is_some_and(|version| requirement.matches(&version)) {
            return Err(BuildKitError::Unusable {
                message: format!("BuildKit is `{shown}`, the manifest asks for `{requirement}`"),
                fix: "start a BuildKit of that version, or change `version` in `[buildkit]`".to_owned(),
            });
        }
        if self.snapshotter != "overlayfs" {
            let found = escape::text(&self.snapshotter).into_owned();
            return Err(BuildKitError::Unusable {
                message: format!(
                    "BuildKit's snapshotter is `{found}`, expected `overlayfs`: others give directories other times"
                ),
                fix: "start buildkitd with `--oci-worker-snapshotter=overlayfs`".to_owned(),
            });
        }
        Ok(())
    }

    /// Refuses versions that have no proxy to lead to a tape.
    pub fn check_tape(&self) -> Result<(), BuildKitError> {
        if self.plain_version().is_some_and(|version| version >= OLDEST_FOR_TAPES) {
            return Ok(());
        }
        Err(BuildKitError::Unusable {
            message: format!(
                "BuildKit is `{}`, `network = \"locked\"` needs v{OLDEST_FOR_TAPES} or newer",
                escape::text(&self.version)
            ),
            fix: "start a newer BuildKit, or name one with `--addr` or `BUILDKIT_HOST`".to_owned(),
        })
    }

    /// The version without a suffix of a pre-release or distribution, which says nothing about what it can do.
    pub fn plain_version(&self) -> Option<Version> {
        let version = Version::parse(self.version.trim_start_matches('v')).ok()?;
        Some(Version::new(version.major, version.minor, version.patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{ExitStatus, Status};

    const RESPONSE: &str = r#"[{"id":"x","labels":{"org.mobyproject.buildkit.worker.snapshotter":"overlayfs"},
        "platforms":[{"architecture":"amd64","os":"linux"},{"architecture":"386","os":"linux"}],"gcPolicy":null,
        "buildkitVersion":{"package":"github.com/moby/buildkit","version":"v0.32.2","revision":""},"cdiDevices":null}]"#;

    fn check(response: &str, requirement: &str) -> Result<(), String> {
        let worker = Worker::read(response.as_bytes(), &Limits::default()).map_err(|error| error.to_string())?;
        worker.check(&requirement.parse().unwrap()).map_err(|error| {
            assert_eq!(error.status(), Status::Engine);
            error.to_string()
        })
    }

    #[test]
    fn version_and_snapshotter_decide() {
        assert_eq!(check(RESPONSE, ">=0.26"), Ok(()));
        assert_eq!(check(&RESPONSE.replace("v0.32.2", "v0.33.0-rc1+x"), ">=0.26"), Ok(()));
        let old = check(&RESPONSE.replace("v0.32.2", "v0.19.0"), ">=0.26").unwrap_err();
        assert_eq!(old, "BuildKit is `v0.19.0`, the manifest asks for `>=0.26`");
        assert!(check(&RESPONSE.replace("v0.32.2", ""), ">=0.26").is_err());
        let worker = |version: &str| Worker::read(RESPONSE.replace("v0.32.2", version).as_bytes(), &Limits::default());
        assert!(worker("v0.31.0-rc1").unwrap().check_tape().is_ok());
        let old = worker("v0.30.9").unwrap().check_tape().unwrap_err();
        assert_eq!(old.to_string(), "BuildKit is `v0.30.9`, `network = \"locked\"` needs v0.31.0 or newer");
        let native = check(&RESPONSE.replace("\"overlayfs\"", "\"native\""), ">=0.26").unwrap_err();
        assert!(native.starts_with("BuildKit's snapshotter is `native`"), "{native}");
        assert!(check("[]", ">=0.26").is_err());
        assert!(check("nonsense", ">=0.26").is_err());
        let worker = Worker::read(RESPONSE.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(worker.platform.map(|platform| platform.to_string()).as_deref(), Some("linux/amd64"));
    }
}
