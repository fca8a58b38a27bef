//! Everything that builds from the lockfile take from outside: gathered into a vendor folder, or looked for in one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::files::shown;
use super::locked::LockedProject;
use super::machine::{Machine, Vendored};
use super::open::Project;
use super::{tape, tape_file};
use crate::digest::Digest;
use crate::escape;
use crate::image::Artifact;
use crate::lockfile::Pin;
use crate::manifest::{Image, Network};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::survey::build_platform;
use crate::vendor::{self, Folder};

/// What is vendored, and where.
#[derive(Clone, Debug)]
pub struct VendorOptions {
    /// Names of images; none for all.
    pub images: Vec<String>,
    /// The folder, or the archive.
    pub path: PathBuf,
    /// Tell only what is missing in it.
    pub check: bool,
    /// Where bodies of tapes may be, too.
    pub tape_places: Vec<String>,
}

/// What a vendor folder holds, or lacks.
#[derive(Debug, Default)]
pub struct VendorReport {
    /// The folder.
    pub path: String,
    /// The images.
    pub images: Vec<String>,
    /// What they need.
    pub sources: Vec<VendoredSource>,
    /// What was written; none if nothing was.
    pub written: Option<vendor::Written>,
}

impl VendorReport {
    /// The status of what is missing.
    pub fn status(&self) -> Status {
        let missing = self.sources.iter().filter_map(|source| source.missing.as_ref());
        missing.fold(Status::Success, |status, missing| status.or(missing.status()))
    }
}

/// One source, with all of its blobs.
#[derive(Debug)]
pub struct VendoredSource {
    /// What it is.
    pub kind: VendoredKind,
    /// The request; of a tape the image.
    pub request: String,
    /// The digest or commit.
    pub result: String,
    /// Its blobs.
    pub blobs: BTreeMap<Digest, u64>,
    /// Why it can't be had, or not all of it.
    pub missing: Option<Failure>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendoredKind {
    /// The image that engines run BuildKit from.
    Buildkit,
    /// An image.
    Image,
    /// A file over HTTP.
    Http,
    /// A commit.
    Git,
    /// What RUN downloads.
    Tape,
}

impl VendoredKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buildkit => "buildkit",
            Self::Image => "image",
            Self::Http => "http",
            Self::Git => "git",
            Self::Tape => "tape",
        }
    }
}

/// Nothing is vendored.
#[derive(Debug, thiserror::Error)]
enum VendorError {
    #[error("{missing} of {all} sources can't be had")]
    Missing { missing: usize, all: usize, status: Status },
    #[error("image `{0}` is not locked")]
    NotLocked(String),
    #[error("image `{0}`: no tape that fits the lockfile")]
    Unfit(String),
    #[error("{0}")]
    Absent(String, Status),
}

impl ExitStatus for VendorError {
    fn status(&self) -> Status {
        match self {
            Self::Missing { status, .. } | Self::Absent(_, status) => *status,
            Self::NotLocked(_) | Self::Unfit(_) => Status::Lock,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotLocked(_) => Some("`repro lock` pins what it takes from outside".to_owned()),
            Self::Unfit(_) => Some("`repro lock` records it".to_owned()),
            Self::Missing { .. } | Self::Absent(..) => None,
        }
    }
}

/// Writes a vendor folder, or tells what is missing in one.
///
/// # Errors
/// Also where something is missing that is to be written: nothing is then.
pub fn vendor(machine: &Machine, project: &Project, options: &VendorOptions) -> Result<VendorReport, Failure> {
    let machine = &surroundings(machine, options)?;
    let locked = LockedProject::open(machine, project)?;
    let mut report = VendorReport { path: shown(&options.path), ..VendorReport::default() };
    let mut named = BTreeMap::new();
    for (name, image) in project.images(&options.images)? {
        if !locked.lockfile.images.contains_key(name) {
            return Err(VendorError::NotLocked(name.clone()).into());
        }
        machine.cancel.check()?;
        let sources = of_image(&locked, name, image, options)?;
        report.images.push(name.clone());
        let mut files = BTreeMap::new();
        for source in sources {
            files.extend(&source.blobs);
            if source.kind == VendoredKind::Git {
                let artifact = Artifact::new(vendor::COMMIT, source.blobs.clone());
                named.insert(vendor::commit_name(&source.result), artifact);
            }
            let is_known = |known: &VendoredSource| {
                (known.kind, &known.request, &known.result) == (source.kind, &source.request, &source.result)
            };
            if !report.sources.iter().any(is_known) {
                report.sources.push(source);
            }
        }
        named.insert(name.clone(), Artifact::new(vendor::IMAGE, files));
    }
    machine.cancel.check()?;
    let missing = report.sources.iter().filter(|source| source.missing.is_some()).count();
    if options.check || missing > 0 {
        if !options.check {
            let (all, status) = (report.sources.len(), report.status());
            for source in &report.sources {
                if let Some(failure) = &source.missing {
                    machine.progress.warn(&failure.to_string());
                }
            }
            return Err(VendorError::Missing { missing, all, status }.into());
        }
        return Ok(report);
    }
    let cache = &locked.resolver.cache;
    let open = |digest: &Digest| -> io::Result<Box<dyn Read + Send>> {
        match cache.open(digest).map_err(io::Error::other)? {
            Some(reader) => Ok(Box::new(reader)),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{digest} vanished from the cache"))),
        }
    };
    report.written = Some(vendor::write(&machine.resolve(&options.path), &named, &open, &machine.limits)?);
    Ok(report)
}

