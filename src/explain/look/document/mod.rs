//! Pictures and printed documents: formats that name a place for the time of their making.

mod pdf;
mod png;

use super::pair::{Found, Pair};

/// C087 where only such places differ.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    png::look(pair).or_else(|| pdf::look(pair))
}
