//! What commands tell people on stdout, one file a command.

pub mod adopt;
pub mod annotations;
pub mod attest;
pub mod build;
pub mod delta;
pub mod doctor;
pub mod dry_run;
mod import;
pub mod inspect;
pub mod lint;
pub mod lock;
pub mod patch;
pub mod provenance;
pub mod scrub;
mod self_check;
pub mod self_report;
pub mod ship;
pub mod sources;
pub mod tape;
pub mod vendor;
pub mod verify;

pub use import::{import, notes, request};
pub use self_check::Shown;
