//! Deltas between images of any place: made, shown, and applied.
//!
//! `read` takes in the images, [`crate::delta`] does the rest; here is where files come from and go to.

mod read;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::export::sink;
use super::files::shown;
use super::machine::Machine;
use super::ship::{ShipSource, ShipTarget, TransferOptions, transfer};
use crate::bounds::Bounds;
use crate::delta::{self, Delta, Header};
use crate::digest::Digest;
use crate::image::write::{Contents, Sink, SinkError};
use crate::reference::Reference;
use crate::source::Place;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{Replacement, TemporaryDirectory};
use read::read;

/// What a delta is made of.
#[derive(Clone, Debug)]
pub struct DeltaOptions {
    /// The images that whoever applies it has.
    pub bases: Vec<PathBuf>,
    /// The image that it gives.
    pub target: PathBuf,
    /// Where it goes; none to tell only what it would hold.
    pub output: Option<PathBuf>,
}

/// How a delta is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// What is applied.
    pub delta: DeltaFile,
    /// The images that it was made from.
    pub bases: Vec<PathBuf>,
    /// Where the image goes.
    pub target: ApplyTarget,
}

/// A file that an image comes out of.
#[derive(Clone, Debug)]
pub enum DeltaFile {
    /// A delta.
    Delta(PathBuf),
    /// An archive of ddiff.
    Ddiff(PathBuf),
}

/// Where the image of a delta goes.
#[derive(Clone, Debug)]
pub enum ApplyTarget {
    /// An archive, or with a slash at the end a layout.
    Path(PathBuf),
    /// Under this name of a registry.
    Registry(Reference),
}

/// What is known of a delta.
pub struct DeltaFacts {
    /// What it says of itself; none of an archive of ddiff.
    pub header: Option<Header>,
    /// What the image that it gives is called by.
    pub target: Vec<Digest>,
    /// Bytes of the file.
    pub size: u64,
    /// Where it, or the image that it gave, was written to; safe to print.
    pub written: Option<String>,
}

/// A file can't be read or written.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read `{path}`: {error}")]
    Read { path: String, error: io::Error },
    #[error("cannot write `{path}`: {error}")]
    Write { path: String, error: io::Error },
    #[error("`{0}`: a docker archive has no form as a layout")]
    Layout(String),
}

impl ExitStatus for FileError {
    fn status(&self) -> Status {
        match self {
            Self::Write { error, .. } if error.kind() == io::ErrorKind::InvalidData => Status::Malformed,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Layout(path) => Some(format!("`-o {}` writes an archive", path.trim_end_matches('/'))),
            _ => None,
        }
    }
}

/// Makes a delta, or tells what one would hold.
pub fn create(machine: &Machine, options: &DeltaOptions) -> Result<DeltaFacts, Failure> {
    let path = options.output.as_deref().map(|path| machine.resolve(path));
    let replacement = path.as_deref().map(Replacement::start).transpose()?;
    let bases = options.bases.iter().map(|base| read(machine, base)).collect::<Result<Vec<_>, _>>()?;
    let target = read(machine, &options.target)?;
    let mut made = delta::create(&bases, &target, bounds(machine), &machine.progress)?;
    let mut written = None;
    if let (Some(mut replacement), Some(path)) = (replacement, &path) {
        let fail = |error| FileError::Write { path: shown(path), error };
        let mut out = BufWriter::with_capacity(1 << 17, &mut replacement);
        made.write(&mut out).and_then(|()| out.flush()).map_err(fail)?;
        drop(out);
        replacement.finish()?;
        written = Some(shown(path));
    }
    Ok(facts(made.size(), made.header, written))
}

/// Reads a delta, but for what it holds.
pub fn show(machine: &Machine, path: &Path) -> Result<DeltaFacts, Failure> {
    let delta = open(machine, path)?;
    Ok(facts(delta.size, delta.header, None))
}

/// Writes the image of a delta; on failure nothing is left of it.
pub fn apply(machine: &Machine, options: &ApplyOptions) -> Result<DeltaFacts, Failure> {
    let sink = match &options.target {
        ApplyTarget::Path(path) => Some(sink(machine, path)?),
        ApplyTarget::Registry(_) => None,
    };
    let delta = match &options.delta {
        DeltaFile::Delta(path) => Some(open(machine, path)?),
        DeltaFile::Ddiff(_) => None,
    };
    if let (Some(Sink::Layout(path)), Some(delta)) = (&sink, &delta)
        && delta.header.target.index.is_none()
    {
        return Err(FileError::Layout(shown(path)).into());
    }
    let bases = options.bases.iter().map(|base| read(machine, base)).collect::<Result<Vec<_>, _>>()?;
    let beside = sink.as_ref().and_then(|sink| sink.path().parent().map(Path::to_owned));
    let directory = match &beside {
        Some(parent) => TemporaryDirectory::new(parent),
        None => TemporaryDirectory::anywhere(),
    };
    let path = || beside.as_deref().map_or_else(String::new, shown);
    let directory = directory.map_err(|error| FileError::Write { path: path(), error })?;
    let (contents, facts) = match (delta, &options.delta) {
        (Some(delta), _) => {
            let contents = delta::apply(&delta, &bases, &directory, bounds(machine), &machine.progress)?;
            (contents, facts(delta.size, delta.header, None))
        }
        (None, DeltaFile::Ddiff(path) | DeltaFile::Delta(path)) => {
            let file = open_file(machine, path)?;
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            let (digest, contents) = delta::apply_ddiff(file, &bases, &directory, bounds(machine))?;
            (contents, DeltaFacts { header: None, target: vec![digest], size, written: None })
        }
    };
    machine.cancel.check()?;
    let written = match (&options.target, &sink) {
        (ApplyTarget::Registry(reference), _) => {
            let path = directory.path().join("image.tar");
            write(&Sink::Archive(path.clone()), &contents)?;
            let place = Place::Path(path);
            let source = ShipSource { place, image: None, platform: None, with_referrers: false };
            let target = ShipTarget::Names(vec![reference.clone()]);
            transfer(machine, &TransferOptions { source, target })?;
            reference.clone().with_default_tag().to_string()
        }
        (ApplyTarget::Path(path), sink) => {
            sink.iter().try_for_each(|sink| write(sink, &contents))?;
            shown(path)
        }
    };
    Ok(DeltaFacts { written: Some(written), ..facts })
}

fn facts(size: u64, header: Header, written: Option<String>) -> DeltaFacts {
    DeltaFacts { target: header.target.digests.clone(), header: Some(header), size, written }
}

/// Writes the image, each blob checked once more.
fn write(sink: &Sink, contents: &Contents<'_>) -> Result<(), Failure> {
    sink.write(contents, None).map_err(|error| match error {
        SinkError::Store(error) => error.into(),
        SinkError::Write(error) => FileError::Write { path: shown(sink.path()), error }.into(),
    })
}

fn open(machine: &Machine, path: &Path) -> Result<Delta, Failure> {
    Ok(Delta::read(open_file(machine, path)?, &machine.limits)?)
}

fn open_file(machine: &Machine, path: &Path) -> Result<File, FileError> {
    File::open(machine.resolve(path)).map_err(|error| FileError::Read { path: shown(path), error })
}

fn bounds(machine: &Machine) -> Bounds<'_> {
    Bounds { limits: &machine.limits, cancel: &machine.cancel }
}
