//! The document of `repro cache`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;

/// What `repro cache` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Where the cache is.
    #[serde(rename = "folder")]
    pub directory: String,
    /// Blobs in it.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that it may hold beside what is kept, if there is a limit: what was used least recently goes when a run ends.
    pub limit: Option<u64>,
    /// What is kept whatever the limit, since it may be the only copy: bodies that were recorded on tapes.
    pub kept: CacheUsage,
    /// What engines keep beside blobs, whatever the limit: data of private daemons.
    pub daemons: HeldUsage,
    /// Base images that the native engine has unpacked.
    pub bases: HeldUsage,
    /// Blobs that were removed, with `shrink` and `clear`.
    pub removed: Option<CacheUsage>,
    /// What was removed of daemons and bases, with `trim` and `clear`.
    pub trimmed: Option<HeldUsage>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// Directories that engines keep.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct HeldUsage {
    /// How many directories.
    #[serde(rename = "folders")]
    pub directories: u64,
    /// Bytes that they take on disk.
    pub bytes: u64,
}

/// A part of the cache.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheUsage {
    /// How many blobs.
    pub blobs: u64,
    /// How many bytes.
    pub bytes: u64,
}
