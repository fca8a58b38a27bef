//! An assembled image as an archive or a layout.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::shown;
use super::machine::Machine;
use crate::build::{Assembled, AssembledLayer, Blob};
use crate::digest::Digest;
use crate::epoch::Epoch;
use crate::image::Descriptor;
use crate::image::write::{OpenBlob, Sink, SinkError, Standing, Writable};
use crate::manifest::Image;
use crate::reference::Reference;
use crate::resolve::{ResolveError, Resolver};
use crate::status::{ExitStatus, Failure, Status};

/// The form of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveForm {
    /// OCI, byte for byte BuildKit's `type=oci`.
    Oci,
    /// Docker, which `docker load` of every age reads.
    Docker,
}

/// Where an image shall go, as it was asked for.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// An archive, or with a slash at the end a layout.
    pub path: PathBuf,
    /// The form of the archive.
    pub form: ArchiveForm,
}

/// A place that was looked at and can take an image.
#[derive(Clone, Debug)]
pub struct Target {
    sink: Sink,
    form: ArchiveForm,
}

/// The image can't be written.
#[derive(Debug, thiserror::Error)]
enum OutputError {
    #[error("`-o` takes one image, and there are {0}")]
    Several(usize),
    #[error("a docker archive holds one platform, and there are {0}")]
    Platforms(usize),
    #[error("`{0}` already exists and is not an empty directory")]
    NotEmpty(String),
    #[error("`{0}` is not a regular file: it is left as it is")]
    NotAFile(String),
    #[error("`-o -`: stdout is for digests, images go to files")]
    Stdout,
    #[error("cannot write `{path}`: {error}")]
    Write { path: String, size: u64, error: io::Error },
}

/// What a source's blob could not be had for, if that is why the image can't be written.
fn of_source(error: &io::Error) -> Option<&ResolveError> {
    error.get_ref()?.downcast_ref()
}

