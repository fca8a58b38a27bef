//! Options of a program, and what each asks for: what the tables of the dialects are made of.

/// What an option asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    File,
    Target,
    Argument,
    Label,
    Annotation,
    Platform,
    /// Part of a platform: `--os`, `--arch`, `--variant`.
    PlatformPart,
    Context,
    Secret,
    Agent,
    Network,
    Name,
    Output,
    Epoch,
    Format,
    /// A question about the Dockerfile in a build's place.
    Call,
    /// How a run looks, and what it says.
    Silent,
    /// Something that no manifest holds, and why.
    Left(&'static str),
    /// Something else than a build, and what to do.
    Refused(&'static str),
}

/// Belongs to the machine that builds.
pub(super) const MACHINE: &str = "belongs to a machine, not to the image: not carried over";
/// Belongs to one run.
pub(super) const RUN: &str = "belongs to a run, not to the image: not carried over";
/// What a build may take from a cache.
pub(super) const CACHE: &str =
    "belongs to a run: `repro build --no-cache` builds without a cache, and `repro verify` always does";
/// Bounds for RUN.
pub(super) const LIMIT: &str = "a limit for RUN: not carried over";
/// What is said about an image beside it.
pub(super) const ATTEST: &str = "an attestation would change the digest of the index: `repro` adds none";
/// What RUN sees.
pub(super) const SURROUNDINGS: &str = "changes what RUN sees: not carried over";

/// How an option takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// From the same word behind `=`, or from the next word.
    Value,
    /// From the same word behind `=` only.
    Attached,
    /// It is on or off, and this is what holds without it.
    Switch(bool),
}

/// One option of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub long: &'static str,
    pub short: Option<char>,
    pub takes: Takes,
    pub meaning: Meaning,
}

/// An option with a value.
pub(super) const fn value(long: &'static str, meaning: Meaning) -> Flag {
    Flag { long, short: None, takes: Takes::Value, meaning }
}

/// An option that is off unless it is given.
pub(super) const fn switch(long: &'static str, meaning: Meaning) -> Flag {
    Flag { long, short: None, takes: Takes::Switch(false), meaning }
}

impl Flag {
    /// The same option, with one letter too.
    pub(super) const fn or(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    /// The same switch, which is on unless it is turned off.
    pub(super) const fn on(self) -> Self {
        Self { takes: Takes::Switch(true), ..self }
    }

    /// The same option, whose value never is the next word.
    pub(super) const fn attached(self) -> Self {
        Self { takes: Takes::Attached, ..self }
    }
}
