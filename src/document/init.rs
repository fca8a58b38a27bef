//! The document of `repro init`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;

/// What `repro init` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InitDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The manifest's path.
    pub manifest: String,
    /// Whether it was written; false if it was there.
    pub written: bool,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}
