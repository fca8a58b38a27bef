//! A manifest for the Dockerfile that is there.

use std::path::{Path, PathBuf};

use super::files::{read_file, shown};
use super::init_context;
use super::machine::Machine;
use super::open::LOCKFILE;
use crate::dockerfile::{self, lacks_secret_variables, network};
use crate::escape;
use crate::manifest::{self, FILE_NAME, Manifest};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// Where the manifest is, and whether it was written now.
pub struct Initialised {
    /// The manifest.
    pub file: PathBuf,
    /// Whether it was not there before.
    pub written: bool,
}

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitError {
    #[error("no Dockerfile at `{0}`")]
    NoDockerfile(String),
    #[error("`{0}` does not lie below `{1}`, where `repro.toml` would be")]
    Elsewhere(String, String),
    #[error("`{0}` already exists: nothing was imported")]
    Exists(String),
}

impl ExitStatus for InitError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoDockerfile(_) => Some("`--dockerfile FILE` names another".to_owned()),
            Self::Elsewhere(..) => Some("`-C DIR` starts elsewhere".to_owned()),
            Self::Exists(_) => Some("`repro policy --import FILE` takes pins into a project that is there".to_owned()),
        }
    }
}

/// Writes a manifest for `dockerfile`; one that is there is kept. Without `name` the image is called after the directory.
pub fn init(machine: &Machine, dockerfile: &Path, name: Option<&str>) -> Result<Initialised, Failure> {
    let directory = manifest::find(&machine.directory)
        .ok()
        .flatten()
        .and_then(|found| found.file.parent().map(ToOwned::to_owned))
        .unwrap_or_else(|| machine.directory.clone());
    let file = directory.join(FILE_NAME);
    if file.exists() {
        return Ok(Initialised { file, written: false });
    }
    let path = machine.resolve(dockerfile);
    if !path.is_file() {
        return Err(InitError::NoDockerfile(shown(dockerfile)).into());
    }
    let relative = relative_to(&path, &directory)?;
    let parsed = dockerfile::parse(&read_file(&path, machine.limits.dockerfile)?, &machine.limits)?;
    let beside = relative.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let in_root = init_context::only_in_root(&parsed, &directory.join(beside), &directory);
    if let Some((source, line)) = in_root.as_ref().filter(|_| beside != ".") {
        let (source, beside) = (escape::text(source), escape::text(beside));
        machine.progress.note(&format!(
            "the context is `.`: {}:{line} takes `{source}`, which lies there and not in `{beside}`",
            escape::text(relative)
        ));
    }
    let context = if in_root.is_some() { "." } else { beside };
    let name = name.map_or_else(|| manifest::name_from(&directory), str::to_owned);
    let run_needs_network = network::is_needed(&parsed);
    let old_frontend = parsed.syntax.as_deref().filter(|name| lacks_secret_variables(name));
    let text =
        manifest::init(&manifest::Init { name: &name, context, dockerfile: relative, run_needs_network, old_frontend });
    // The name comes from the command line: what is written must be readable.
    Manifest::parse(&text, &file, &directory)?;
    replace_file(&file, text.as_bytes())?;
    Ok(Initialised { file, written: true })
}

/// Where the manifest of an import goes; neither it nor a lockfile may be there.
pub(super) fn new_manifest(machine: &Machine) -> Result<PathBuf, InitError> {
    let found = manifest::find(&machine.directory).ok().flatten();
    let file = found.map_or_else(|| machine.directory.join(FILE_NAME), |found| found.file);
    let lockfile = file.with_file_name(LOCKFILE);
    if let Some(there) = [&file, &lockfile].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(InitError::Exists(shown(&machine.near(there))));
    }
    Ok(file)
}

/// The path of a Dockerfile as a manifest in `directory` spells it.
pub(super) fn relative_to<'a>(path: &'a Path, directory: &Path) -> Result<&'a str, InitError> {
    let relative = path.strip_prefix(directory).ok().and_then(Path::to_str);
    relative.ok_or_else(|| InitError::Elsewhere(shown(path), shown(directory)))
}
