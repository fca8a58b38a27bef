//! `repro outdated`: which pins upstream has moved on from.

use std::fmt::Write;

use super::super::report::Report;
use super::super::session::Session;
use crate::document::{Document, ErrorDocument, GonePin, MirroredPin, OutdatedDocument, OutdatedPin};
use crate::escape;
use crate::lockfile::SourceKind;
use crate::project::{Asked, outdated};
use crate::status::{Failure, Status};

/// Runs the command; what is outdated is no error, what is gone ends with 1, and what gives no response is an error.
pub fn run(session: &Session) -> Result<Report, Failure> {
    let mut text = String::new();
    let mut moved = Vec::new();
    let mut gone = Vec::new();
    let mut mirrors = Vec::new();
    let mut failures: Vec<Failure> = Vec::new();
    for Asked { pin, standing } in outdated(&session.machine)? {
        let standing = match standing {
            Ok(standing) => standing,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let key = escape::text(&pin.key()).into_owned();
        let mut missing = standing.missing;
        if standing.request_gone && missing.is_empty() {
            let (name, locked) = match pin.kind() {
                SourceKind::Git => ("branch or tag", "commit"),
                _ => ("tag", "digest"),
            };
            missing.push(format!("the {name} is gone upstream; the locked {locked} is still available"));
        }
        for missing in missing {
            let _ = writeln!(text, "gone     {key}: {missing}");
            gone.push(GonePin { source: pin.key(), message: missing });
        }
        if let Some(mirror) = standing.mirror {
            let shown = escape::text(&mirror);
            let _ = writeln!(text, "mirror   {key}: its own server was not reached; this is what {shown} says");
            mirrors.push(MirroredPin { source: pin.key(), mirror });
        }
        if let Some(upstream) = standing.newer {
            let pinned = pin.result();
            let _ = writeln!(text, "outdated {key} {pinned} → {upstream}");
            moved.push(OutdatedPin { source: pin.key(), pinned, upstream });
        }
    }
    if session.quiet {
        // Only the data.
    } else if gone.is_empty() && moved.is_empty() && !mirrors.is_empty() && failures.is_empty() {
        text.push_str("no pin is outdated, as far as mirrors tell\n");
    } else if text.is_empty() && failures.is_empty() {
        text.push_str("no pin is outdated: each is what its source has today\n");
    } else if !moved.is_empty() {
        text.push_str("`repro lock --update [SOURCE…]` updates them\n");
    }
    let found = if gone.is_empty() { Status::Success } else { Status::Differs };
    let status = failures.iter().fold(found, |status, failure| status.or(failure.status()));
    let error = ErrorDocument::of_worst(&failures);
    let document = OutdatedDocument { version: 1, status: status.code(), outdated: moved, gone, mirrors, error };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}
