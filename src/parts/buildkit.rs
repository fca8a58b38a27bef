//! What BuildKit writes, as fuzz targets hand it in: each function gives what would be printed.

use std::path::Path;

use crate::bounds::Bounds;
use crate::cancel::Cancel;
use crate::engine::buildkit::daemon::BuildRecord;
use crate::engine::buildkit::failure::{explain, explain_taped};
use crate::engine::buildkit::output::{OutputReader, requests};
use crate::epoch::Epoch;
use crate::escape;
use crate::limits::Limits;
use crate::status::ExitStatus;

/// Reads the archive of an image.
pub fn read_archive(path: &Path, limits: &Limits) -> Result<(), String> {
    let cancel = Cancel::default();
    let Ok(epoch) = Epoch::from_seconds(1_700_000_000) else { return Ok(()) };
    let reader = OutputReader { engine: "buildctl", epoch, bounds: Bounds { limits, cancel: &cancel } };
    reader.read(path).map(drop).map_err(|error| error.to_string())
}

/// Reads the log of a client that failed, line by line as children's lines are taken in.
pub fn read_log(text: &str) -> Vec<String> {
    let Ok(dockerfile) = crate::dockerfile::parse(b"FROM a\nRUN b\nCOPY c /\n", &crate::limits::Limits::default())
    else {
        return Vec::new();
    };
    let lines: Vec<_> = text.lines().map(escape::text).collect();
    let log: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let error = explain_taped(explain(&log, "Dockerfile", &dockerfile), &log, true, false);
    let steps = requests(log.iter(), &dockerfile).into_iter().map(|step| step.step);
    [error.to_string()].into_iter().chain(error.hint()).chain(steps).collect()
}

/// Reads a daemon's history, and in it the record of the build `mine` with this provenance.
pub fn read_record(history: &[u8], provenance: &[u8], limits: &Limits) -> Result<(), String> {
    let record = BuildRecord::read(history, "mine", limits, |_| Ok(provenance.to_vec()));
    record.map(drop).map_err(|error| error.to_string())
}
