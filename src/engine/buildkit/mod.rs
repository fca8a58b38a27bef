//! BuildKit through `buildctl` or `docker buildx`: strict policy in, uncompressed layers out, materials checked.

mod git_identifier;
pub mod policy;
