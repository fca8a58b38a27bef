//! `repro layer gzip`: the frozen encoder for anyone, stdin to stdout.

use std::io::{self, BufWriter, Write};

use super::super::arguments::{Layer, LayerAction};
use super::super::report::Report;
use crate::layer::gzip::ParallelEncoder;
use crate::status::{ExitStatus, Failure, Status};

/// The stream could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot compress stdin to stdout: {0}")]
struct StreamError(#[from] io::Error);

impl ExitStatus for StreamError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs the command.
pub fn run(arguments: &Layer) -> Result<Report, Failure> {
    let LayerAction::Gzip = arguments.action;
    match compress() {
        // Whoever reads has seen enough (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.map_err(StreamError)?,
    }
    Ok(Report::text(Status::Success, String::new()))
}

/// More threads would wait for the one that writes.
const MOST_THREADS: usize = 4;

fn compress() -> io::Result<()> {
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut encoder = ParallelEncoder::new(out, rayon::current_num_threads().min(MOST_THREADS));
    let mut stdin = io::stdin().lock();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut stdin, &mut buffer) {
            Ok(0) => break,
            Ok(count) => encoder.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    encoder.finish()?.flush()
}
