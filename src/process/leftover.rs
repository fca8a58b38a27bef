//! Processes that a killed run left running.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const GRACE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Ends the process `id` and its group, if `word` still stands among its arguments, and waits until it is gone.
///
/// Whoever has the number by now is left alone without that word. Does nothing where there is no `/proc`.
pub fn end_leftover(id: u32, word: &OsStr) {
    let Some(process) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
    if !has_argument(id, word) {
        return;
    }
    kill_process(process, Signal::TERM).ok();
    let told = Instant::now();
    while has_argument(id, word) && told.elapsed() < GRACE {
        thread::sleep(LOOK);
    }
    if has_argument(id, word) {
        kill_process_group(process, Signal::KILL).ok();
        let killed = Instant::now();
        while has_argument(id, word) && killed.elapsed() < GRACE {
            thread::sleep(LOOK);
        }
    }
}

fn has_argument(id: u32, word: &OsStr) -> bool {
    let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn only_a_process_with_the_word_is_ended() {
        let mut child =
            std::process::Command::new("/bin/sleep").args(["50", "0.123"]).process_group(0).spawn().unwrap();
        // Between two programs a process has no arguments.
        while !has_argument(child.id(), OsStr::new("0.123")) {
            thread::sleep(LOOK);
        }
        end_leftover(child.id(), OsStr::new("0.12"));
        assert!(child.try_wait().unwrap().is_none());
        let id = child.id();
        // Somebody has to take its status, or it keeps its number.
        let reaper = thread::spawn(move || child.wait().unwrap());
        end_leftover(id, OsStr::new("0.123"));
        assert!(!reaper.join().unwrap().success());
        end_leftover(0, OsStr::new("x"));
        end_leftover(u32::MAX, OsStr::new("x"));
    }
}
