//! A child whose output is read while it runs.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStdout, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process_group};

use super::guard::Farewell;
use super::run::each_line;
use super::{Command, ProcessError};
use crate::escape;

/// Lines of stderr that are kept.
const LINES: usize = 20;

/// A running child; reading gives its stdout, and dropping it stops it.
#[derive(Debug)]
pub struct Streaming {
    program: String,
    child: Child,
    stdout: ChildStdout,
    errors: Option<JoinHandle<Vec<String>>>,
    reaped: bool,
}

impl Command {
    /// Starts the program, in a process group of its own, for reading what it writes.
    pub fn stream(&self) -> Result<Streaming, ProcessError> {
        let program = self.program.display().to_string();
        let mut child = self.spawn(Farewell::Kill, Stdio::null(), Stdio::piped())?;
        let gone = || ProcessError::Start { program: program.clone(), error: io::ErrorKind::BrokenPipe.into() };
        let stdout = child.stdout.take().ok_or_else(gone)?;
        let stderr = child.stderr.take().ok_or_else(gone)?;
        let errors = thread::spawn(move || {
            let mut lines = Vec::new();
            each_line(stderr, |line| {
                if lines.len() < LINES {
                    lines.push(escape::bytes(&line));
                }
                true
            });
            lines
        });
        Ok(Streaming { program: self.name(), child, stdout, errors: Some(errors), reaped: false })
    }
}

impl Read for Streaming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stdout.read(buffer)
    }
}

impl AsFd for Streaming {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stdout.as_fd()
    }
}

impl Streaming {
    /// Waits for its end, after its output was read; what it wrote to stderr is the error when it failed.
    pub fn finish(mut self) -> Result<Result<(), String>, ProcessError> {
        // It must not wait for somebody to read the rest.
        io::copy(&mut self.stdout, &mut io::sink()).ok();
        let status = self.child.wait();
        self.reaped = true;
        let status = status.map_err(|error| ProcessError::Wait { program: self.program.clone(), error })?;
        let lines = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        Ok(if status.success() { Ok(()) } else { Err(lines.join("\n")) })
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        if !self.reaped {
            kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
            self.child.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shell(script: &str) -> Streaming {
        let path = BTreeMap::from([("PATH".into(), "/bin:/usr/bin".into())]);
        Command::new("/bin/sh".into(), path, "/".into()).args(["-c", script]).stream().unwrap()
    }

    #[test]
    fn output_is_read_while_the_child_runs_and_its_failure_is_told() {
        let mut child = shell("printf 'a%.0s' $(seq 100000); echo gone wrong >&2; exit 3");
        let mut text = Vec::new();
        child.read_to_end(&mut text).unwrap();
        assert_eq!(text.len(), 100_000);
        assert_eq!(child.finish().unwrap(), Err("gone wrong".to_owned()));
        assert_eq!(shell("echo more than anybody reads").finish().unwrap(), Ok(()));
        let endless = shell("while :; do echo x; done");
        let process = Pid::from_child(&endless.child);
        drop(endless);
        assert!(rustix::process::test_kill_process(process).is_err(), "it was stopped");
    }
}
