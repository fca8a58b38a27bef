//! Running a child to its end: both outputs read at once, stopped in time.

use std::io::{self, Read};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::guard::Farewell;
use super::{Command, Log, ProcessError};
use crate::cancel::{Cancel, Cancelled};
use crate::escape;

/// How long a child that was told to stop may take.
const GRACE: Duration = Duration::from_secs(10);
/// How long a child's own children may hold its outputs open once it has ended.
const LINGER: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);
/// A longer line is cut into several.
const LINE: usize = 64 << 10;

/// The bounds on a run, and who is told of it.
pub struct Watch<'a> {
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
    /// How long the child may run.
    pub time: Duration,
    /// Bytes kept of what it writes to stderr.
    pub log: u64,
    /// Bytes kept of what it writes to stdout.
    pub output: u64,
    /// Given every line of stderr, safe to print.
    pub tell: &'a dyn Fn(&str),
}

/// How a child ended and what it wrote.
#[derive(Debug)]
pub struct Finished {
    /// Exit code, or none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout, up to the limit.
    pub output: Vec<u8>,
    /// Whether stdout held more than the limit.
    pub output_cut: bool,
    /// What it wrote to stderr.
    pub log: Log,
}

impl Finished {
    /// Whether it ended with code 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

enum Event {
    Output(Vec<u8>),
    Line(Vec<u8>),
}

impl Command {
    /// Runs the program to its end, in a process group of its own and with nothing to read.
    ///
    /// On cancellation, or when its time is over, the group gets SIGTERM and after ten seconds SIGKILL. Processes that
    /// the child leaves behind in its group are killed. A child that ends by itself is no error, whatever its code.
    pub fn run(&self, watch: &Watch<'_>) -> Result<Finished, ProcessError> {
        watch.cancel.check()?;
        let started = Instant::now();
        let mut child = self.spawn(Farewell::Kill, Stdio::null(), Stdio::piped())?;
        let events = listen(&mut child);
        let mut finished = Finished { code: None, output: Vec::new(), output_cut: false, log: Log::new(watch.log) };
        let stopped = follow(&child, &events, started, watch, &mut finished);
        signal(&child, Signal::KILL);
        let status = child.wait().map_err(|error| ProcessError::Wait { program: self.name(), error })?;
        match stopped {
            Some(Stop::Cancelled) => Err(Cancelled.into()),
            Some(Stop::Time) => Err(ProcessError::TimedOut { program: self.name(), seconds: watch.time.as_secs() }),
            None => {
                finished.code = ExitStatus::code(&status);
                Ok(finished)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Stop {
    Cancelled,
    Time,
}

/// Takes in what the child writes until it has ended and its outputs are closed.
fn follow(
    child: &Child,
    events: &Receiver<Event>,
    started: Instant,
    watch: &Watch<'_>,
    finished: &mut Finished,
) -> Option<Stop> {
    let mut stop: Option<(Stop, Instant)> = None;
    let mut ended: Option<Instant> = None;
    let mut open = true;
    let mut pause = Duration::from_millis(1);
    loop {
        if open {
            match events.recv_timeout(LOOK) {
                Ok(event) => take(event, watch, finished),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        } else {
            thread::sleep(pause);
            pause = (pause * 2).min(LOOK);
        }
        if stop.is_none() {
            let reason = match () {
                () if watch.cancel.is_cancelled() => Some(Stop::Cancelled),
                () if started.elapsed() >= watch.time => Some(Stop::Time),
                () => None,
            };
            if let Some(reason) = reason {
                stop = Some((reason, Instant::now()));
                signal(child, Signal::TERM);
            }
        }
        if let Some((_, since)) = stop
            && since.elapsed() >= GRACE
        {
            return stop.map(|(reason, _)| reason);
        }
        if ended.is_none() && has_ended(child) {
            ended = Some(Instant::now());
        }
        if let Some(since) = ended
            && (!open || since.elapsed() >= LINGER)
        {
            return stop.map(|(reason, _)| reason);
        }
    }
}

fn take(event: Event, watch: &Watch<'_>, finished: &mut Finished) {
    match event {
        Event::Line(line) => {
            let line = escape::bytes(&line);
            (watch.tell)(&line);
            finished.log.push(line);
        }
        Event::Output(bytes) => {
            let room = usize::try_from(watch.output).unwrap_or(usize::MAX).saturating_sub(finished.output.len());
            finished.output_cut |= bytes.len() > room;
            finished.output.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

fn listen(child: &mut Child) -> Receiver<Event> {
    let (sender, receiver) = mpsc::sync_channel(64);
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || read_output(stdout, &sender));
    }
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || each_line(stderr, |line| sender.send(Event::Line(line)).is_ok()));
    }
    receiver
}

fn read_output(mut stdout: impl Read, sender: &SyncSender<Event>) {
    let mut buffer = vec![0; LINE];
    loop {
        match stdout.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if sender.send(Event::Output(buffer[..count].to_vec())).is_err() => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Gives each line to `tell` without its end, until there are no more or `tell` says no.
pub(super) fn each_line(mut input: impl Read, mut tell: impl FnMut(Vec<u8>) -> bool) {
    let mut buffer = vec![0; 8 << 10];
    let mut line = Vec::new();
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        if count == 0 {
            if !line.is_empty() {
                tell(line);
            }
            return;
        }
        for piece in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            line.extend_from_slice(text);
            if ends || line.len() >= LINE {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if !tell(std::mem::take(&mut line)) {
                    return;
                }
            }
        }
    }
}

/// Whether the child has ended; it stays unreaped, so that its process group's number can't be taken by others.
pub(super) fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}

fn signal(child: &Child, signal: Signal) {
    // The group may be gone already; then there is nothing left to stop.
    kill_process_group(Pid::from_child(child), signal).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Mutex;

    fn shell(script: &str) -> Command {
        Command::new("/bin/sh".into(), BTreeMap::from([("PATH".into(), "/bin:/usr/bin".into())]), "/".into())
            .args(["-c", script])
    }

    fn run(script: &str, cancel: &Cancel, time: Duration) -> (Result<Finished, ProcessError>, Vec<String>) {
        let told = Mutex::new(Vec::new());
        let tell = |line: &str| told.lock().unwrap().push(line.to_owned());
        let result = shell(script).run(&Watch { cancel, time, log: 1 << 20, output: 10, tell: &tell });
        (result, told.into_inner().unwrap())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn output_log_and_code_are_taken_apart() {
        let (result, told) = run("echo out; printf 'a\\033b\\r\\nlast' >&2; exit 3", &Cancel::default(), LONG);
        let finished = result.unwrap();
        assert_eq!((finished.code, finished.output.as_slice()), (Some(3), b"out\n".as_slice()));
        assert_eq!(told, ["a\\u{1b}b", "last"]);
        assert_eq!(finished.log.lines().collect::<Vec<_>>(), told);
    }

    #[test]
    fn the_environment_and_stdin_are_empty() {
        let (result, _) = run("read x; echo \"[$x$HOME$USER]\"", &Cancel::default(), LONG);
        assert_eq!(result.unwrap().output, b"[]\n");
    }

    #[test]
    fn endless_output_is_cut() {
        let (result, _) = run("head -c 1000000 /dev/zero; head -c 3000000 /dev/zero >&2", &Cancel::default(), LONG);
        let finished = result.unwrap();
        assert!(finished.output_cut && finished.output.len() == 10);
        let kept: usize = finished.log.lines().map(|line| line.len() + 1).sum();
        assert!((1..=1 << 20).contains(&kept), "{kept}");
    }

    #[test]
    fn a_child_that_takes_too_long_is_stopped() {
        let started = Instant::now();
        let (result, _) = run("sleep 50", &Cancel::default(), Duration::from_millis(100));
        assert!(matches!(result, Err(ProcessError::TimedOut { .. })), "{result:?}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn cancellation_reaches_the_children_of_the_child() {
        let cancel = Cancel::default();
        let stopper = cancel.clone();
        let timer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            stopper.cancel();
        });
        let directory = tempfile::tempdir().unwrap();
        let mark = directory.path().join("late");
        let (result, _) = run(&format!("(sleep 1; touch {}) & wait", mark.display()), &cancel, LONG);
        timer.join().unwrap();
        assert!(matches!(result, Err(ProcessError::Cancelled(_))), "{result:?}");
        thread::sleep(Duration::from_millis(1200));
        assert!(!mark.exists());
    }

    #[test]
    fn a_grandchild_that_holds_the_outputs_open_is_not_waited_for() {
        let started = Instant::now();
        let (result, _) = run("sleep 50 & echo done", &Cancel::default(), LONG);
        assert_eq!(result.unwrap().output, b"done\n");
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_missing_program_is_named() {
        let command = Command::new("/nowhere/tool".into(), BTreeMap::new(), Path::new("/").into());
        let cancel = Cancel::default();
        let error = command.run(&Watch { cancel: &cancel, time: LONG, log: 1, output: 1, tell: &|_| {} }).unwrap_err();
        assert!(error.to_string().starts_with("`/nowhere/tool` could not be started"), "{error}");
    }
}
