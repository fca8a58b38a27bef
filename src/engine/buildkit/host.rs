//! The machine that engines run on, as values: `cli` reads them once.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::build::{Plan, Surroundings};
use crate::config::Config;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::failure::taped;
use crate::process::{Command, Environment, Finished, Programs, Watch};

/// Bytes kept of what a helper command prints.
const OUTPUT: u64 = 64 << 20;
const SHORT: Duration = Duration::from_secs(120);

/// What BuildKit's clients and daemons are started with.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Where programs are found.
    pub programs: Programs,
    /// The user's environment, of which children see a little.
    pub environment: Environment,
    /// Mirrors, certificates and plain HTTP.
    pub config: Config,
    /// The folder in which daemons and builders keep their data.
    pub cache: PathBuf,
    /// Seconds since 1970, to refuse epochs that lie ahead.
    pub now: u64,
}

/// Runs a helper command and takes its output; it ends with code 0 or is an error.
pub(super) fn ask(command: &Command, surroundings: &Surroundings<'_>) -> Result<Vec<u8>, BuildKitError> {
    let finished = attempt(command, surroundings, SHORT)?;
    if finished.succeeded() && !finished.output_cut {
        return Ok(finished.output);
    }
    Err(BuildKitError::helper(command, &finished))
}

/// Runs a helper command, whatever it ends with.
pub(super) fn attempt(
    command: &Command,
    surroundings: &Surroundings<'_>,
    time: Duration,
) -> Result<Finished, BuildKitError> {
    tracing::debug!(command = command.shell_line(), "run");
    let limits = surroundings.limits;
    let watch = Watch { cancel: &surroundings.cancel, time, log: limits.log, output: OUTPUT, tell: &|_| {} };
    Ok(command.run(&watch)?)
}

/// Runs what takes long: every line that it writes to stderr is passed on.
pub(super) fn follow(command: &Command, surroundings: &Surroundings<'_>) -> Result<Finished, BuildKitError> {
    follow_with(command, surroundings, &|line| surroundings.progress.log(line))
}

/// Like [`follow`], for a build of `plan`: the URLs of a taped build are shown as they truly are.
pub(super) fn follow_build(
    command: &Command,
    plan: &Plan,
    surroundings: &Surroundings<'_>,
) -> Result<Finished, BuildKitError> {
    follow_with(command, surroundings, &|line| surroundings.progress.log(&taped::true_line(plan, line)))
}

fn follow_with(
    command: &Command,
    surroundings: &Surroundings<'_>,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Finished, BuildKitError> {
    tracing::debug!(command = command.shell_line(), "run");
    let limits = surroundings.limits;
    let time = Duration::from_secs(limits.build_time);
    Ok(command.run(&Watch { cancel: &surroundings.cancel, time, log: limits.log, output: 1 << 20, tell })?)
}

/// Does two things at once: the first one waits for others, the second one works.
pub(super) fn at_once<A: Send, B>(wait: impl FnOnce() -> A + Send, work: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let waiting = scope.spawn(wait);
        let worked = work();
        (waiting.join().unwrap_or_else(|panic| resume_unwind(panic)), worked)
    })
}
