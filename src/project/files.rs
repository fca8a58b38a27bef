//! Reading the files of a project, within limits.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::context;
use crate::escape;
use crate::input::open_regular;
use crate::limits::Limits;
use crate::status::{ExitStatus, Failure, Status};

/// A file can't be read.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read `{path}`: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("`{0}` is not UTF-8")]
    NotText(String),
}

impl ExitStatus for FileError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// A path for messages.
pub fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

/// Reads a file of at most `limit` bytes, with the line ends of a checkout without user configuration.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let fail = |error| FileError::Unreadable { path: shown(path), error };
    let file = open_regular(path).map_err(|error| fail(dangling(path).unwrap_or(error)))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(context::as_checked_out(path, bytes, &Limits::default())?)
}

/// What is wrong with a link to nothing: the link is there, so that its own name would mislead.
fn dangling(path: &Path) -> Option<io::Error> {
    let target = fs::read_link(path).ok().filter(|_| !path.exists())?;
    // A circle of links has an error of its own.
    let is_missing = path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    is_missing.then(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("it is a link to `{}`, which is not there", shown(&target)))
    })
}

/// Reads a text of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    Ok(String::from_utf8(read_file(path, limit)?).map_err(|_| FileError::NotText(shown(path)))?)
}
