//! `repro outdated`: which pins upstream has moved on from.

use std::fmt::Write;

use super::document::{ErrorDocument, GonePin, OutdatedDocument, OutdatedPin};
use super::online;
use super::project::Project;
use super::report::{Document, Report};
use super::session::Session;
use crate::escape;
use crate::lockfile::Pin;
use crate::status::{ExitStatus, Failure, Status};

/// An online question that `--offline` forbids.
#[derive(Debug, thiserror::Error)]
#[error("`outdated` asks upstream, which `--offline` forbids")]
struct Offline;

impl ExitStatus for Offline {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs the command; what is outdated is no error, what gives no answer is.
pub fn run(session: &Session) -> Result<Report, Failure> {
    if session.offline {
        return Err(Offline.into());
    }
    let project = Project::open(session, None)?;
    let lockfile = project.lockfile(session)?;
    let resolver = online::resolver(session, &project, false)?;
    let mut pins = lockfile.sources.clone();
    if let Some(buildkit) = &lockfile.buildkit {
        let (request, digest) = (buildkit.request.clone(), buildkit.digest);
        pins.push(Pin::Image { request, digest, platforms: Default::default() });
    }
    let mut text = String::new();
    let mut outdated = Vec::new();
    let mut gone = Vec::new();
    let mut failures: Vec<Failure> = Vec::new();
    let mut status = Status::Success;
    for (pin, standing) in pins.iter().zip(resolver.standings(&pins)) {
        match standing {
            Err(error) => {
                status = status.or(error.status());
                failures.push(error.into());
            }
            Ok(standing) => {
                let key = escape::text(&pin.key()).into_owned();
                let mut missing = standing.missing;
                if standing.request_gone && missing.is_empty() {
                    missing.push("upstream knows the name no more; what it meant is still there".to_owned());
                }
                for missing in missing {
                    let _ = writeln!(text, "gone     {key}: {missing}");
                    gone.push(GonePin { source: pin.key(), message: missing });
                }
                if let Some(upstream) = standing.newer {
                    let pinned = pin.result();
                    let _ = writeln!(text, "outdated {key} {pinned} → {upstream}");
                    outdated.push(OutdatedPin { source: pin.key(), pinned, upstream });
                }
            }
        }
    }
    if session.quiet {
        // Only the data.
    } else if text.is_empty() && failures.is_empty() {
        text.push_str("every pin is what upstream has\n");
    } else if !outdated.is_empty() {
        text.push_str("`repro lock --update [SOURCE…]` moves them\n");
    }
    let error = ErrorDocument::of_worst(&failures);
    let document = OutdatedDocument { version: 1, status: status.code(), outdated, gone, error };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}
