//! Tar archives: layers and image archives.
//!
//! [`Writer`] puts entries into one deterministic form, byte for byte what Go's `archive/tar` writes for containerd:
//! plain ustar if that can express an entry, else a PAX header before it.
//!
//! An [`Entry`] is what an archive says about one path; paths and link targets are raw bytes.

mod entry;
mod header;
mod pax;
mod writer;

pub use entry::{Entry, Kind};
pub use writer::{Unwritable, Writer};

/// Everything in an archive is a multiple of this.
const BLOCK: usize = 512;
