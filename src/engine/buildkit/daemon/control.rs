//! A way to ask a daemon.

use super::record::BuildRecord;
use super::worker::Worker;
use crate::build::Surroundings;
use crate::engine::buildkit::command::ask;
use crate::engine::buildkit::failure::BuildKitError;
use crate::process::Command;

/// `buildctl` with what comes before its subcommand, however it gets to the daemon.
#[derive(Clone, Debug)]
pub struct Control(pub Command);

impl Control {
    /// What the daemon is.
    pub fn worker(&self, surroundings: &Surroundings<'_>) -> Result<Worker, BuildKitError> {
        let command = self.0.clone().args(["debug", "workers", "--format", "{{json .}}"]);
        Worker::read(&ask(&command, surroundings)?, surroundings.limits)
    }

    /// Makes the daemon check repositories out anew; what it fetched of them it keeps.
    ///
    /// It keeps files with the times at which it first wrote them, for whichever build and whatever `--no-cache` says. A
    /// time before the epoch would stay in the image, where that of a fresh checkout becomes the epoch.
    pub fn forget_checkouts(&self) -> Command {
        self.0.clone().args(["prune", "--filter", "type==source.git.checkout"])
    }

    /// What the daemon recorded of the build called `reference`.
    pub fn record(&self, reference: &str, surroundings: &Surroundings<'_>) -> Result<BuildRecord, BuildKitError> {
        let history = ask(&self.0.clone().args(["debug", "histories", "--format", "{{json .}}"]), surroundings)?;
        let get = |digest: crate::digest::Digest| {
            ask(&self.0.clone().args(["debug", "get", digest.to_string().as_str()]), surroundings)
        };
        BuildRecord::read(&history, reference, surroundings.limits, get)
    }
}
