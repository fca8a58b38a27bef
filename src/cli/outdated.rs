//! `repro outdated`: which pins upstream has moved on from.

use std::fmt::Write;

use serde_json::Value;

use super::document::{LockChange, LockDocument};
use super::online;
use super::project::Project;
use super::report::Report;
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
    let mut changes = Vec::new();
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
                for missing in &standing.missing {
                    let _ = writeln!(text, "gone     {key}: {missing}");
                }
                if let Some(newer) = standing.newer {
                    let message = format!("{key} {} → {newer}", pin.result());
                    let _ = writeln!(text, "outdated {message}");
                    changes.push(LockChange { source: pin.key(), old: Some(pin.result()), new: Some(newer), message });
                }
            }
        }
    }
    if text.is_empty() && failures.is_empty() {
        text.push_str("every pin is what upstream has\n");
    } else if !changes.is_empty() {
        text.push_str("`repro lock --update [SOURCE…]` moves them\n");
    }
    let error = failures.first().map(|failure| super::document::ErrorDocument {
        status: failure.status().code(),
        message: failure.to_string(),
        hint: failure.hint(),
    });
    let document =
        LockDocument { version: 1, status: status.code(), changes, drift: Vec::new(), written: false, error };
    let document: Value = serde_json::to_value(&document).unwrap_or_default();
    Ok(Report { status, text, document, failures })
}
