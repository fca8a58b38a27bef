//! One reader for all places.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::error::ReadError;
use super::gather::{Blobs, Origin, gather};
use super::place::Place;
use crate::cancel::Cancel;
use crate::image::archive::{Archive, Pipe, Surroundings};
use crate::layer::Listed;
use crate::limits::{LimitExceeded, Limits};
use crate::process::{Command, DOCKER, Environment, PODMAN, Programs};
use crate::registry::Registry;
use crate::store::Cache;

/// What images are read with.
pub struct Reader<'a> {
    /// The registries, and the cache that their blobs go through; none if no host may be asked.
    pub registries: Option<(&'a Registry, &'a Cache)>,
    /// Where the programs of engines are found.
    pub programs: Programs,
    /// The environment of these programs.
    pub environment: Environment,
    /// Where the user stands.
    pub directory: &'a Path,
    /// Bounds on all that is read.
    pub limits: &'a Limits,
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
}

/// How much of an image is read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Which blobs a registry is asked for.
    pub blobs: Blobs,
    /// Whether to leave the contents of layers alone.
    pub is_fast: bool,
    /// Whether the entries of layers are kept for a listing.
    pub is_listed: bool,
    /// Whether sha512 is computed of everything, not only of blobs that are named by it.
    pub sums_both: bool,
    /// Whether members can be read again: what comes through a pipe is kept in a temporary file then.
    pub is_kept: bool,
}

impl Reader<'_> {
    /// Reads everything that is at `place`.
    pub fn read(&self, place: &Place, wanted: Wanted) -> Result<Archive, ReadError> {
        Ok(self.read_telling(place, wanted)?.0)
    }

    /// The same, with the mirror that said what a reference means, where its registry was not reached.
    pub fn read_telling(&self, place: &Place, wanted: Wanted) -> Result<(Archive, Option<String>), ReadError> {
        let mut mirror = None;
        let around = Surroundings {
            limits: self.limits,
            cancel: self.cancel,
            threads: rayon::current_num_threads(),
            is_fast: wanted.is_fast,
            listed: if wanted.is_listed { Listed::Headers } else { Listed::Nothing },
            contents: None,
            sums_both: wanted.sums_both,
        };
        let archive = match place {
            Place::Path(path) => self.path(path, place, &around, wanted.is_kept)?,
            // Without the buffer of `io::stdin`, which may hold bytes when nothing more comes.
            Place::Stdin => io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .and_then(|stdin| self.piped(Pipe::new(File::from(stdin), self.cancel), &around, wanted.is_kept)),
            Place::Registry(reference) => {
                let (registry, cache) = self.registries.ok_or(ReadError::Offline)?;
                let from = Origin { registry, cache, reference, limits: self.limits };
                let gathered = gather(&from, wanted.blobs)?;
                mirror = gathered.mirror;
                Archive::read_sources(gathered.members, &around)
            }
            Place::Engine(program, image) => Ok(self.saved(program, image, place, &around, wanted.is_kept)?),
        };
        let archive = archive.map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
        Ok((archive, mirror))
    }

    /// Whether what is at `place` can be read a second time.
    pub fn can_read_again(&self, place: &Place) -> bool {
        let kind = |path| std::fs::metadata(self.directory.join(path)).map(|metadata| metadata.file_type());
        matches!(place, Place::Path(path) if kind(path).is_ok_and(|kind| kind.is_file() || kind.is_dir()))
    }

    /// Reads what comes through a pipe, from a temporary file if it is to be read again.
    fn piped(&self, pipe: impl Read, around: &Surroundings<'_>, is_kept: bool) -> io::Result<Archive> {
        if !is_kept {
            return Archive::read_stream(pipe, around);
        }
        let mut file = tempfile::tempfile()?;
        let limit = self.limits.image_bytes;
        if io::copy(&mut pipe.take(limit.saturating_add(1)), &mut file)? > limit {
            let object = "what comes through the pipe".to_owned();
            return Err(io::Error::other(LimitExceeded { name: "image-bytes", limit, object }));
        }
        Archive::read_file(file, around)
    }

    fn path(
        &self,
        path: &Path,
        place: &Place,
        around: &Surroundings<'_>,
        is_kept: bool,
    ) -> Result<io::Result<Archive>, ReadError> {
        let path = &self.directory.join(path);
        let unreadable = |error| ReadError::Unreadable { place: place.to_string(), error };
        let kind = std::fs::metadata(path).map_err(unreadable)?.file_type();
        Ok(if kind.is_dir() {
            Archive::read_directory(path, around)
        } else if kind.is_file() {
            Archive::read_file(File::open(path).map_err(unreadable)?, around)
        } else if kind.is_fifo() {
            self.piped(Pipe::open(path, self.cancel).map_err(unreadable)?, around, is_kept)
        } else {
            return Err(ReadError::Device { place: place.to_string() });
        })
    }

    /// Reads what an engine saves.
    fn saved(
        &self,
        program: &'static str,
        image: &str,
        place: &Place,
        around: &Surroundings<'_>,
        is_kept: bool,
    ) -> Result<Archive, ReadError> {
        let path = self.programs.find(program).ok_or(ReadError::NoEngine { program })?;
        let locators = [DOCKER, PODMAN, &["DOCKER_CONFIG"]].concat();
        let environment = self.environment.for_child(&locators);
        let command = Command::new(path, environment, self.directory.to_owned()).args(["save", "--", image]);
        let mut pipe = Pipe::new(command.stream()?, self.cancel);
        let archive = self
            .piped(&mut pipe, around, is_kept)
            .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
        match pipe.into_inner().finish()? {
            Ok(()) => Ok(archive),
            Err(message) => Err(ReadError::Engine { program, message }),
        }
    }
}