impl ExitStatus for OutputError {
    fn status(&self) -> Status {
        match self {
            // A base layer that is not available is nothing that another path would fix.
            Self::Write { error, .. } => of_source(error).map_or(Status::Usage, ExitStatus::status),
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Several(_) => Some("name the image on the command line".to_owned()),
            Self::Stdout => Some("give a FILE, for one of this name `./-`".to_owned()),
            Self::Platforms(_) => Some("choose one with `--platform`, or take `--archive oci`".to_owned()),
            Self::Write { size, error, .. } if is_full(error) => Some(format!("the image takes {size} bytes")),
            _ => None,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Refuses before any work what could not be written after it.
pub fn target(
    machine: &Machine,
    options: Option<&ExportOptions>,
    images: usize,
    platforms: usize,
) -> Result<Option<Target>, Failure> {
    let Some(ExportOptions { path: output, form }) = options else { return Ok(None) };
    let form = *form;
    if output == Path::new("-") {
        return Err(OutputError::Stdout.into());
    }
    if images != 1 {
        return Err(OutputError::Several(images).into());
    }
    if form == ArchiveForm::Docker && platforms != 1 {
        return Err(OutputError::Platforms(platforms).into());
    }
    Ok(Some(Target { sink: sink(machine, output)?, form }))
}

/// An archive, or with a slash at the end a layout; refused where it could not be written.
pub fn sink(machine: &Machine, output: &Path) -> Result<Sink, Failure> {
    if output == Path::new("-") {
        return Err(OutputError::Stdout.into());
    }
    let path = machine.resolve(output);
    if output.as_os_str().as_encoded_bytes().ends_with(b"/") {
        let empty = match fs::read_dir(&path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => fs::symlink_metadata(&path).is_err(),
        };
        return if empty { Ok(Sink::Layout(path)) } else { Err(OutputError::NotEmpty(shown(&path)).into()) };
    }
    match fs::symlink_metadata(&path) {
        Ok(metadata) if !metadata.is_file() => Err(OutputError::NotAFile(shown(&path)).into()),
        _ => Ok(Sink::Archive(path)),
    }
}

/// Writes the image; on failure nothing is left of it.
///
/// What an engine wrote may be taken for it, so layers can't be read any more.
pub fn write(
    target: &Target,
    image: &Image,
    assembled: &Assembled,
    epoch: Epoch,
    resolver: &Resolver,
) -> Result<(), Failure> {
    let contents = writable(target.form, image, assembled, epoch, resolver).into_contents();
    let size = contents.size();
    target.sink.write(&contents, archive_of_engine(assembled)).map_err(|error| match error {
        SinkError::Store(error) => error.into(),
        SinkError::Write(error) => OutputError::Write { path: shown(target.sink.path()), size, error }.into(),
    })
}

/// The archive that an engine wrote, if all layers are in it as they shall be stored: where each of them starts.
fn archive_of_engine(assembled: &Assembled) -> Option<Standing<'_>> {
    let mut archive = None;
    let mut places = BTreeMap::new();
    for layer in assembled.platforms.iter().flat_map(|platform| &platform.layers) {
        let Some(Blob::Slice { path, offset, .. }) = &layer.blob else { return None };
        if archive.is_some_and(|archive| archive != path) {
            return None;
        }
        archive = Some(path);
        places.insert(layer.descriptor.digest, *offset);
    }
    Some(Standing { archive: archive?, places })
}

fn writable<'a>(
    form: ArchiveForm,
    image: &Image,
    assembled: &'a Assembled,
    epoch: Epoch,
    resolver: &'a Resolver,
) -> Writable<'a> {
    let mut blobs: BTreeMap<Digest, (u64, OpenBlob<'a>)> = BTreeMap::new();
    let mut bytes = |content: &'a [u8]| {
        let open: OpenBlob<'a> = Box::new(move || Ok(Box::new(io::Cursor::new(content.to_vec()))));
        blobs.insert(Digest::of(content), (content.len() as u64, open));
    };
    assembled.index.iter().for_each(|index| bytes(index));
    for platform in &assembled.platforms {
        bytes(&platform.manifest);
        bytes(&platform.config);
    }
    for layer in assembled.platforms.iter().flat_map(|platform| &platform.layers) {
        let descriptor = &layer.descriptor;
        blobs.insert(descriptor.digest, (descriptor.size, open_layer(layer, resolver)));
    }
    let docker = assembled.platforms.first().filter(|_| form == ArchiveForm::Docker).map(|platform| {
        let layers = platform.layers.iter().map(|layer| layer.descriptor.digest).collect();
        (Digest::of(&platform.config), layers)
    });
    Writable { top: top(image, assembled), names: names(image), created: epoch.rfc3339(), blobs, docker }
}

fn open_layer<'a>(layer: &'a AssembledLayer, resolver: &'a Resolver) -> OpenBlob<'a> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "the layer was not kept");
    Box::new(move || match &layer.blob {
        Some(Blob::Remote { request }) => {
            let path = resolver.fetch_layer(request, &layer.descriptor, layer.diff_id).map_err(io::Error::other)?;
            Ok(Box::new(fs::File::open(path)?))
        }
        Some(blob) => blob.open(),
        None => Err(missing()),
    })
}

/// The descriptor of the index, or of the one image manifest.
fn top(image: &Image, assembled: &Assembled) -> Descriptor {
    let family = image.output.media_types.family();
    match (&assembled.index, assembled.platforms.first()) {
        (None, Some(platform)) => platform.descriptor.clone(),
        (index, _) => Descriptor::of(family.index(), index.as_deref().unwrap_or_default()),
    }
}

/// The image's names: its repository with each tag.
fn names(image: &Image) -> Vec<Reference> {
    let Some(repository) = &image.publication.repository else { return Vec::new() };
    image.publication.tags.iter().filter_map(|tag| format!("{repository}:{tag}").parse().ok()).collect()
}
