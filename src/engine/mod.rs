//! What executes a build: BuildKit through its clients, or this program itself.
//!
//! A plan names pins. What `sources` gives for them, the documents of its base images (`base_images`), the target that its
//! Dockerfile means (`target`) and what of repositories no engine builds (`git_sources`) are the same for every engine.

mod base_images;
pub mod buildkit;
pub mod examined;
pub mod git_sources;
pub mod native;
mod rootless;
pub mod sources;
mod target;
#[cfg(test)]
mod tests;

pub use target::pinned_base;
