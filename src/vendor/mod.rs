//! Vendor folders: all that builds from a lockfile take from outside, in one layout or archive (`docs/formats.md`, "Vendor
//! folder").
//!
//! `write` makes one, or brings one that is there up to date; [`Folder`] (`folder`) opens one, which is hostile input: what it
//! says is only where blobs are and which of them is the bundle of a commit. Whoever takes a blob checks it by its digest.

mod folder;
mod write;

pub use folder::Folder;
pub use write::{Written, write};

use crate::digest::Digest;

/// The artifact of what one image needs.
pub const IMAGE: &str = "application/vnd.repro.vendor.v1";
/// The artifact of a commit's bundle.
pub const COMMIT: &str = "application/vnd.repro.commit.v1";
/// What names of commits begin with; no image's name has a slash.
const COMMITS: &str = "commit/";

/// The name of a commit's artifact.
pub fn commit_name(commit: &str) -> String {
    format!("{COMMITS}{commit}")
}

/// Where blobs lie in a layout.
fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
