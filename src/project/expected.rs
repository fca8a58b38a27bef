//! Is an image the one that was meant?

use crate::digest::AnyDigest;
use crate::image::validate::{Closure, ImageFacts, Role};
use crate::status::{ExitStatus, Failure, Status};

/// How a digest that the user expects compares with the image's.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What the user expects.
    pub expected: AnyDigest,
    /// What the image has.
    pub found: AnyDigest,
    /// Whether they are equal.
    pub is_equal: bool,
    /// Another document of the image that has the expected digest.
    other: Option<String>,
}

/// The image is another one.
#[derive(Debug, thiserror::Error)]
#[error("the image's digest is {found}, expected {expected}")]
struct Different {
    expected: AnyDigest,
    found: AnyDigest,
    other: Option<String>,
}

impl ExitStatus for Different {
    fn status(&self) -> Status {
        Status::Differs
    }

    fn hint(&self) -> Option<String> {
        self.other.clone()
    }
}

/// There is not one image that could be compared.
#[derive(Debug, thiserror::Error)]
enum Undecided {
    #[error("there is no image whose digest could be compared")]
    None,
    #[error("there are {0} images, of which one only can be compared: `--image` or `--platform` picks it")]
    Several(usize),
}

impl ExitStatus for Undecided {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Expected {
    /// Compares with what `index.json` names; of a platform, with its image manifest; in an archive without manifests,
    /// with the image's id. `shown` are the places of the images that are told.
    pub fn compare(
        expected: &AnyDigest,
        closure: &Closure,
        shown: &[usize],
        of_platform: bool,
    ) -> Result<Self, Failure> {
        let images = || {
            let shown: Vec<&ImageFacts> = shown.iter().map(|number| &closure.images[*number]).collect();
            shown.into_iter().filter(|image| image.role == Role::Image)
        };
        let mut found: Vec<AnyDigest> = if of_platform || closure.tops.is_empty() {
            images().filter_map(|image| image.manifest.or(image.config_digest)).collect()
        } else {
            closure.tops.clone()
        };
        found.sort();
        found.dedup();
        let found = match found[..] {
            [found] => found,
            [] => return Err(Undecided::None.into()),
            _ => return Err(Undecided::Several(found.len()).into()),
        };
        let other = images().find_map(|image| {
            let platform = image.platform()?;
            if image.manifest == Some(*expected) {
                Some(format!(
                    "it is the digest of the image manifest for {platform}; `--platform {platform}` compares with that"
                ))
            } else if image.config_digest == Some(*expected) {
                Some(format!("it is the image id (the digest of the config) for {platform}"))
            } else {
                None
            }
        });
        Ok(Self { expected: *expected, found, is_equal: found == *expected, other })
    }

    /// The failure that stands for a difference.
    pub fn failure(&self) -> Failure {
        Different { expected: self.expected, found: self.found, other: self.other.clone() }.into()
    }
}