/// A check looks at the folder alone; what is written takes what an older one has already.
fn surroundings(machine: &Machine, options: &VendorOptions) -> Result<Machine, Failure> {
    if options.check {
        return machine.with_vendor_only(&options.path);
    }
    let path = machine.resolve(&options.path);
    let older = (path.is_dir() && path.join("index.json").exists()).then(|| Folder::open(&path, &machine.limits));
    let vendor = older.and_then(Result::ok).map(|folder| Vendored { folder: Arc::new(folder), is_only: false });
    Ok(Machine { vendor, ..machine.clone() })
}

/// What one image needs.
fn of_image(
    locked: &LockedProject<'_>,
    name: &str,
    image: &Image,
    options: &VendorOptions,
) -> Result<Vec<VendoredSource>, Failure> {
    let mut sources = Vec::new();
    let this = Platform { os: "linux".to_owned(), ..Platform::of_this_machine() };
    let builders = BTreeSet::from([build_platform(image, locked.lockfile.images.get(name), &this)]);
    // What runs on the builder is locked without a platform.
    let of_builder = |request: &str, digest: Digest| {
        locked.resolver.pin_for(request, digest, &builders).and_then(|pin| locked.resolver.whole_image(&pin))
    };
    if let Some(pin) = &locked.lockfile.buildkit {
        let whole = of_builder(&pin.request, pin.digest);
        sources.push(source(VendoredKind::Buildkit, &pin.request, pin.digest.to_string(), whole));
    }
    for pin in locked.lockfile.pins_of(name) {
        locked.machine.cancel.check()?;
        let resolver = &locked.resolver;
        sources.push(match pin {
            Pin::Image { request, digest, platforms } => {
                let whole = if platforms.is_empty() { of_builder(request, *digest) } else { resolver.whole_image(pin) };
                source(VendoredKind::Image, request, pin.result(), whole)
            }
            Pin::Http { url, digest, size, .. } => {
                let found = resolver.fetch_http(url, *digest).map(|_| BTreeMap::from([(*digest, *size)]));
                source(VendoredKind::Http, url, pin.result(), found)
            }
            Pin::Git { request, commit, .. } => {
                let found = resolver.bundle(request, commit).map(|bundle| BTreeMap::from([bundle]));
                source(VendoredKind::Git, request, commit.clone(), found)
            }
            // It lies in the project.
            Pin::Layout { .. } => continue,
        });
    }
    let digest = locked.lockfile.images.get(name).and_then(|lock| lock.tape);
    let Some(digest) = digest.filter(|_| image.run.network == Network::Locked) else { return Ok(sources) };
    let (_, tape) = tape_file::look(locked.machine, locked.project, name, Some(digest))?;
    let tape = tape.ok_or_else(|| VendorError::Unfit(name.to_owned()))?;
    let taped = [(name.to_owned(), tape)];
    let gone = tape::gather(locked, &taped, &options.tape_places)?;
    let [(_, tape)] = taped;
    let lines: Vec<String> = gone.iter().map(|body| format!("{} {}: {}", body.url, body.digest, body.reason)).collect();
    let status = gone.iter().fold(Status::Success, |status, body| status.or(body.status));
    let missing = (!lines.is_empty())
        .then(|| VendorError::Absent(format!("tape of `{}`: {}", escape::text(name), lines.join("; ")), status).into());
    let blobs = tape.stored_bodies().collect();
    let (kind, request, result) = (VendoredKind::Tape, name.to_owned(), digest.to_string());
    sources.push(VendoredSource { kind, request, result, blobs, missing });
    Ok(sources)
}

fn source<E: Into<Failure>>(
    kind: VendoredKind,
    request: &str,
    result: String,
    found: Result<BTreeMap<Digest, u64>, E>,
) -> VendoredSource {
    let (blobs, missing) = match found {
        Ok(blobs) => (blobs, None),
        Err(error) => (BTreeMap::new(), Some(error.into())),
    };
    VendoredSource { kind, request: request.to_owned(), result, blobs, missing }
}
