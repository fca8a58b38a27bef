//! What is asked for on the terminal, secrets without being shown there.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cancel::Cancel;

/// Bytes that an answer may have.
const MOST_BYTES: u64 = 4096;

/// A secret from a file descriptor: its first line.
///
/// # Errors
/// When it can't be read.
pub fn from_descriptor(descriptor: i32) -> io::Result<Zeroizing<Vec<u8>>> {
    line(File::open(format!("/dev/fd/{descriptor}"))?)
}

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// As ever.
    Shown,
    /// A secret.
    Unseen,
}

/// Asks for a line on the terminal.
///
/// # Errors
/// When there is no terminal, and `Interrupted` when work should stop; the terminal shows what is typed again in any case.
pub fn ask(question: &str, typing: Typing, cancel: &Cancel) -> io::Result<Zeroizing<Vec<u8>>> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let silenced = (typing == Typing::Unseen).then(|| Silenced::new(&terminal)).transpose()?;
    (&terminal).write_all(question.as_bytes())?;
    let quarter = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
    loop {
        // A read would begin anew after the signal, and its handler only asks for an end.
        if cancel.is_cancelled() {
            (&terminal).write_all(b"\n")?;
            return Err(io::ErrorKind::Interrupted.into());
        }
        match poll(&mut [PollFd::new(&terminal, PollFlags::IN)], Some(&quarter)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let answer = line(&terminal);
    drop(silenced);
    answer
}

/// A terminal that does not show what is typed, but where a line ends.
struct Silenced<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silenced<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silenced<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

fn line(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
    BufReader::with_capacity(1, from).take(MOST_BYTES).read_until(b'\n', &mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(line)
}
