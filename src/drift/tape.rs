//! The tape's file against the lockfile.

use std::collections::BTreeSet;

use super::Drift;
use crate::digest::Digest;
use crate::platform::Platform;

/// What stands beside the lockfile as an image's tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeFile {
    /// Digest of the file.
    pub digest: Digest,
    /// The platforms that it was recorded for; looked at only if the file is the locked one.
    pub platforms: BTreeSet<Platform>,
}

/// Why the tape of `image` is not the one that builds for `platforms` need.
///
/// `is_needed` tells whether any RUN has a locked network, `locked` is what the lockfile holds.
pub fn tape(
    image: &str,
    is_needed: bool,
    platforms: &[Platform],
    locked: Option<Digest>,
    file: Option<&TapeFile>,
) -> Vec<Drift> {
    let name = || image.to_owned();
    match (is_needed, locked, file) {
        (false, None, _) => Vec::new(),
        (false, Some(_), _) => vec![Drift::TapeUnused { image: name() }],
        (true, None, _) => vec![Drift::TapeNotLocked { image: name() }],
        (true, Some(expected), None) => vec![Drift::TapeMissing { image: name(), expected }],
        (true, Some(expected), Some(file)) if file.digest != expected => {
            vec![Drift::TapeChanged { image: name(), expected, found: file.digest }]
        }
        (true, Some(_), Some(file)) => {
            let missing = platforms.iter().filter(|platform| !file.platforms.contains(*platform));
            missing.map(|platform| Drift::TapePlatform { image: name(), platform: platform.clone() }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_a_tape_does_not_fit_is_named() {
        let amd64 = Platform::new("linux", "amd64", None);
        let arm64 = Platform::new("linux", "arm64", None);
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let file = |digest| TapeFile { digest, platforms: BTreeSet::from([amd64.clone()]) };
        let codes = |needed, platforms: &[Platform], locked, file: Option<TapeFile>| {
            tape("app", needed, platforms, locked, file.as_ref()).iter().map(Drift::code).collect::<Vec<_>>()
        };
        let both = [amd64.clone(), arm64];
        assert_eq!(codes(true, &both[..1], Some(one), Some(file(one))), Vec::<&str>::new());
        assert_eq!(codes(true, &both, Some(one), Some(file(one))), ["tape-platform"]);
        assert_eq!(codes(true, &both, Some(one), Some(file(two))), ["tape-changed"]);
        assert_eq!(codes(true, &both, Some(one), None), ["tape-missing"]);
        assert_eq!(codes(true, &both, None, Some(file(one))), ["tape-not-locked"]);
        assert_eq!(codes(false, &both, Some(one), None), ["tape-unused"]);
        assert_eq!(codes(false, &both, None, Some(file(one))), Vec::<&str>::new());
    }
}
