//! Deltas: what an image has that others lack, in one file that gives its every digest back.
//!
//! `file` is its form (`docs/formats.md`), with the header of `format`. An image of any place is a `side`: its blobs by digest.
//!
//! To `create`: the layers of the bases lie side by side in a `space`; `chunks` cut them where files begin and where content
//! says so, an `index` finds the same chunks again, and the `coder` writes the target's layers as `instruction`s to copy
//! from the space or to take new bytes. A `recipe` says how the stored blob comes back from the content.
//!
//! To `apply`: the space is made again of the same layers, instructions give contents, recipes give blobs, each hashed while it
//! is written; then the `result` is checked as any other image. `ddiff` reads the archives of that program, which carry whole blobs.

mod apply;
mod chunks;
mod coder;
mod create;
mod ddiff;
mod error;
mod file;
mod format;
mod index;
mod instruction;
mod recipe;
mod result;
mod side;
mod space;
mod tar_borders;

pub use apply::apply;
pub use create::create;
pub use ddiff::apply_ddiff;
pub use file::Delta;
pub use format::{Blob, BlobForm, Header};
pub use side::Side;
