//! Rebuild, compare, verdict.
//!
//! An [`Evidence`] puts what is known of one platform side by side: the record, the rebuilt image, and the published one if
//! it was looked at. [`judge`] says what that amounts to, and never "reproduced" for less than bit for bit.

mod frontends;

use std::fmt;

pub use frontends::FrontendsDiffer;

use crate::compare::{Facts, ImageDifference, Level, compare, compare_content};
use crate::platform::Platform;
use crate::source::PublishedImage;
use crate::status::Status;

/// What is known of one platform's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The platform.
    pub platform: Platform,
    /// What the record says.
    pub expected: Facts,
    /// What the rebuild gave.
    pub rebuilt: Facts,
    /// What is published, if it was looked at; the inner none means that the platform is not there.
    pub published: Option<Option<PublishedImage>>,
    /// What RUN could reach in the rebuild.
    pub network: RunNetwork,
}

/// What RUN could reach in a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunNetwork {
    /// Nothing but locked bytes.
    Closed,
    /// Everything, so that nobody knows what it took from there.
    Open {
        /// Whether the user takes an equal image for enough all the same.
        is_accepted: bool,
    },
}

/// What the comparison of one platform amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Bit for bit.
    Reproduced,
    /// The same config and layers as the published archive's, which holds no image manifest to compare.
    SameContent,
    /// Equal, but RUN could reach everything: a program that it fetched ready-made is equal every time.
    OpenNetwork {
        /// Whether the user takes that for enough.
        is_accepted: bool,
    },
    /// The same content, packaged differently.
    Packaging(Pair),
    /// Different content.
    Differs(Pair, ImageDifference),
    /// The published image lacks the platform.
    NotPublished,
}

/// Which two sides a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// The rebuilt image and the record.
    RebuiltAndRecord,
    /// The published image and the rebuilt one.
    PublishedAndRebuilt,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RebuiltAndRecord => "the rebuilt image and the record",
            Self::PublishedAndRebuilt => "the published image and the rebuilt one",
        })
    }
}

impl Verdict {
    /// The exit status: success where nothing that is there differs.
    pub fn status(&self) -> Status {
        match self {
            Self::Reproduced | Self::SameContent | Self::OpenNetwork { is_accepted: true } => Status::Success,
            Self::OpenNetwork { is_accepted: false } => Status::Differs,
            Self::Packaging(_) | Self::Differs(..) | Self::NotPublished => Status::Differs,
        }
    }

    /// The level that differs.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Reproduced | Self::SameContent | Self::OpenNetwork { .. } => None,
            Self::Packaging(_) => Some(Level::Manifest),
            Self::Differs(_, difference) => Some(difference.level()),
            Self::NotPublished => Some(Level::Index),
        }
    }
}

/// Compares the rebuilt image with the record, then the published one with the rebuilt; the graver finding wins.
///
/// What is equal is told as such only where RUN was confined.
pub fn judge(evidence: &Evidence) -> Verdict {
    match (of_bytes(evidence), evidence.network) {
        (Verdict::Reproduced | Verdict::SameContent, RunNetwork::Open { is_accepted }) => {
            Verdict::OpenNetwork { is_accepted }
        }
        (verdict, _) => verdict,
    }
}

fn of_bytes(evidence: &Evidence) -> Verdict {
    let rebuilt = finding(Pair::RebuiltAndRecord, &evidence.expected, &evidence.rebuilt);
    let published = match &evidence.published {
        None => None,
        Some(None) => Some(Verdict::NotPublished),
        Some(Some(published)) => match published.facts() {
            Some(facts) => finding(Pair::PublishedAndRebuilt, &facts, &evidence.rebuilt),
            None => Some(of_content(published, &evidence.rebuilt)),
        },
    };
    match (rebuilt, published) {
        (None, None) => Verdict::Reproduced,
        (Some(verdict), None | Some(Verdict::SameContent)) | (None, Some(verdict)) => verdict,
        (Some(Verdict::Packaging(_)), Some(graver)) => graver,
        (Some(verdict), Some(_)) => verdict,
    }
}

