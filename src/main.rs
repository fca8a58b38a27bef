//! Parses the command line, runs it, ends with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = repro::become_child(std::env::args_os()) {
        return status;
    }
    if let Some(status) = repro::become_part(std::env::args_os()) {
        return status;
    }
    repro::run(std::env::args_os())
}
