//! Reports about differences, all made of one document: what `repro diff --format json` prints and `repro report` reads.
//!
//! `document` is that document, `tree` its text for a terminal.

mod document;
mod tree;

pub use document::{DiffDocument, DifferenceDocument, ImageDocument, PlatformDocument, ReportError, SideDocument};
pub use tree::tree;
