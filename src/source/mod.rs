//! Any place an image can be read from: an archive, a layout, stdin, a registry, an engine of this machine.
//!
//! What was typed becomes a [`Place`] (`place`); a [`Reader`] reads everything that is there into one
//! [`Archive`](crate::image::archive::Archive) (`read`), of a registry by gathering the members of a layout (`gather`).
//! So every check and every comparison is one for all places: [`Published`] is what `verify` compares with.

mod error;
mod gather;
mod place;
mod published;
mod read;

pub use error::ReadError;
pub use gather::Blobs;
pub use place::{Bare, Place};
#[cfg(test)]
pub use published::PublishedLayer;
pub use published::{Published, PublishedImage};
pub use read::{Reader, Wanted};
