//! An image from one place to another, byte for byte.
//!
//! A [`Shelf`] is a place that was opened: an archive, a layout or what an engine saves (`archive`; `docker` makes the
//! image manifest that `docker save` of old leaves out), or a registry (`registry`). From its top document [`Image`]
//! gathers everything below: the documents, checked and with their exact bytes, and which blobs they name (`image`); of
//! one platform, if that is all that is wanted (`platform`), and with what refers to it (`referrers`). No blob is read
//! for that: its bytes are checked against its digest on their way to a registry ([`crate::registry::Registry::ship`])
//! or into an archive or a layout (`write`).

mod archive;
mod docker;
mod error;
mod image;
mod platform;
mod referrers;
mod registry;
mod write;

pub use archive::open_archive;
pub use image::{Image, Shelf};
pub use platform::of_platform;
pub use referrers::{Referrer, referrers};
pub use registry::open_registry;
pub use write::write;
