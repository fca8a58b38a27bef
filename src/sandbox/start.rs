//! Starting a sandbox and waiting for its end.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::description::{Confined, Failure, Part};
use crate::cancel::Cancel;
use crate::process::{Command, ProcessError, Watch};
use crate::status::{ExitStatus, Status};

/// This program, even if its file was replaced meanwhile.
const OURSELVES: &str = "/proc/self/exe";
/// Names of the files that every step has in `/etc`.
pub(super) const HOSTS: &str = "hosts";
pub(super) const RESOLVER: &str = "resolv.conf";

/// Whether `main` gave this program a way to become a part of a sandbox.
static CAN_BECOME: AtomicBool = AtomicBool::new(false);

/// For `main`, once it is clear that this process is the program proper.
pub(super) fn may_start() {
    CAN_BECOME.store(cfg!(target_os = "linux"), Ordering::Relaxed);
}

/// Who watches a step.
pub struct Watched<'a> {
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
    /// How long it may take.
    pub time: Duration,
    /// Given every line that it writes, safe to print.
    pub tell: &'a dyn Fn(&str),
}

/// How a step ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; 128 and the number of the signal that ended it.
    pub status: u8,
    /// The last lines that it wrote and that have something to read.
    pub last_lines: Vec<String>,
}

/// Why a step could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The sandbox could not be made.
    #[error("the sandbox can't be made: {0}")]
    Broken(String),
    /// Its directory could not be written.
    #[error("the sandbox's directory: {0}")]
    Directory(#[from] io::Error),
    /// It could not be started, or was stopped.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl ExitStatus for SandboxError {
    fn status(&self) -> Status {
        match self {
            Self::Broken(_) | Self::Directory(_) => Status::Engine,
            Self::Process(error) => error.status(),
        }
    }
}

/// Bytes kept of what a step writes, and lines of them for who reads of its failure.
const LOG: u64 = 64 << 10;
const LAST_LINES: usize = 20;

impl Confined {
    /// Runs the program to its end; `directory` is an empty one for this run, on this machine's own file systems.
    pub fn run(&self, directory: &Path, watched: &Watched<'_>) -> Result<Ended, SandboxError> {
        self.write(directory)?;
        let own = format!("127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n", self.host_name);
        for (name, text) in [(HOSTS, own.as_str()), (RESOLVER, "")] {
            let path = directory.join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        }
        let finished = part(Part::Outside, directory).run(&Watch {
            cancel: watched.cancel,
            time: watched.time,
            log: LOG,
            output: 0,
            tell: watched.tell,
        })?;
        if let Some(message) = Failure::read(directory) {
            return Err(SandboxError::Broken(message));
        }
        let status = finished.code.and_then(|code| u8::try_from(code).ok());
        let status = status.ok_or_else(|| SandboxError::Broken("it was killed".to_owned()))?;
        Ok(Ended { status, last_lines: finished.log.last_readable(LAST_LINES) })
    }
}

/// Why there can be no sandbox on this machine for this user; `directory` is an empty one to try it in.
pub fn what_is_missing(directory: &Path, cancel: &Cancel) -> Result<Option<String>, SandboxError> {
    if !CAN_BECOME.load(Ordering::Relaxed) {
        return Ok(Some("only the program itself, on Linux, can make a sandbox".to_owned()));
    }
    if !rustix::process::geteuid().is_root() {
        return Ok(Some("only root can make a sandbox that leaves BuildKit's bytes".to_owned()));
    }
    let watch = Watch { cancel, time: Duration::from_secs(60), log: LOG, output: 0, tell: &|_| () };
    let finished = part(Part::Probe, directory).run(&watch)?;
    let failed = (!finished.succeeded()).then(|| format!("it ended with {:?}", finished.code));
    Ok(Failure::read(directory).or(failed))
}

/// This program as a part of a sandbox.
fn part(part: Part, directory: &Path) -> Command {
    let command = Command::new(OURSELVES.into(), BTreeMap::new(), "/".into());
    command.arg(part.argument()).arg(directory)
}
