//! `repro lsp`: what `repro lint` finds, told to an editor on stdin and stdout.

use std::io::{BufReader, Write};

use super::super::report::Report;
use super::super::session::Session;
use crate::lsp::{FrameError, Server, read};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(session: &Session) -> Result<Report, Failure> {
    let mut server = Server::new(session.machine.clone());
    let (mut input, mut output) = (BufReader::new(std::io::stdin().lock()), std::io::stdout().lock());
    while let Some(message) = read(&mut input, server.message_limit())? {
        let Some(message) = message else {
            session.machine.progress.warn("a message that is none was left out");
            continue;
        };
        let Some(answers) = server.answer(message) else { break };
        for answer in answers {
            answer.write(&mut output).map_err(FrameError::Read)?;
        }
        output.flush().map_err(FrameError::Read)?;
    }
    // The protocol wants 1 from a server that is ended without being shut down first.
    let status = if server.is_shut_down() { Status::Success } else { Status::Differs };
    Ok(Report::text(status, String::new()))
}
