//! `repro cache`: what the content-addressed cache holds.

use std::fmt::Write;

use super::arguments::{Cache, CacheAction};
use super::document::{CacheDocument, CacheUsage};
use super::report::{Document, Report};
use super::session::Session;
use crate::escape;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &Cache, session: &Session) -> Result<Report, Failure> {
    let folder = session.cache_folder()?;
    let cache = session.cache()?;
    let limit = match arguments.action {
        None | Some(CacheAction::Show) => None,
        Some(CacheAction::Shrink { bytes }) => Some(bytes),
        Some(CacheAction::Clear) => Some(0),
    };
    let removed = limit.map(|limit| cache.shrink(limit)).transpose()?;
    let usage = cache.usage()?;
    let mut text = String::new();
    if let Some(removed) = removed {
        let _ = writeln!(text, "removed {} blobs, {} bytes", removed.blobs, removed.bytes);
    }
    let path = escape::bytes(folder.as_os_str().as_encoded_bytes());
    let limit = session.cache_limit.map(|limit| format!(" of at most {limit}")).unwrap_or_default();
    let _ = writeln!(text, "{} blobs, {} bytes{limit} in {path}", usage.blobs, usage.bytes);
    let removed = removed.map(|removed| CacheUsage { blobs: removed.blobs, bytes: removed.bytes });
    let document = CacheDocument {
        version: 1,
        status: 0,
        folder: path,
        blobs: usage.blobs,
        bytes: usage.bytes,
        limit: session.cache_limit,
        removed,
        error: None,
    };
    let document = Some(Document::of(&document));
    Ok(Report { status: Status::Success, text, document, failures: Vec::new() })
}
