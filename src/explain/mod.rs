//! Why two builds differ, and what makes them equal: functions of a comparison.
//!
//! [`self_check()`] takes the tree of differences of two builds ([`crate::compare`]), applies to both every scrub profile
//! that names a differing path, and asks `causes` for a [`Fix`] of the rest. `causes` is one table, the first entry that
//! fits: a new cause is an entry there, or a file of its own that the table names.

mod causes;
mod fix;
mod self_check;

pub use fix::Fix;
pub use self_check::{ExplainedLayer, ExplainedPath, SelfCheck, self_check};
