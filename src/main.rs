//! Parses the command line, runs it, ends with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    repro::run(std::env::args_os())
}
