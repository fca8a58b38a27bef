//! What is told about one cause.

use crate::explain::Fix;

/// One reason why two images can differ.
#[derive(Debug)]
pub struct Cause {
    /// `C` and three digits; never given to another cause.
    pub code: &'static str,
    /// The same in words, in kebab case.
    pub name: &'static str,
    /// How much it matters once it is proven.
    pub class: Class,
    /// What is the matter, for a person: one line without a full stop.
    pub sentence: &'static str,
    /// What to do about it, in the same form.
    pub help: &'static str,
    /// The change that removes it, where one exists that a manifest or a Dockerfile can take as it is.
    pub fix: Option<Fix>,
}

/// How much a difference matters. The order is that of reports: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It may matter for security: always told, never masked.
    Security,
    /// The content differs.
    Content,
    /// The content differs in a way that means nothing; only ever with a proof.
    Benign,
    /// The same files in another packaging.
    Packaging,
}

impl Class {
    /// The letter in documents.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Security => "S",
            Self::Content => "N",
            Self::Benign => "B",
            Self::Packaging => "P",
        }
    }
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The bytes are equal once exactly what the cause names is masked, or the parsed forms are equal.
    Proven,
    /// A path or a pattern says so.
    Likely,
    /// A guess.
    Possible,
}

impl Proof {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}
