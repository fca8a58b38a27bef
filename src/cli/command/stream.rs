//! `repro stream`: a layered image, to stdout or a file.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use jiff::tz::TimeZone;

use super::super::arguments::{self, Format};
use super::super::report::Report;
use super::super::session::Session;
use crate::project::{StreamOptions, stream, stream_to_file};
use crate::status::{ExitStatus, Failure, Status};

/// There is nowhere to write the archive to.
#[derive(Debug, thiserror::Error)]
enum OutputError {
    #[error("stdout is a terminal, and an archive nothing to look at")]
    Terminal,
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] io::Error),
}

impl ExitStatus for OutputError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Terminal)
            .then(|| "give `-o FILE`, or a pipe: `repro stream CONF | docker load`".to_owned())
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Stream, session: &Session) -> Result<Report, Failure> {
    let options = StreamOptions {
        description: arguments.description.clone(),
        tag: arguments.tag.clone(),
        root: arguments.root.clone(),
        zone: TimeZone::system(),
        is_oci: session.format == Format::Oci,
        closure: arguments.from_closure.clone().map(|graph| (graph, arguments.max_layers)),
    };
    let manifest = match &arguments.output {
        Some(file) => stream_to_file(&session.machine, &options, file)?,
        None => {
            let stdout = io::stdout();
            if stdout.is_terminal() {
                return Err(OutputError::Terminal.into());
            }
            // `Stdout` itself would look for line ends.
            let out = File::from(stdout.as_fd().try_clone_to_owned().map_err(OutputError::Stdout)?);
            stream(&session.machine, &options, out)?
        }
    };
    if let Some(manifest) = manifest {
        session.machine.progress.note(&format!("image manifest {manifest}"));
    }
    Ok(Report::text(Status::Success, String::new()))
}
