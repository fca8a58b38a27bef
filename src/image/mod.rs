//! OCI and Docker image documents, layouts and archives.
//!
//! Bytes come first: a [`Document`] keeps what was read or will be stored, and its view ([`Index`], [`ImageManifest`],
//! [`Config`]) derives from that. A [`Descriptor`] leads from one document to the next. `layout` reads them from a
//! directory; `write` makes a layout or an archive of an image, byte for byte as BuildKit does, or of an `artifact`.

pub mod archive;
pub mod artifact;
pub mod config;
pub mod descriptor;
pub mod document;
pub mod findings;
pub mod index;
pub mod layout;
pub mod manifest;
pub mod media_type;
pub mod time;
pub mod validate;
pub mod write;

pub use artifact::{Artifact, Artifacts};
pub use config::Config;
pub use descriptor::{Descriptor, DescriptorPlatform};
pub use document::{Document, InvalidDocument};
pub use index::Index;
pub use layout::Layout;
pub use manifest::ImageManifest;
