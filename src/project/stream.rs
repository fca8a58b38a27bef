//! A layered image of store paths, as nixpkgs' script writes it.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::files::shown;
use super::machine::Machine;
use crate::digest::Digest;
use crate::layered::{Base, Closure, Description, Form, Root, Stream, Surroundings};
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::Replacement;

/// Bytes that wait for the writer.
const BUFFER: usize = 1 << 18;

/// Which image is written.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// The JSON description.
    pub description: PathBuf,
    /// The tag in place of the description's; an empty one is none.
    pub tag: Option<String>,
    /// The directory below which the description's paths are; none for the file system itself.
    pub root: Option<PathBuf>,
    /// Where a time without an offset is.
    pub zone: TimeZone,
    /// Whether the archive is an OCI archive, and not a docker one.
    pub is_oci: bool,
    /// A reference graph to make the layers of, and how many layers there may be at most; none for those that the
    /// description lists.
    pub closure: Option<(PathBuf, NonZero<usize>)>,
}

/// The description can't be had.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error("cannot read `{path}`: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error(transparent)]
    TooLarge(#[from] LimitExceeded),
}

impl ExitStatus for StreamError {
    fn status(&self) -> Status {
        match self {
            Self::Unreadable { .. } => Status::Usage,
            Self::TooLarge(_) => Status::Malformed,
        }
    }
}

/// Writes the archive to `out`, as a stream. Gives the digest of the image manifest, if the form has one.
///
/// # Errors
/// A description or an image that can't be read. What `out` has then got is no archive: the documents and the end miss.
pub fn stream(machine: &Machine, options: &StreamOptions, out: impl Write) -> Result<Option<Digest>, Failure> {
    let document = read(machine, &options.description)?;
    let surroundings = Surroundings {
        tag: options.tag.as_deref(),
        now: machine.now,
        zone: options.zone.clone(),
        is_layered_elsewhere: options.closure.is_some(),
    };
    let mut description = Description::read(&document, &surroundings)?;
    let root = match &options.root {
        Some(root) => Root::below(&machine.resolve(root)),
        None => Root::whole(&machine.directory),
    };
    let base = description.base.as_ref().map(|path| Base::open(&root, path, &machine.limits)).transpose()?;
    if let Some((graph, most)) = &options.closure {
        description = description.layered(Closure::read(&read(machine, graph)?)?, most.get(), base.as_ref())?;
    }
    let form = if options.is_oci { Form::oci(&description)? } else { Form::Docker };
    let step = "write layers";
    let stream = Stream {
        description: &description,
        root: &root,
        form: &form,
        cancel: &machine.cancel,
        threads: rayon::current_num_threads(),
        tell: &|layer, total| machine.progress.step(step, layer as u64, Some(total as u64)),
    };
    let mut out = BufWriter::with_capacity(BUFFER, out);
    let written = stream.write(&mut out, base);
    machine.progress.end(step);
    if written.is_err() {
        // What still waits would only be more of what is no archive.
        let _ = out.into_parts();
    }
    Ok(written?)
}

/// Writes the archive to a file that is there whole or not at all.
///
/// # Errors
/// Those of [`stream`], and a file that can't be written.
pub fn stream_to_file(machine: &Machine, options: &StreamOptions, file: &Path) -> Result<Option<Digest>, Failure> {
    let mut replacement = Replacement::start(&machine.resolve(file))?;
    let manifest = stream(machine, options, replacement.file())?;
    replacement.finish()?;
    Ok(manifest)
}

fn read(machine: &Machine, path: &Path) -> Result<Vec<u8>, StreamError> {
    let limit = machine.limits.json_bytes;
    let mut document = Vec::new();
    File::open(machine.resolve(path))
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut document))
        .map_err(|error| StreamError::Unreadable { path: shown(path), error })?;
    if document.len() as u64 > limit {
        return Err(LimitExceeded { name: "json-bytes", limit, object: shown(path) }.into());
    }
    Ok(document)
}
