//! What executes a build: BuildKit through its clients, or this program itself.
//!
//! A plan names pins. What `sources` gives for them, the documents of its base images (`base_images`) and the target that
//! its Dockerfile means (`target`) are the same for every engine.

mod base_images;
pub mod buildkit;
pub mod native;
pub mod sources;
mod target;
#[cfg(test)]
mod tests;
