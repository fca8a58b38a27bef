//! `repro serve`: a registry over a layout or an archive.

use std::io::Write;

use super::super::arguments::Serve;
use super::super::report::Report;
use super::super::session::Session;
use crate::project::{ServeOptions, serve};
use crate::status::{Failure, Status};

/// Runs the command; it ends with the signal that stops it, which is no failure.
pub fn run(arguments: &Serve, session: &Session) -> Result<Report, Failure> {
    let Serve { path, listen, writable } = arguments;
    let options = ServeOptions { path: path.clone(), listen: *listen, is_writable: *writable };
    serve(&session.machine, &options, |address, named| {
        let mut text = format!("{address}\n");
        for one in named {
            text += &format!("{address}/{}:{} {}\n", one.repository, one.tag, one.digest);
        }
        // Whoever has gone away needs no address.
        let mut out = std::io::stdout();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    })?;
    Ok(Report::text(Status::Success, String::new()))
}
