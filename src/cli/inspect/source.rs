//! What SOURCE names, and how it is read.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::registry;
use crate::escape;
use crate::image::archive::{Archive, Pipe, Surroundings};
use crate::image::validate::Selection;
use crate::process::{Command, DOCKER, PODMAN};
use crate::project::{Machine, online};
use crate::status::{ExitStatus, Failure, Status};

/// An image's place.
pub struct Source {
    /// As the user wrote it, safe to print.
    pub shown: String,
    place: Place,
}

enum Place {
    /// An archive.
    File(PathBuf),
    /// A layout.
    Folder(PathBuf),
    /// A pipe with a name.
    Pipe(PathBuf),
    /// Stdin.
    Stdin,
    /// A reference.
    Registry(String),
    /// What this program saves under a name.
    Engine(&'static str, String),
}

/// Prefixes of images that an engine holds, and its program.
const ENGINES: &[(&str, &str)] = &[("docker-daemon:", "docker"), ("podman:", "podman")];

/// The source can't be read.
#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error("cannot read {shown}: {error}")]
    Unreadable { shown: String, error: io::Error },
    #[error("{shown} is a device or socket: not an image archive")]
    Device { shown: String },
    #[error("reading {shown} failed: {error}")]
    Broken { shown: String, error: io::Error },
    #[error("`{program}` is not on PATH")]
    NoEngine { program: &'static str },
    #[error("`{program} save` failed: {message}")]
    Engine { program: &'static str, message: String },
}

impl ExitStatus for SourceError {
    fn status(&self) -> Status {
        match self {
            Self::Unreadable { .. } => Status::Usage,
            Self::Device { .. } => Status::Malformed,
            Self::Broken { .. } => Status::Source,
            Self::NoEngine { .. } | Self::Engine { .. } => Status::Engine,
        }
    }
}

/// Makes a failure out of an error while `source` is read.
pub fn unreadable(source: &Source) -> impl Fn(io::Error) -> Failure {
    let shown = source.shown.clone();
    move |error| SourceError::Broken { shown: shown.clone(), error }.into()
}

impl Source {
    /// What `text` names.
    pub fn of(text: &Path, machine: &Machine) -> Result<Self, Failure> {
        let shown = escape::name(text.as_os_str().as_encoded_bytes());
        if text == Path::new("-") {
            return Ok(Self { shown: "stdin".to_owned(), place: Place::Stdin });
        }
        if let Some(reference) = text.to_str().and_then(|text| text.strip_prefix("docker://")) {
            return Ok(Self { shown, place: Place::Registry(reference.to_owned()) });
        }
        for (prefix, program) in ENGINES {
            if let Some(name) = text.to_str().and_then(|text| text.strip_prefix(prefix)) {
                return Ok(Self { shown, place: Place::Engine(program, name.to_owned()) });
            }
        }
        let path = machine.resolve(text);
        let metadata =
            std::fs::metadata(&path).map_err(|error| SourceError::Unreadable { shown: shown.clone(), error })?;
        let kind = metadata.file_type();
        let place = if kind.is_dir() {
            Place::Folder(path)
        } else if kind.is_file() {
            Place::File(path)
        } else if kind.is_fifo() {
            Place::Pipe(path)
        } else {
            return Err(SourceError::Device { shown }.into());
        };
        Ok(Self { shown, place })
    }

    /// Whether it can be read a second time.
    pub fn is_readable_again(&self) -> bool {
        matches!(self.place, Place::File(_) | Place::Folder(_))
    }

    /// Whether `index.json` is none of the image's own documents.
    pub fn has_made_up_index(&self) -> bool {
        matches!(self.place, Place::Registry(_))
    }

    /// Reads everything that it holds.
    pub fn read(&self, machine: &Machine, selection: &Selection, sums_both: bool) -> Result<Archive, Failure> {
        let around = Surroundings {
            limits: &machine.limits,
            cancel: &machine.cancel,
            threads: rayon::current_num_threads(),
            is_fast: selection.is_fast,
            is_listed: selection.is_listed,
            sums_both,
        };
        let open = |path: &Path| {
            File::open(path).map_err(|error| SourceError::Unreadable { shown: self.shown.clone(), error })
        };
        let archive = match &self.place {
            Place::File(path) => Archive::read_file(open(path)?, &around),
            Place::Folder(path) => Archive::read_folder(path, &around),
            Place::Pipe(path) => {
                let pipe = Pipe::open(path, &machine.cancel)
                    .map_err(|error| SourceError::Unreadable { shown: self.shown.clone(), error })?;
                Archive::read_stream(pipe, &around)
            }
            // Without the buffer of `io::stdin`, which may hold bytes when nothing more comes.
            Place::Stdin => io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .and_then(|stdin| Archive::read_stream(Pipe::new(File::from(stdin), &machine.cancel), &around)),
            Place::Registry(reference) => {
                Archive::read_sources(registry::gather(reference, machine, selection.is_fast)?, &around)
            }
            Place::Engine(program, name) => return self.saved(program, name, machine, &around),
        };
        archive.map_err(unreadable(self))
    }

    /// Reads what an engine saves.
    fn saved(
        &self,
        program: &'static str,
        name: &str,
        machine: &Machine,
        around: &Surroundings<'_>,
    ) -> Result<Archive, Failure> {
        let path = online::programs(machine).find(program).ok_or(SourceError::NoEngine { program })?;
        let locators = [DOCKER, PODMAN, &["DOCKER_CONFIG"]].concat();
        let environment = online::environment(machine).for_child(&locators);
        let command = Command::new(path, environment, machine.directory.clone()).args(["save", "--", name]);
        let output = command.stream()?;
        let mut pipe = Pipe::new(output, &machine.cancel);
        let archive = Archive::read_stream(&mut pipe, around).map_err(unreadable(self))?;
        match pipe.into_inner().finish()? {
            Ok(()) => Ok(archive),
            Err(message) => Err(SourceError::Engine { program, message }.into()),
        }
    }
}
