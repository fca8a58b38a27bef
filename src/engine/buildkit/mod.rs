//! BuildKit through `buildctl` or `docker buildx`: strict policy in, uncompressed layers out, materials checked.
//!
//! A build goes this way: `defects` and `request` refuse what can't be done reproducibly, `staged` writes the inputs as
//! files, `policy` turns the pins into a source policy, a client (`buildctl`, `buildx`) runs, and `outcome` takes what
//! it wrote: `explain` reads its log if it failed, `history` and `materials` compare the sources that the daemon
//! recorded with the pins, `archive`, `output` and `layer_times` read the image as hostile input.

mod archive;
mod buildctl;
mod builder;
mod buildx;
mod copies;
mod daemon;
mod defects;
mod docker_config;
mod downloads;
mod explain;
mod failure;
mod git_identifier;
mod heading;
mod history;
mod host;
mod injected;
mod layer_times;
mod materials;
mod outcome;
mod output;
pub mod policy;
mod probe;
pub mod redirects;
mod request;
mod staged;
mod taped;
mod worker;

pub use buildctl::Buildctl;
pub use buildx::Buildx;
pub use failure::BuildKitError;
pub use host::Host;
pub use materials::Deviation;
