//! Layered images without a Dockerfile: what nixpkgs' `streamLayeredImage` script writes, byte for byte.
//!
//! `closure` makes the layers of a reference graph where the description has none. `form` tells the docker archive, which
//! is the script's, from an OCI archive of the same layers.
//!
//! `description` reads the JSON that `dockerTools` makes, with `json` (as Python reads and prints it), `date` and `text`
//! below it. `stream` writes the archive: the layers of the `base` (an `archive`, whose
//! members `header` reads as `tarfile` does), then a `layer` for each list of store paths, which
//! `tree` walks below a `root`, the customisation layer, and the documents. `member` makes tar headers as Python's
//! `tarfile` does. Layers are hashed on several threads ahead of the one that writes.
//!
//! The byte form is told in `docs/layered.md`.

mod archive;
mod base;
mod closure;
mod customisation;
mod date;
mod description;
mod document;
mod error;
mod form;
mod header;
mod json;
mod layer;
mod member;
mod names;
mod printable;
mod root;
mod stream;
mod sum;
mod text;
mod tree;

pub use base::Base;
pub use closure::Closure;
pub use description::{Description, Surroundings};
pub use form::Form;
pub use root::Root;
pub use stream::Stream;
