//! The passphrase of a key: from a file descriptor, or asked for on the terminal without showing it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Bytes that a passphrase may have.
const MOST_BYTES: u64 = 4096;

/// A line from the file descriptor, or from the terminal; none where there is neither.
pub fn read(descriptor: Option<i32>) -> Option<Zeroizing<Vec<u8>>> {
    match descriptor {
        Some(descriptor) => line(File::open(format!("/dev/fd/{descriptor}")).ok()?).ok(),
        None => ask().ok(),
    }
}

fn ask() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let passphrase = terminal.write_all(b"passphrase of the key: ").and_then(|()| line(&terminal));
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    passphrase
}

fn line(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
    BufReader::with_capacity(1, from).take(MOST_BYTES).read_until(b'\n', &mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(line)
}
