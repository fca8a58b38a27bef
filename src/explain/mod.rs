//! Why two images differ, and what makes them equal: functions of a comparison.
//!
//! `causes` is the table: each cause with its code, its class and its help. `differences` goes down two images and gives
//! every difference its cause; `look` looks into files whose bytes differ and names causes. [`self_check()`] takes the tree of differences of two builds ([`crate::compare`]), applies to both every
//! scrub profile that names a differing path, and asks `by_path` for a [`Fix`] of the rest.

mod by_path;
pub mod causes;
mod differences;
mod fix;
mod ignore;
mod look;
mod self_check;

pub use causes::Class;
pub use differences::{Difference, ImagePair, Missing, explain_indexes, layers_to_read};
pub use fix::Fix;
pub use ignore::{IgnoreRule, IgnoreRules};
pub use look::{Detail, Line};
pub use self_check::{ExplainedLayer, ExplainedPath, SelfCheck, self_check};
