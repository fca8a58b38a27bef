//! The part that keeps a step's processes together: the first of a process name space, which the step can't reach.
//!
//! It ends when whoever started it ends, and the kernel ends all that is below it.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use nix::sched::{CloneFlags, unshare};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::description::{BROKEN, Failure, Part};

/// Starts the step's first process and ends as that does.
pub(super) fn run(directory: &Path) -> ExitCode {
    let Ok(failure) = Failure::open(directory) else { return ExitCode::from(BROKEN) };
    match keep(directory) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            failure.tell(&error.to_string());
            ExitCode::from(BROKEN)
        }
    }
}

fn keep(directory: &Path) -> io::Result<u8> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let input = io::stdin();
    let mut watched = [PollFd::new(&input, PollFlags::empty())];
    poll(&mut watched, Some(&Timespec::default()))?;
    if watched[0].revents().contains(PollFlags::HUP) {
        // It was gone before it could be followed.
        return Ok(BROKEN);
    }
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
    let (nothing, writer) = io::pipe()?;
    drop(writer);
    let mut step = Command::new("/proc/self/exe")
        .args([Part::Inside.argument().as_ref(), directory.as_os_str()])
        .stdin(nothing)
        // What a step writes is one log; each of its outputs is a pipe.
        .stdout(Stdio::from(rustix::stdio::stderr().try_clone_to_owned()?))
        .spawn()?;
    Ok(status_of(step.wait()?))
}

/// A status as shells tell it: a signal is 128 and its number.
pub(super) fn status_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(BROKEN)
}
