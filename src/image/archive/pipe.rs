//! Pipes that may stay silent: they are waited for in short steps, so that a stop ends the wait.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::cancel::Cancel;

/// How long one wait lasts: a fifth of a second.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Reads what `inner` gives until it ends or work should stop. `inner` must not keep bytes back that it has read.
#[derive(Debug)]
pub struct Pipe<R> {
    inner: R,
    cancel: Cancel,
}

impl<R> Pipe<R> {
    /// Reads from `inner` while `cancel` lets it.
    pub fn new(inner: R, cancel: &Cancel) -> Self {
        Self { inner, cancel: cancel.clone() }
    }

    /// Gives back what was read from.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl Pipe<File> {
    /// Opens a pipe with a name, without waiting for somebody who writes to it: reading does that.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path, cancel: &Cancel) -> io::Result<Self> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        Ok(Self::new(File::options().read(true).custom_flags(flags).open(path)?, cancel))
    }
}

impl<R: Read + AsFd> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.cancel.check().map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.inner, PollFlags::IN)], Some(&STEP)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let written = std::thread::spawn(move || (0..50).for_each(|_| writer.write_all(&[7; 5000]).unwrap()));
        let mut read = Vec::new();
        Pipe::new(reader, &Cancel::default()).read_to_end(&mut read).unwrap();
        written.join().unwrap();
        assert_eq!(read, vec![7; 250_000]);
    }

    #[test]
    fn a_stop_ends_the_wait() {
        let (reader, _writer) = io::pipe().unwrap();
        let cancel = Cancel::default();
        let mut pipe = Pipe::new(reader, &cancel);
        let waiting = std::thread::spawn(move || pipe.read(&mut [0; 8]).unwrap_err().to_string());
        cancel.cancel();
        assert_eq!(waiting.join().unwrap(), "interrupted");
    }
}
