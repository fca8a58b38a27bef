//! Programs: ELF and PE files, what Go writes into them, and the paths and dates in their texts.
//!
//! Only places that a format names, and texts of the same length, are ever masked: where code differs, nothing here
//! explains it.

mod elf;
mod explain;
mod go;
mod pe;
mod strings;

use super::pair::{Found, Pair};

/// ELF, then PE.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    explain::look(pair).or_else(|| pe::look(pair))
}