/// What a published archive without image manifest can be held against.
fn of_content(published: &PublishedImage, rebuilt: &Facts) -> Verdict {
    match compare_content((published.config, &published.diff_ids()), (rebuilt.config, &rebuilt.layers)) {
        None => Verdict::SameContent,
        Some(difference) => Verdict::Differs(Pair::PublishedAndRebuilt, difference),
    }
}

fn finding(pair: Pair, one: &Facts, other: &Facts) -> Option<Verdict> {
    let difference = compare(one, other)?;
    Some(match difference.level() {
        Level::Manifest => Verdict::Packaging(pair),
        _ => Verdict::Differs(pair, difference),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{DiffId, Digest};
    use crate::source::PublishedLayer;

    fn facts(manifest: &str, config: &str, layer: &str) -> Facts {
        Facts {
            manifest: Digest::of(manifest.as_bytes()),
            config: Digest::of(config.as_bytes()),
            layers: vec![DiffId::of(layer.as_bytes())],
        }
    }

    fn evidence(expected: Facts, rebuilt: Facts, published: Option<Option<PublishedImage>>) -> Evidence {
        let network = RunNetwork::Closed;
        Evidence { platform: Platform::new("linux", "amd64", None), expected, rebuilt, published, network }
    }

    fn published(facts: &Facts, has_manifest: bool) -> Option<Option<PublishedImage>> {
        let layer = |diff_id: &DiffId| PublishedLayer { diff_id: *diff_id, stored: None, media_type: String::new() };
        let (manifest, layers) = (has_manifest.then_some(facts.manifest), facts.layers.iter().map(layer).collect());
        Some(Some(PublishedImage { manifest, config: facts.config, layers }))
    }

    #[test]
    fn only_equality_on_every_side_is_reproduced() {
        let image = || facts("m", "c", "1");
        let repacked = || facts("n", "c", "1");
        let other = || facts("o", "d", "2");
        let first_layer = || compare(&image(), &other()).unwrap();
        let config = || compare(&image(), &facts("n", "d", "1")).unwrap();
        for (evidence, want) in [
            (evidence(image(), image(), None), Verdict::Reproduced),
            (evidence(image(), image(), published(&image(), true)), Verdict::Reproduced),
            (evidence(image(), image(), published(&image(), false)), Verdict::SameContent),
            (evidence(image(), repacked(), None), Verdict::Packaging(Pair::RebuiltAndRecord)),
            (evidence(image(), repacked(), published(&image(), false)), Verdict::Packaging(Pair::RebuiltAndRecord)),
            (evidence(image(), other(), None), Verdict::Differs(Pair::RebuiltAndRecord, first_layer())),
            (
                evidence(image(), image(), published(&other(), false)),
                Verdict::Differs(Pair::PublishedAndRebuilt, first_layer()),
            ),
            (
                evidence(image(), image(), published(&facts("m", "d", "1"), false)),
                Verdict::Differs(Pair::PublishedAndRebuilt, config()),
            ),
            (evidence(image(), image(), published(&repacked(), true)), Verdict::Packaging(Pair::PublishedAndRebuilt)),
            (
                evidence(image(), repacked(), published(&other(), true)),
                Verdict::Differs(Pair::PublishedAndRebuilt, first_layer()),
            ),
            (evidence(image(), image(), Some(None)), Verdict::NotPublished),
        ] {
            assert_eq!(judge(&evidence), want, "{evidence:?}");
            let is_same = matches!(want, Verdict::Reproduced | Verdict::SameContent);
            assert_eq!(want.status() == Status::Success, is_same);
            for is_accepted in [false, true] {
                let open = judge(&Evidence { network: RunNetwork::Open { is_accepted }, ..evidence.clone() });
                let told = if is_same { Verdict::OpenNetwork { is_accepted } } else { want.clone() };
                assert_eq!(open, told, "{evidence:?}");
                assert_eq!(open.status() == Status::Success, is_same && is_accepted);
            }
        }
    }
}
