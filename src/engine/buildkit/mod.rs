//! BuildKit through `buildctl` or `docker buildx`: strict policy in, uncompressed layers out, materials checked.
//!
//! A build goes this way: `defects` and `request` refuse what can't be done reproducibly, `staged` writes the inputs as
//! files, `policy` turns the pins into a source policy, a client (`buildctl`, `buildx`) runs, and `outcome` takes what
//! it wrote: `explain` reads its log if it failed, `history` and `materials` compare the sources that the daemon
//! recorded with the pins, `archive`, `output` and `layer_times` read the image as hostile input.

mod client;
mod daemon;
mod failure;
mod host;
mod input;
mod outcome;
mod output;

pub use client::{Buildctl, Buildx};
pub use failure::BuildKitError;
pub use host::Host;
pub use input::policy;
pub use input::redirects;
pub use output::materials::Deviation;
