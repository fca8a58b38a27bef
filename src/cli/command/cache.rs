//! `repro cache`: what the content-addressed cache holds.

use std::fmt::Write;

use super::super::arguments::{Cache, CacheAction};
use super::super::report::Report;
use super::super::session::Session;
use crate::document::{CacheDocument, CacheUsage, Document, HeldUsage};
use crate::escape;
use crate::status::{Failure, Status};
use crate::store::{CacheUse, Held, HeldByEngines};

/// Runs the command.
pub fn run(arguments: &Cache, session: &Session) -> Result<Report, Failure> {
    let directory = session.machine.cache_directory()?;
    let cache = session.machine.cache()?;
    let removed = match arguments.action {
        None | Some(CacheAction::Show | CacheAction::Trim) => None,
        Some(CacheAction::Shrink { bytes }) => Some(cache.shrink(bytes)?),
        Some(CacheAction::Clear) => Some(cache.clear()?),
    };
    let trimmed = match arguments.action {
        Some(CacheAction::Trim | CacheAction::Clear) => Some(HeldByEngines::trim(&directory)?),
        _ => None,
    };
    let (usage, kept) = cache.usage()?;
    let held = HeldByEngines::in_cache(&directory)?;
    let mut text = String::new();
    if let Some(removed) = removed {
        let _ = writeln!(text, "removed {} blobs, {} bytes", removed.blobs, removed.bytes);
    }
    for (what, part) in trimmed.iter().flat_map(parts) {
        let _ = writeln!(text, "removed {what} ({}), {} bytes", part.directories, part.bytes);
    }
    let path = escape::bytes(directory.as_os_str().as_encoded_bytes());
    let _ = writeln!(text, "{} blobs, {} bytes in {path}", usage.blobs, usage.bytes);
    let limit = session.cache_limit.map_or_else(|| "no limit".to_owned(), |limit| format!("at most {limit}"));
    let (blobs, bytes) = (usage.blobs - kept.blobs, usage.bytes - kept.bytes);
    let _ = writeln!(text, "  {blobs} that can be fetched or made again, {bytes} bytes, {limit}");
    if kept.blobs > 0 {
        let _ =
            writeln!(text, "  {} recorded on tapes, {} bytes, kept until `repro cache clear`", kept.blobs, kept.bytes);
    }
    for (what, part) in parts(&held).into_iter().filter(|(_, part)| part.directories > 0) {
        let _ = writeln!(
            text,
            "beside them {what} ({}), {} bytes on disk; `repro cache trim`",
            part.directories, part.bytes
        );
    }
    let of = |part: CacheUse| CacheUsage { blobs: part.blobs, bytes: part.bytes };
    let document = CacheDocument {
        version: 1,
        status: 0,
        directory: path,
        blobs: usage.blobs,
        bytes: usage.bytes,
        limit: session.cache_limit,
        kept: of(kept),
        daemons: of_held(held.daemons),
        bases: of_held(held.bases),
        removed: removed.map(of),
        trimmed: trimmed.map(|HeldByEngines { daemons, bases }| HeldUsage {
            directories: daemons.directories + bases.directories,
            bytes: daemons.bytes + bases.bytes,
        }),
        error: None,
    };
    let document = Some(Document::of(&document));
    Ok(Report { status: Status::Success, text, document, failures: Vec::new() })
}

/// What engines keep, in words.
fn parts(held: &HeldByEngines) -> [(&'static str, Held); 2] {
    [("data of private daemons", held.daemons), ("unpacked base images", held.bases)]
}

fn of_held(held: Held) -> HeldUsage {
    HeldUsage { directories: held.directories, bytes: held.bytes }
}
