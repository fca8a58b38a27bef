//! Child processes: argv only, own environment, bounded output, stopped on a signal.
//!
//! [`Programs`] finds a program in the absolute entries of a search path, [`Environment`] gives a child the few
//! variables it may see, [`Command::run`] runs it to its end and gives back what it wrote, and [`Service`] keeps one
//! running in the background; [`Command::stream`] gives what a child writes while it runs. No shell is ever involved.
//! Where the system can see to it, `guard` ends all of them with this process, even if it is killed.

mod environment;
mod guard;
mod leftover;
mod log;
mod programs;
mod run;
mod said;
mod service;
mod stream;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::cancel::Cancelled;
use crate::escape;
use crate::status::{ExitStatus, Status};

use guard::Farewell;

pub use environment::{DOCKER, Environment, PODMAN, PROXIES};
pub use guard::become_child;
pub use leftover::end_leftover;
pub use log::Log;
pub use programs::Programs;
pub use run::{Finished, Watch};
pub use said::readable;
pub use service::Service;

/// A program with everything it is started with.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, by absolute path.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// The directory it runs in.
    pub directory: PathBuf,
}

impl Command {
    /// `program` in `directory`, without arguments.
    pub fn new(program: PathBuf, environment: BTreeMap<OsString, OsString>, directory: PathBuf) -> Self {
        Self { program, arguments: Vec::new(), environment, directory }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The program's name as people know it (`buildctl`).
    pub fn name(&self) -> String {
        escape::text(&self.program.file_name().unwrap_or_default().to_string_lossy()).into_owned()
    }

    /// Program and arguments as one line that a POSIX shell reads back as they are.
    pub fn shell_line(&self) -> String {
        let words = std::iter::once(self.program.file_name().unwrap_or_default())
            .chain(self.arguments.iter().map(AsRef::as_ref));
        words.map(shell_word).collect::<Vec<_>>().join(" ")
    }

    /// Starts the program in a process group of its own, its errors piped.
    fn spawn(&self, farewell: Farewell, stdin: Stdio, stdout: Stdio) -> Result<Child, ProcessError> {
        let failed = |error| ProcessError::Start { program: self.program.display().to_string(), error };
        // A guarded child could say so only when it runs.
        std::fs::metadata(&self.program).map_err(failed)?;
        let mut command = guard::command(&self.program, farewell);
        command.args(&self.arguments).env_clear().envs(&self.environment).current_dir(&self.directory);
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).process_group(0);
        guard::spawn(command).map_err(failed)
    }
}

/// Starts one of the user's own programs in the user's own environment, guarded like all children, with pipes to its input
/// and from its output.
pub fn start_in_users_environment(program: &Path, argument: &str) -> io::Result<Child> {
    std::fs::metadata(program)?;
    let mut command = guard::command(program, Farewell::Kill);
    command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    guard::spawn(command)
}

/// `word` as a POSIX shell reads it back: quoted when it holds anything but plain characters.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A child that gave no outcome of its own.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("`{program}` could not be started: {error}")]
    Start {
        /// The program's path.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// Its end could not be waited for.
    #[error("`{program}`: {error}")]
    Wait {
        /// The program's path.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// It ran longer than it may, and was stopped.
    #[error("`{program}` was stopped after {seconds} seconds; `--limit build-time=SECONDS` gives it more")]
    TimedOut {
        /// The program's name.
        program: String,
        /// How long it may run.
        seconds: u64,
    },
    /// It was stopped because the work was.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for ProcessError {
    fn status(&self) -> Status {
        match self {
            Self::Start { .. } | Self::Wait { .. } => Status::Engine,
            Self::TimedOut { .. } => Status::Build,
            Self::Cancelled(_) => Status::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_line_is_read_back_as_the_same_words() {
        let directory = tempfile::tempdir().unwrap();
        let words = ["plain", "", "a b", "it's", "$(id)", "*", "-o", "type=oci,dest=/x", "\u{e9}", "new\nline", "\\"];
        let line = words.map(shell_word).join(" ");
        let out = std::process::Command::new("/bin/sh")
            .args(["-c", &format!("printf '%s\\0' {line}")])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let read: Vec<&str> = std::str::from_utf8(&out.stdout).unwrap().split_terminator('\0').collect();
        assert_eq!(read, words);
        let command = Command::new("/usr/bin/buildctl".into(), BTreeMap::new(), "/".into()).args(["--opt", "a b"]);
        assert_eq!(command.shell_line(), "buildctl --opt 'a b'");
    }
}
