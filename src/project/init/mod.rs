//! A manifest for the Dockerfiles that are there.
//!
//! `find` tells which ones those are, `context` guesses which directory each copies from, `offers` has the lines
//! that settle what lint finds. What was seen, and what of the
//! manifest follows from it, is told as notes.

mod context;
mod find;
mod offers;

use std::path::{Path, PathBuf};

use super::files::{read_file, shown};
use super::machine::Machine;
use super::open::LOCKFILE;
use crate::dockerfile::{self, lacks_secret_variables, network};
use crate::imports::Note;
use crate::manifest::{self, FILE_NAME, Manifest};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// Where the manifest is, and whether it was written now.
pub struct Initialised {
    /// The manifest.
    pub file: PathBuf,
    /// Whether it was not there before.
    pub written: bool,
    /// What was seen, and what follows from it.
    pub notes: Vec<Note>,
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

/// One image of a new manifest.
struct Image {
    name: String,
    dockerfile: String,
    context: String,
    run_needs_network: bool,
    old_frontend: Option<String>,
    offers: Vec<String>,
}

/// Writes a manifest for `dockerfile`, or for those that are there; one that is there is kept. Without `name` the image of
/// a named or an only Dockerfile is called after the directory.
pub fn init(machine: &Machine, dockerfile: Option<&Path>, name: Option<&str>) -> Result<Initialised, Failure> {
    let directory = manifest::find(&machine.directory)
        .ok()
        .flatten()
        .and_then(|found| found.file.parent().map(ToOwned::to_owned))
        .unwrap_or_else(|| machine.directory.clone());
    let file = directory.join(FILE_NAME);
    if file.exists() {
        return Ok(Initialised { file, written: false, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let of_name = || name.map_or_else(|| manifest::name_from(&directory), str::to_owned);
    let mut images = Vec::new();
    match dockerfile {
        Some(dockerfile) => images.push(look(machine, &directory, of_name(), dockerfile, &mut notes)?),
        None => {
            let found = find::find(&directory);
            for (what, why) in &found.recipes {
                notes.push(Note::new(what, why));
            }
            if !found.further.is_empty() {
                let paths: Vec<String> = found.further.iter().take(8).map(|path| shown(path)).collect();
                let more = found.further.len() - paths.len();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                notes
                    .push(Note::new(format!("{}{more}", paths.join(", ")), "further down, so no image was made of it"));
            }
            match (found.images.as_slice(), name) {
                // Of several, a name can only mean the one that is called Dockerfile.
                ([], _) => images.push(look(machine, &directory, of_name(), Path::new("Dockerfile"), &mut notes)?),
                ([(_, path), ..], Some(_)) | ([(_, path)], None) => {
                    images.push(look(machine, &directory, of_name(), &directory.join(path), &mut notes)?);
                }
                (several, None) => {
                    for (name, path) in several {
                        match look(machine, &directory, name.clone(), &directory.join(path), &mut notes) {
                            Ok(image) => images.push(image),
                            Err(failure) => notes.push(Note::new(shown(path), format!("no image: {failure}"))),
                        }
                    }
                    if images.is_empty() {
                        let (name, path) = &several[0];
                        images.push(look(machine, &directory, name.clone(), &directory.join(path), &mut notes)?);
                    }
                }
            }
        }
    }
    let texts: Vec<manifest::Init<'_>> = images.iter().map(Image::for_manifest).collect();
    let text = manifest::init(&texts);
    // The name comes from the command line: what is written must be readable.
    Manifest::parse(&text, &file, &directory)?;
    replace_file(&file, text.as_bytes())?;
    Ok(Initialised { file, written: true, notes })
}

/// What a manifest in `directory` says of the image of one Dockerfile, and why.
fn look(
    machine: &Machine,
    directory: &Path,
    name: String,
    dockerfile: &Path,
    notes: &mut Vec<Note>,
) -> Result<Image, Failure> {
    let path = machine.resolve(dockerfile);
    if !path.is_file() {
        return Err(InitError::NoDockerfile(shown(&machine.near(dockerfile))).into());
    }
    let relative = relative_to(&path, directory)?;
    let parsed = dockerfile::parse(&read_file(&path, machine.limits.dockerfile)?, &machine.limits)?;
    let beside = relative.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let in_root = context::only_in_root(&parsed, &directory.join(beside), directory).filter(|_| beside != ".");
    if let Some((source, line)) = &in_root {
        let why = format!("the context is `.`: it takes `{source}`, which lies there and not in `{beside}`");
        notes.push(Note::new(format!("{relative}:{line}"), why));
    } else if beside != "." {
        notes.push(Note::new(relative, format!("the context is `{beside}`, where it lies")));
    }
    let need = network::first_need(&parsed);
    if let Some(need) = &need {
        let why = format!("network = \"locked\": `{}` downloads, which is recorded once and replayed", need.program);
        notes.push(Note::new(format!("{relative}:{}", need.line), why));
    }
    let offers = offers::offers(&parsed);
    let old_frontend = parsed.syntax.filter(|name| lacks_secret_variables(name));
    let context = if in_root.is_some() { "." } else { beside }.to_owned();
    Ok(Image {
        name,
        dockerfile: relative.to_owned(),
        context,
        run_needs_network: need.is_some(),
        old_frontend,
        offers,
    })
}

impl Image {
    fn for_manifest(&self) -> manifest::Init<'_> {
        manifest::Init {
            name: &self.name,
            context: &self.context,
            dockerfile: &self.dockerfile,
            run_needs_network: self.run_needs_network,
            old_frontend: self.old_frontend.as_deref(),
            offers: &self.offers,
        }
    }
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
