//! `repro init`: a manifest for the Dockerfile that is there.

use std::path::Path;

use super::arguments::Init;
use super::document::InitDocument;
use super::project::{read_file, shown};
use super::report::{Document, Report};
use super::session::Session;
use crate::dockerfile::{self, network};
use crate::manifest::{self, FILE_NAME, Manifest};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("no Dockerfile at `{0}`")]
    NoDockerfile(String),
    #[error("`{0}` does not lie below `{1}`, where `repro.toml` would be")]
    Elsewhere(String, String),
}

impl ExitStatus for InitError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoDockerfile(_) => Some("`--dockerfile FILE` names another".to_owned()),
            Self::Elsewhere(..) => Some("`-C DIR` starts elsewhere".to_owned()),
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Init, session: &Session) -> Result<Report, Failure> {
    let folder = manifest::find(&session.directory)
        .ok()
        .flatten()
        .and_then(|found| found.file.parent().map(ToOwned::to_owned))
        .unwrap_or_else(|| session.directory.clone());
    let file = folder.join(FILE_NAME);
    if file.exists() {
        let remark = format!("{} is there already and was kept\n", shown(&session.near(&file)));
        return Ok(report(session, &file, remark, false));
    }
    let dockerfile = session.resolve(&arguments.dockerfile);
    if !dockerfile.is_file() {
        return Err(InitError::NoDockerfile(shown(&arguments.dockerfile)).into());
    }
    let relative = dockerfile
        .strip_prefix(&folder)
        .ok()
        .and_then(Path::to_str)
        .ok_or_else(|| InitError::Elsewhere(shown(&dockerfile), shown(&folder)))?;
    let parsed = dockerfile::parse(&read_file(&dockerfile, session.limits.dockerfile)?)?;
    let context = relative.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let name = arguments.name.clone().unwrap_or_else(|| manifest::name_from(&folder));
    let run_needs_network = network::is_needed(&parsed);
    let text = manifest::init(&manifest::Init { name: &name, context, dockerfile: relative, run_needs_network });
    // The name comes from the command line: what is written must be readable.
    Manifest::parse(&text, &file, &folder)?;
    replace_file(&file, text.as_bytes())?;
    let remark = format!("wrote {}; next: `repro lock`\n", shown(&session.near(&file)));
    Ok(report(session, &file, remark, true))
}

fn report(session: &Session, file: &Path, remark: String, written: bool) -> Report {
    let text = if session.quiet { String::new() } else { remark };
    let document = InitDocument { version: 1, status: 0, manifest: shown(file), written, error: None };
    Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) }
}
