//! Images between registries, archives and layouts, byte for byte.
//!
//! `source` opens what was typed, `transfer` takes all of it, or one platform, to where it shall go, `listed` tells what is
//! there. `built` sends what a build gave under the names of its manifest.

mod built;
mod listed;
mod source;
mod transfer;

pub use built::{PushedBuild, push_build, pushed_names};
pub use listed::{ListOptions, Listed, ListedImage, list};
pub use source::ShipSource;
pub use transfer::{ShipTarget, Transfer, TransferOptions, transfer};
