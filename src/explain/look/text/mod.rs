//! Text: lines, dates, names made at random, and what of it is shown.
//!
//! [`look()`] is asked last, when no format claimed the file: other line ends or order, then names made at random, then dates.

mod date;
mod detail;
mod edit;
mod lines;
mod random_name;
mod stamp;

pub(super) use date::{Also, Piece, pieces};
pub(super) use detail::detail;

use super::pair::{Found, Pair};

/// Text of any kind.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    [lines::look, random_name::look, stamp::look].into_iter().find_map(|look| look(pair))
}
