//! The whole closure of an archive or layout, checked: from its top to the diff IDs of the layers.
//!
//! An [`Archive`](super::archive::Archive) was read before, so everything here is looking up and comparing.
//! `check` starts at `index.json` (`indexes`, image `manifests`, `config`s, `layers`) and at `manifest.json` (`docker`),
//! then tells images from what lies beside them (`roots`), and lets both `views` agree, and all names (`naming`, `names`). `walk` is the state of all that: the `graph` of
//! documents, the `budget` of what may still be looked at, and what was found. All violations are told, not the first only;
//! the rules `V1` to `V14` are those of `docs/inspect.md`. Documents are read by their members (`fields`, `claim`)
//! rather than into the types of [`super::document`], which stop at the first violation and know sha256 only.

mod blob;
mod budget;
mod check;
mod claim;
mod config;
mod docker;
mod facts;
mod fields;
mod graph;
mod indexes;
mod kinds;
mod layers;
mod manifests;
mod names;
mod naming;
mod roots;
mod selection;
mod views;
mod walk;

pub use check::check;
pub use facts::{Closure, ConfigFacts, DocumentFacts, EntryFacts, Form, HistoryFacts, ImageFacts, LayerFacts, Role};
pub use selection::Selection;
