//! What an image's build asks for from outside, in the lockfile's words.
//!
//! [`survey()`] reads a Dockerfile for every platform the way BuildKit does: `bases` gives it the configurations of base
//! images that are locked (the only place here that asks the cache, a layout or a registry), `contexts` names what
//! stands in for images, `sources` says what the target takes as sources to be locked. [`expected_request`] does the same
//! for the manifest's own facts. What comes out are values: `lockfile` and `drift` compare them with what is locked.

mod bases;
mod contexts;
mod dockerfile;
mod request;
mod sources;
#[cfg(test)]
mod tests;

pub use bases::LockedBases;
pub use contexts::context_key;
pub use dockerfile::{Survey, SurveyError, survey};
pub use request::{build_platform, expected_request};
pub use sources::{git_request, wanted_source};
