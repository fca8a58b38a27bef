//! Layers as bytes: tar entries, the frozen gzip encoder, decompression, whiteouts.
//!
//! The way of the data, when an image is read: a stored layer → [`decompress`] → [`tar::Reader`] → its members, with
//! [`scan_layer`] checking everything about it in one pass. When one is written: entries → [`tar::Writer`] →
//! [`gzip::Encoder`] → the blob; [`zlib::Encoder`] makes what other programs compressed. Layers are streams both ways, and nothing is ever unpacked.

pub mod decompress;
mod examine;
pub mod gzip;
mod listing;
mod names;
mod rules;
mod scan;
pub mod tar;
pub mod whiteout;
pub mod zlib;

pub use examine::{Examination, Examined};
pub use listing::{Contents, Fingerprint, Listed};
pub use names::{Workspace, find_outer};
pub use rules::NameRules;
pub use scan::visit_layer;
