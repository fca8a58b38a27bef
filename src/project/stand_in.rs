//! Images of a published index that some machines take in place of the one that was compared.

use crate::platform::Platform;
use crate::resolve::matching::serving;
use crate::status::{ExitStatus, Status};

/// A published image that nobody verified, which clients prefer to the verified one on machines that can run it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the published image of `{image}` has one for {platform}, too, which machines that can run it take in place of that for {compared}"
)]
pub struct StandsIn {
    /// The image's name in the manifest.
    pub image: String,
    /// Whose image it is.
    pub platform: Platform,
    /// The platform that was compared.
    pub compared: Platform,
}

impl ExitStatus for StandsIn {
    fn status(&self) -> Status {
        Status::Differs
    }

    fn hint(&self) -> Option<String> {
        Some(format!("`{}` in the manifest's `platforms` has it built and compared as well", self.platform))
    }
}

impl StandsIn {
    /// The first of the `others` that machines of the same architecture prefer to one of those that were `compared`.
    ///
    /// Docker looks for the newest variant that the processor can run, as containerd orders them, and nobody who pulls by
    /// name asked for it. Another architecture is another name: whoever runs amd64 is not given 386.
    pub fn find(image: &str, others: &[Platform], compared: &[&Platform]) -> Option<Self> {
        let is_kin = |a: &Platform, b: &Platform| a.os == b.os && a.architecture == b.architecture;
        others.iter().find_map(|other| {
            let served = serving(other);
            let known = compared.iter().find(|known| is_kin(known, other) && served.contains(known))?;
            Some(Self { image: image.to_owned(), platform: other.clone(), compared: (*known).clone() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newer_variants_of_what_was_compared_stand_in_for_it() {
        for (other, compared, want) in [
            ("linux/amd64/v3", "linux/amd64", true),
            ("linux/amd64/v3", "linux/amd64/v2", true),
            ("linux/amd64", "linux/amd64/v3", false),
            ("linux/arm/v7", "linux/arm/v6", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm64/v9", "linux/arm64", true),
            ("linux/arm64", "linux/amd64", false),
            ("linux/amd64", "linux/386", false),
            ("linux/arm64", "linux/arm/v7", false),
            ("windows/amd64/v3", "linux/amd64", false),
        ] {
            let (other, compared): (Platform, Platform) = (other.parse().unwrap(), compared.parse().unwrap());
            let found = StandsIn::find("app", std::slice::from_ref(&other), &[&compared]);
            assert_eq!(found.is_some(), want, "{other} {compared}");
        }
    }
}
