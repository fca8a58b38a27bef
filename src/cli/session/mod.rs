//! One run's surroundings, read once: environment, clock, directories, limits, progress, the stop flag.

mod at_work;
mod prompt;
mod terminal;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::arguments::{Color, Format, Global};
use crate::cancel::Cancel;
use crate::limits::Limits;
use crate::project::Machine;
use crate::status::{ExitStatus, Failure, Status};
pub use prompt::Typing;
use terminal::Terminal;
use zeroize::Zeroizing;

/// Bytes of blobs that can be fetched or made again, unless the user says otherwise.
const CACHE_LIMIT: u64 = 20 << 30;
/// For so long after its last use a blob stays, whatever the limit.
const CACHE_REST: Duration = Duration::from_secs(3600);

/// Everything that a command needs besides its own arguments.
#[derive(Clone)]
pub struct Session {
    /// What operations see of the surroundings.
    pub machine: Machine,
    /// `--format`.
    pub format: Format,
    /// `--locked`.
    pub locked: bool,
    /// `--quiet`: no remarks on stdout either, only data.
    pub quiet: bool,
    /// `--verbose`.
    pub is_verbose: bool,
    /// Bytes that the cache may hold once a run has ended, beside what may be the only copy; none for no limit.
    pub cache_limit: Option<u64>,
    terminal: Arc<Terminal>,
}

/// The surroundings can't be used.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("cannot enter `{}`: {error}", crate::escape::bytes(path.as_os_str().as_encoded_bytes()))]
    Directory { path: PathBuf, error: std::io::Error },
    #[error("cannot watch for signals: {0}")]
    Signals(std::io::Error),
    #[error("`REPRO_CACHE_LIMIT`: `{}` is no size: expected bytes as digits, or with `K`, `M`, `G` or `T`, or `none`", crate::escape::text(.0))]
    CacheLimit(String),
}

impl ExitStatus for SessionError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Session {
    /// Reads the surroundings.
    pub fn open(global: &Global) -> Result<Self, Failure> {
        let wanted = global.directory.as_deref().unwrap_or(Path::new("."));
        let directory = fs::canonicalize(wanted)
            .and_then(|path| if path.is_dir() { Ok(path) } else { Err(std::io::ErrorKind::NotADirectory.into()) })
            .map_err(|error| SessionError::Directory { path: wanted.to_owned(), error })?;
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let mut limits = Limits::default();
        for (name, value) in &global.limits {
            limits.set(name, *value);
        }
        let cancel = Cancel::default();
        watch_signals(&cancel).map_err(SessionError::Signals)?;
        let terminal = Arc::new(Terminal::new(global.quiet, global.verbose));
        let cache_limit = match env::var_os("REPRO_CACHE_LIMIT").filter(|text| !text.is_empty()) {
            None => Some(CACHE_LIMIT),
            Some(text) if text == "none" => None,
            Some(text) => {
                let text = text.to_string_lossy().into_owned();
                Some(size(&text).ok_or(SessionError::CacheLimit(text))?)
            }
        };
        let machine = Machine {
            directory,
            environment: env::vars_os().collect(),
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            offline: global.offline,
            vendor: None,
            limits,
            progress: terminal.clone(),
            cancel,
        };
        let (locked, quiet, is_verbose) = (global.locked, global.quiet, global.verbose > 0);
        Ok(Self { machine, format: global.format, locked, quiet, is_verbose, cache_limit, terminal })
    }

    /// Clears what progress left on the terminal.
    pub fn finish(&self) {
        self.terminal.clear();
    }

    /// The passphrase of a key, from this file descriptor or from the terminal.
    pub fn passphrase(&self, descriptor: Option<i32>) -> Option<Zeroizing<Vec<u8>>> {
        match descriptor {
            Some(descriptor) => prompt::from_descriptor(descriptor).ok(),
            None => self.ask("passphrase of the key: ", Typing::Unseen).ok(),
        }
    }

    /// Asks for a line on the terminal.
    pub fn ask(&self, question: &str, typing: Typing) -> io::Result<Zeroizing<Vec<u8>>> {
        self.terminal.clear();
        prompt::ask(question, typing, &self.machine.cancel)
    }

    /// Brings the cache below its limit if this run has put anything into it.
    pub fn trim_cache(&self) {
        let (Some(limit), Ok(cache)) = (self.cache_limit, self.machine.cache()) else { return };
        let start = UNIX_EPOCH + Duration::from_secs(self.machine.now);
        if cache.has_grown_since(start)
            && let Err(error) = cache.shrink_idle(limit, start.checked_sub(CACHE_REST))
        {
            self.machine.progress.warn(&error.to_string());
        }
    }
}

/// Reads a number of bytes, in binary multiples.
fn size(text: &str) -> Option<u64> {
    let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(*unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(1 << shift)
}

/// The first signal asks for a clean stop, the second ends the process at once.
fn watch_signals(cancel: &Cancel) -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, cancel.flag())?;
        signal_hook::flag::register(signal, cancel.flag())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_digits_with_a_binary_multiple() {
        for (text, want) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("3K", Some(3 << 10)),
            ("20G", Some(20 << 30)),
            ("1T", Some(1 << 40)),
            ("", None),
            ("G", None),
            ("-1", None),
            ("+1", None),
            ("1.5G", None),
            ("1GB", None),
            ("99999999999T", None),
        ] {
            assert_eq!(size(text), want, "{text}");
        }
    }
}
