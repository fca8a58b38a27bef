//! Reports as files: their form follows from the name's ending.

use std::path::Path;

use super::files::{read_file, shown};
use super::machine::Machine;
use crate::render::{DiffDocument, RenderError, html, junit, markdown};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// A report can't be written or read.
#[derive(Debug, thiserror::Error)]
enum ReportFileError {
    #[error("`{0}`: a report's name ends with `.html`, `.md`, `.xml` or `.json`")]
    Form(String),
    #[error("`--report` takes one image, and there are {0}")]
    Several(usize),
    #[error("`{path}` is no document of `repro diff --format json`: {error}")]
    Document { path: String, error: serde_json::Error },
    #[error("`{path}` is a document of version {found}; this program reads version 1")]
    Version { path: String, found: u32 },
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the report is no JSON: {0}")]
    Json(serde_json::Error),
}

impl ExitStatus for ReportFileError {
    fn status(&self) -> Status {
        match self {
            Self::Document { .. } | Self::Version { .. } => Status::Malformed,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Several(_) => Some("name the image on the command line".to_owned()),
            _ => None,
        }
    }
}

/// Whether a report can tell of so many images.
///
/// # Errors
/// When there is not one.
pub fn check_count(images: usize) -> Result<(), Failure> {
    if images == 1 { Ok(()) } else { Err(ReportFileError::Several(images).into()) }
}

/// Whether a report can be written under that name.
///
/// # Errors
/// When its ending is none of a report.
pub fn check_report_name(path: &Path) -> Result<(), Failure> {
    match ending(path) {
        "html" | "md" | "xml" | "json" => Ok(()),
        _ => Err(ReportFileError::Form(shown(path)).into()),
    }
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

/// Writes a report.
///
/// # Errors
/// When its name has another ending, or it can't be written.
pub fn write_report(machine: &Machine, path: &Path, document: &DiffDocument) -> Result<(), Failure> {
    check_report_name(path)?;
    let text = match ending(path) {
        "html" => html(document).map_err(ReportFileError::from)?,
        "md" => markdown(document).map_err(ReportFileError::from)?,
        "xml" => junit(document).map_err(ReportFileError::from)?,
        _ => serde_json::to_string_pretty(document).map_err(ReportFileError::Json)? + "\n",
    };
    replace_file(&machine.resolve(path), text.as_bytes())?;
    Ok(())
}

/// Writes verdicts that are rendered already.
///
/// # Errors
/// When they were not rendered, or can't be written.
pub fn write_verdicts(machine: &Machine, path: &Path, rendered: Result<String, RenderError>) -> Result<(), Failure> {
    replace_file(&machine.resolve(path), rendered.map_err(ReportFileError::from)?.as_bytes())?;
    Ok(())
}

/// Reads a document that was saved.
///
/// # Errors
/// When it can't be read, or is of another form.
pub fn read_report(machine: &Machine, path: &Path) -> Result<DiffDocument, Failure> {
    let bytes = read_file(&machine.resolve(path), machine.limits.archive_documents)?;
    let document: DiffDocument =
        serde_json::from_slice(&bytes).map_err(|error| ReportFileError::Document { path: shown(path), error })?;
    match document.version {
        1 => Ok(document),
        found => Err(ReportFileError::Version { path: shown(path), found }.into()),
    }
}
