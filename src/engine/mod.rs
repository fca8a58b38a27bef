//! What executes a build: BuildKit through its clients, or this program itself.

pub mod buildkit;
pub mod native;
#[cfg(test)]
mod tests;
