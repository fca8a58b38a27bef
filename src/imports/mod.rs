//! Builds that others recorded, read into one form: what a manifest can take over, what is claimed of its sources, and
//! what is not told.
//!
//! `document` finds out what a JSON document is and hands it to the file of its form: `provenance` (SLSA of BuildKit),
//! `build_info` (what BuildKit wrote before), `metadata` (metadata files and maps by platform) and `history` (records of
//! a daemon). `image` finds such documents in an archive or a bundle, and `policy` reads source policies. Each gives
//! [`RecordedBuild`]s, which `build` unites; `material` reads what they say of a source. `carry` makes of the result
//! what a manifest may hold, and `table` its text; `output` is how the image was written, as far as it shows.
//!
//! What somebody asks for is another thing than what was recorded: `command` reads command lines of other builders into a
//! [`RequestedBuild`], `bake` and `compose` their files (`members` of JSON objects), and `request` makes of it what a manifest may hold.
//!
//! Nothing here is believed: sources come out as [`crate::lockfile::Claim`]s, which count for nothing until they were
//! resolved, and everything that a reader could take for granted and is not told comes out as a [`Note`].

mod bake;
mod build;
mod build_info;
mod carry;
mod command;
mod compose;
mod document;
mod error;
mod history;
mod image;
mod material;
mod members;
mod metadata;
mod note;
mod output;
mod pairs;
mod policy;
mod policy_rule;
mod provenance;
mod request;
mod requested;
mod table;

pub use bake::read_bake;
pub use build::RecordedBuild;
pub use carry::{Carried, Surroundings, carry};
pub use command::{Builder, Variables, read_command};
pub use compose::read_compose;
pub use document::read_document;
pub use error::ImportError;
pub use image::read_image;
pub use material::is_git;
pub use note::Note;
pub use policy::read_policy;
pub use request::{Asked, Place, carry_request, manifest_text};
pub use requested::RequestedBuild;
