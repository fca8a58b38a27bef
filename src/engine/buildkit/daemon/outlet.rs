//! The only way out of a daemon of our own: the tape's door.
//!
//! From v0.33.1 on BuildKit's proxy for steps sends what it may reach through the proxy that the daemon itself is told to
//! use. Everything but loopback goes there: what steps ask for, and files of `ADD`. So images are served to such a daemon
//! (`input::served`), and requests for loopback are led to the tape by the policy, as in daemons that others started.

use std::path::Path;

use semver::Version;

use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::input::GitIdentifier;
use crate::escape;
use crate::lockfile::Pin;
use crate::tape::Door;

/// The first BuildKit that goes out so.
pub const GOES_OUT: Version = Version::new(0, 33, 1);
/// Variables that name the proxy for everything.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
/// Variables that would name exceptions.
const EXCEPTIONS: [&str; 6] = ["ALL_PROXY", "FTP_PROXY", "NO_PROXY", "all_proxy", "ftp_proxy", "no_proxy"];
/// Names the certificates that a daemon trusts.
pub const TRUST: &str = "SSL_CERT_FILE";

/// Whether a daemon of this version that builds `plan` can have the door as its only way out.
///
/// A repository it fetches itself, with git, which knows nothing of the door's authority.
pub fn is_for(plan: &Plan, version: Option<&Version>) -> bool {
    let is_asked_over_http = |pin: &Pin| match pin {
        Pin::Git { request, .. } => GitIdentifier::of(request).url.starts_with("http"),
        _ => false,
    };
    let is_new = version.is_some_and(|version| *version >= GOES_OUT);
    is_new && plan.run.tape.is_some() && !plan.pins.iter().any(is_asked_over_http)
}

/// A door for a daemon that is about to start; its certificate is written to `certificate`.
pub fn open(certificate: &Path, longest: u64) -> Result<Door, BuildKitError> {
    let door = Door::new(longest).map_err(BuildKitError::io(certificate))?;
    std::fs::write(certificate, door.certificate()).map_err(BuildKitError::io(certificate))?;
    Ok(door)
}

/// The daemon's variables that lead to the door; `certificate` is the path that the daemon has it under.
pub fn variables(door: &Door, certificate: &Path) -> Vec<(&'static str, String)> {
    let proxy = door.url();
    let proxies = PROXIES.into_iter().map(|name| (name, proxy.clone()));
    let none = EXCEPTIONS.into_iter().map(|name| (name, String::new()));
    proxies.chain(none).chain([(TRUST, certificate.to_string_lossy().into_owned())]).collect()
}

/// The version that `buildkitd --version` tells: `buildkitd github.com/moby/buildkit v0.34.2 …`.
pub fn version_told(output: &[u8]) -> Option<Version> {
    let text = String::from_utf8_lossy(output);
    text.split_whitespace().find_map(|word| plain(word.strip_prefix('v')?))
}

/// The version that an image's tag names; whoever believes it asks the daemon afterwards ([`check`]).
pub fn version_of_tag(image: &str) -> Option<Version> {
    let name = image.split('@').next()?.rsplit('/').next()?;
    plain(name.split_once(':')?.1.strip_prefix('v')?)
}

fn plain(text: &str) -> Option<Version> {
    let version = Version::parse(text).ok()?;
    Some(Version::new(version.major, version.minor, version.patch))
}

/// Refuses a daemon that was given a door and does not go out through it.
pub fn check(version: Option<&Version>, told: &str) -> Result<(), BuildKitError> {
    if version.is_some_and(|version| *version >= GOES_OUT) {
        return Ok(());
    }
    Err(BuildKitError::Unusable {
        message: format!("BuildKit is `{}`, another version than its tag says", escape::text(told)),
        fix: "name the image by the tag that it was published under, then `repro lock`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_by_programs_and_tags() {
        let of = |text: &str| version_told(text.as_bytes()).map(|version| version.to_string());
        assert_eq!(of("buildkitd github.com/moby/buildkit v0.34.2 0123abc\n").as_deref(), Some("0.34.2"));
        assert_eq!(of("buildkitd github.com/moby/buildkit 0.0.0+unknown \n"), None);
        for (image, want) in [
            ("docker.io/moby/buildkit:v0.34.2", Some("0.34.2")),
            ("127.0.0.1:5000/buildkit:v0.33.1-rootless@sha256:00", Some("0.33.1")),
            ("docker.io/moby/buildkit:latest", None),
            ("127.0.0.1:5000/buildkit", None),
        ] {
            assert_eq!(version_of_tag(image).map(|version| version.to_string()).as_deref(), want, "{image}");
        }
        assert!(check(Some(&Version::new(0, 33, 1)), "v0.33.1").is_ok());
        assert!(check(Some(&Version::new(0, 33, 0)), "v0.33.0").is_err() && check(None, "x").is_err());
    }
}
