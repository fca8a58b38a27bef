//! Tar archives: layers and image archives.
//!
//! [`Writer`] puts entries into one deterministic form, byte for byte what Go's `archive/tar` writes for containerd:
//! plain ustar if that can express an entry, else a PAX header before it.
//!
//! [`Reader`] reads any archive, strictly and without unpacking: one [`Member`] after the other, with its content as a
//! stream. What two common readers could take in two ways is refused.
//!
//! An [`Entry`] is what an archive says about one path; paths and link targets are raw bytes.

mod decimal;
mod entry;
mod error;
mod field;
mod header;
mod member;
mod name;
mod parse;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use entry::{Entry, Kind};
pub use error::{Severity, TarError};
pub use member::Member;
pub use reader::{End, Reader};
pub use writer::Writer;

/// Everything in an archive is a multiple of this.
const BLOCK: usize = 512;
