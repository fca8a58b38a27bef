//! Why two images differ, and what makes them equal: functions of a comparison.
//!
//! `causes` is the table: each cause with its code, its class and its help. `differences` goes down two images and gives
//! every difference its cause; `look` looks into files whose bytes differ and names causes, `line` finds the lines of a
//! Dockerfile that they belong to. [`explain_digests`] is for images of which no more is known. [`self_check()`] takes the
//! tree of differences of two builds ([`crate::compare`]), applies to both every scrub profile that names a differing
//! path, and takes the [`Fix`] of the rest from its causes; [`foreseen()`] needs one build alone.

pub mod causes;
mod differences;
mod digests;
mod fix;
mod foreseen;
mod ignore;
mod line;
pub mod look;
mod self_check;

pub use causes::{Cause, Class};
pub use differences::{Difference, ImagePair, Missing, explain_indexes, layers_to_read};
pub use digests::explain_digests;
pub use fix::Fix;
pub use foreseen::foreseen;
pub use ignore::{IgnoreRule, IgnoreRules};
pub use line::{Instructions, find_lines};
pub use look::{Detail, Line};
pub use self_check::{ExplainedLayer, ExplainedPath, Known, SelfCheck, self_check};
