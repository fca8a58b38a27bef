//! What commands tell people on stdout, one file a command.

pub mod build;
pub mod dry_run;
pub mod inspect;
pub mod lock;
pub mod scrub;
mod self_check;
pub mod sources;
pub mod tape;
pub mod verify;
