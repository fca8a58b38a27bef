//! One difference between two images, with its cause.

use std::cmp::Ordering;

use super::sensitive::is_sensitive;
use crate::compare::Aspect;
use crate::explain::causes::{self, Cause, Class, Proof};
use crate::explain::fix::{Fix, profile_of};
use crate::explain::look::{Detail, Reason};

/// One difference between two images, with its cause. Its texts are not safe to print.
#[derive(Debug)]
pub struct Difference {
    /// Why.
    pub cause: &'static Cause,
    /// How much it matters here.
    pub class: Class,
    /// How sure the cause is.
    pub proof: Proof,
    /// Where in the image it is.
    pub level: DifferenceLevel,
    /// The layer, counted from 1: in the first image, or in the second where only that has it.
    pub layer: Option<usize>,
    /// The path in the layer.
    pub path: Option<Vec<u8>>,
    /// The place inside the file.
    pub place: Option<String>,
    /// The field of a document, or the key of an annotation or label.
    pub field: Option<String>,
    /// In what a path differs; empty where only one side has it.
    pub aspects: Vec<Aspect>,
    /// What the first has there.
    pub first: Option<String>,
    /// What the second has there.
    pub second: Option<String>,
    /// What differs in the content.
    pub detail: Option<Detail>,
    /// The line of the Dockerfile that it belongs to, where that is known.
    pub line: Option<u32>,
    /// Why it is expected, where a rule names it.
    pub ignored: Option<String>,
}

/// Which side lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The first.
    First,
    /// The second.
    Second,
}

/// Where in an image a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceLevel {
    /// In what lists the images.
    Index,
    /// In the image manifest.
    Manifest,
    /// In the config.
    Config,
    /// In the config's history.
    History,
    /// In a layer as a whole.
    Layer,
    /// At a path of a layer.
    Entry,
}

impl DifferenceLevel {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::History => "history",
            Self::Layer => "layer",
            Self::Entry => "entry",
        }
    }
}

impl Difference {
    /// A difference that is seen as it is, so that its cause is proven.
    pub(in crate::explain) fn proven(code: &str, level: DifferenceLevel) -> Self {
        let cause = causes::of(code);
        Self {
            cause,
            class: cause.class,
            proof: Proof::Proven,
            level,
            layer: None,
            path: None,
            place: None,
            field: None,
            aspects: Vec::new(),
            first: None,
            second: None,
            detail: None,
            line: None,
            ignored: None,
        }
    }

    /// One side has no image for a platform.
    pub fn platform_missing(platform: &str, missing: Missing) -> Self {
        let there = Some(platform.to_owned());
        let (first, second) = if missing == Missing::First { (None, there) } else { (there, None) };
        Self::proven("C008", DifferenceLevel::Index).between(first, second)
    }

    /// The change that removes it. Of scrub profiles that is the one that names the file, whichever the cause has for an
    /// example.
    pub fn fix(&self) -> Option<Fix> {
        match (self.cause.fix, &self.path) {
            (Some(Fix::Scrub(_)), Some(path)) => profile_of(path).map(|(profile, _)| Fix::Scrub(profile.name)),
            (fix, _) => fix,
        }
    }

    /// The order of reports: the worst first, then by code and place.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        let key = |difference: &Self| (difference.class, difference.level, difference.cause.code, difference.layer);
        key(self).cmp(&key(other)).then_with(|| self.path.cmp(&other.path))
    }

    /// The same in this layer, counted from 0.
    pub(in crate::explain) fn in_layer(self, place: usize) -> Self {
        Self { layer: Some(place + 1), ..self }
    }

    /// The same about this field.
    pub(super) fn about(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// The same with what both sides have there.
    pub(in crate::explain) fn between(self, first: Option<String>, second: Option<String>) -> Self {
        Self { first, second, ..self }
    }

    /// The same in another class than the table's.
    pub(in crate::explain) fn classed(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// The same, as what is seen speaks for it.
    pub(super) fn likely(self) -> Self {
        Self { proof: Proof::Likely, ..self }
    }

    /// The same at a path of a layer, where content counts for more than elsewhere.
    pub(super) fn at(self, place: usize, path: &[u8], aspects: &[Aspect]) -> Self {
        let class = if self.class == Class::Content && is_sensitive(path) { Class::Security } else { self.class };
        let here = Self { class, path: Some(path.to_vec()), aspects: aspects.to_vec(), ..self };
        here.in_layer(place)
    }

    /// What a look found in the file at a path of a layer.
    pub(super) fn of_reason(reason: Reason, place: usize, path: &[u8], aspects: &[Aspect]) -> Self {
        let Reason { code, proof, class, place: inside, detail } = reason;
        let found = Self::proven(code, DifferenceLevel::Entry);
        let class = match class.unwrap_or(found.cause.class) {
            Class::Benign | Class::Packaging if proof != Proof::Proven => Class::Content,
            class => class,
        };
        Self { class, proof, place: inside, detail, ..found }.at(place, path, aspects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_that_names_the_file_is_proposed_and_no_other() {
        let fix =
            |code, path: &str| Difference::of_reason(Reason::new(code, Proof::Proven), 0, path.as_bytes(), &[]).fix();
        assert_eq!(fix("C061", "var/log/dpkg.log"), Some(Fix::Scrub("dpkg-log")));
        assert_eq!(fix("C061", "var/log/apt/history.log"), Some(Fix::Scrub("apt-log")));
        assert_eq!(fix("C061", "opt/own.log"), None);
        assert!(matches!(fix("C066", "var/lib/rpm/rpmdb.sqlite"), Some(Fix::RunEnv { .. })));
    }

    #[test]
    fn what_is_benign_without_a_proof_is_content_and_more_than_that_where_it_matters() {
        let class =
            |code, proof, path: &str| Difference::of_reason(Reason::new(code, proof), 0, path.as_bytes(), &[]).class;
        assert_eq!(class("C115", Proof::Proven, "a"), Class::Benign);
        assert_eq!(class("C115", Proof::Likely, "a"), Class::Content);
        assert_eq!(class("C115", Proof::Likely, "etc/passwd"), Class::Security);
        assert_eq!(class("C115", Proof::Proven, "etc/passwd"), Class::Benign);
        assert_eq!(class("C999", Proof::Proven, "a"), Class::Security, "an unknown code is unexplained");
    }
}
