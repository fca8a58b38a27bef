//! How BuildKit's programs are run: watched, bounded, and stopped with the command.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use super::failure::BuildKitError;
use crate::build::Surroundings;
use crate::process::{Command, Finished, Watch};

/// Bytes kept of what a helper command prints.
const OUTPUT: u64 = 64 << 20;
const SHORT: Duration = Duration::from_secs(120);

/// Runs a helper command and takes its output; it ends with code 0 or is an error.
pub fn ask(command: &Command, surroundings: &Surroundings<'_>) -> Result<Vec<u8>, BuildKitError> {
    let finished = attempt(command, surroundings, SHORT)?;
    if finished.succeeded() && !finished.output_cut {
        return Ok(finished.output);
    }
    Err(BuildKitError::helper(command, &finished))
}

/// Runs a helper command, whatever it ends with.
pub fn attempt(command: &Command, surroundings: &Surroundings<'_>, time: Duration) -> Result<Finished, BuildKitError> {
    surroundings.progress.log(&format!("+ {}", command.shell_line()));
    let limits = surroundings.limits;
    let watch = Watch { cancel: &surroundings.cancel, time, log: limits.log, output: OUTPUT, tell: &|_| {} };
    Ok(command.run(&watch)?)
}

/// Runs what takes long: every line that it writes to stderr goes to `tell`.
pub fn follow(
    command: &Command,
    surroundings: &Surroundings<'_>,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Finished, BuildKitError> {
    surroundings.progress.log(&format!("+ {}", command.shell_line()));
    let limits = surroundings.limits;
    let time = Duration::from_secs(limits.build_time);
    Ok(command.run(&Watch { cancel: &surroundings.cancel, time, log: limits.log, output: 1 << 20, tell })?)
}

/// Does two things at once: the first one waits for others, the second one works.
pub fn at_once<A: Send, B>(wait: impl FnOnce() -> A + Send, work: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let waiting = scope.spawn(wait);
        let worked = work();
        (waiting.join().unwrap_or_else(|panic| resume_unwind(panic)), worked)
    })
}
