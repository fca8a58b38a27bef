//! A child that runs in the background until it is stopped.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::guard::Farewell;
use super::run::{each_line, has_ended};
use super::{Command, ProcessError};
use crate::escape;

const GRACE: Duration = Duration::from_secs(10);

/// A running background process; dropping it stops it.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// Closed when it is to end, and by the system when this process is gone.
    input: Option<ChildStdin>,
    reaped: bool,
}

impl Command {
    /// Starts the program in the background, in a process group of its own.
    ///
    /// The lines that it writes and that `keep` agrees to go to the file `log`, at most `limit` bytes of them, safe to print.
    pub fn start(
        &self,
        log: &Path,
        limit: u64,
        keep: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Result<Service, ProcessError> {
        self.start_with(Stdio::null(), log, limit, keep)
    }

    /// The same with an input that stays open for as long as the service is to run: what the program started elsewhere sees
    /// its end too, whatever becomes of this process and of the program.
    pub fn start_on_a_line(
        &self,
        log: &Path,
        limit: u64,
        keep: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Result<Service, ProcessError> {
        self.start_with(Stdio::piped(), log, limit, keep)
    }

    fn start_with(
        &self,
        input: Stdio,
        log: &Path,
        limit: u64,
        mut keep: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Result<Service, ProcessError> {
        let failed = |error| ProcessError::Start { program: self.program.display().to_string(), error };
        let mut file = File::create(log).map_err(failed)?;
        let mut child = self.spawn(Farewell::Ask, input, Stdio::null())?;
        if let Some(stderr) = child.stderr.take() {
            let mut left = limit;
            thread::spawn(move || {
                each_line(stderr, |line| {
                    let line = escape::bytes(&line);
                    let size = line.len() as u64 + 1;
                    if keep(&line) && size <= left && writeln!(file, "{line}").is_ok() {
                        left -= size;
                    }
                    true
                });
            });
        }
        let input = child.stdin.take();
        Ok(Service { child, input, reaped: false })
    }
}

impl Service {
    /// Whether it is still there.
    pub fn is_running(&self) -> bool {
        !self.reaped && !has_ended(&self.child)
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end, waits ten seconds for that, then kills it with all that it started in its group.
    pub fn stop(&mut self) {
        if self.reaped {
            return;
        }
        let process = Pid::from_child(&self.child);
        let has_line = self.input.take().is_some();
        if self.is_running() && !has_line {
            kill_process(process, Signal::TERM).ok();
        }
        let told = Instant::now();
        let mut pause = Duration::from_millis(1);
        while self.is_running() && told.elapsed() < GRACE {
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        kill_process_group(process, Signal::KILL).ok();
        self.child.wait().ok();
        self.reaped = true;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_service_runs_until_it_is_stopped_and_its_log_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let script = "trap 'echo bye >&2; exit 0' TERM; echo ahem >&2; echo hello >&2; while :; do sleep 0.05; done";
        let command =
            Command::new("/bin/sh".into(), BTreeMap::from([("PATH".into(), "/bin:/usr/bin".into())]), "/".into())
                .args(["-c", script]);
        let mut service = command.start(&log, 8, |line| line != "ahem").unwrap();
        let read = || std::fs::read_to_string(&log).unwrap_or_default();
        let started = Instant::now();
        while read().is_empty() && started.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(service.is_running());
        service.stop();
        assert!(!service.is_running());
        thread::sleep(Duration::from_millis(100));
        assert_eq!(read(), "hello\n");
    }
}
