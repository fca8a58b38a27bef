//! An image to registries, or into an archive or a layout.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::super::export::sink;
use super::super::files::shown;
use super::super::machine::Machine;
use super::source::{Opened, ShipSource, open};
use crate::digest::Digest;
use crate::image::write::SinkError;
use crate::reference::Reference;
use crate::registry::{Shipment, Shipped};
use crate::source::Place;
use crate::status::{ExitStatus, Failure, Status};
use crate::transfer::{self, Image};

/// What is shipped where to.
#[derive(Clone, Debug)]
pub struct TransferOptions {
    /// The image.
    pub source: ShipSource,
    /// Where it goes.
    pub target: ShipTarget,
}

/// Where an image goes.
#[derive(Clone, Debug)]
pub enum ShipTarget {
    /// Under these names of registries; none for those that the archive gives it.
    Names(Vec<Reference>),
    /// Into an archive, or with a slash at the end a layout.
    Path(PathBuf),
}

/// An image that is where it should go.
pub struct Transfer {
    /// The image.
    pub image: Image,
    /// What refers to it and went along: its digest, and what it is about.
    pub referrers: Vec<(Digest, Digest)>,
    /// Where it is now.
    pub arrivals: Vec<Arrival>,
}

/// One place that an image is in now.
pub struct Arrival {
    /// The names there, or the path.
    pub names: Vec<String>,
    /// What became of its blobs and documents.
    pub shipped: Shipped,
}

/// An image can't be sent where it should go.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    #[error("no name to push to: the archive gives its image no full name")]
    NoName,
    #[error("`{reference}` names another digest than {digest}, which the image has")]
    Digest { reference: String, digest: Digest },
    #[error("cannot write `{path}`: {error}")]
    Write { path: String, error: io::Error },
}

impl ExitStatus for TargetError {
    fn status(&self) -> Status {
        match self {
            Self::Write { error, .. } if error.kind() == io::ErrorKind::InvalidData => Status::Malformed,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoName => Some("name it: `repro push SOURCE REGISTRY/REPOSITORY:TAG`".to_owned()),
            _ => None,
        }
    }
}

/// Ships an image.
pub fn transfer(machine: &Machine, options: &TransferOptions) -> Result<Transfer, Failure> {
    let path = match &options.target {
        ShipTarget::Path(path) => Some((sink(machine, path)?, path)),
        ShipTarget::Names(_) => None,
    };
    let opened = open(machine, &options.source)?;
    machine.cancel.check()?;
    let arrivals = match (&options.target, path) {
        (ShipTarget::Path(_), Some((sink, path))) => {
            let shipped = write(machine, &opened, &options.source, &sink)?;
            vec![Arrival { names: vec![shown(path)], shipped }]
        }
        (ShipTarget::Names(names), _) if !names.is_empty() => push(&opened, names)?,
        _ => push(&opened, &own_names(&opened)?)?,
    };
    let Opened { image, referrers, .. } = opened;
    let referrers = referrers.iter().map(|referrer| (referrer.descriptor.digest, referrer.subject)).collect();
    Ok(Transfer { image, referrers, arrivals })
}

/// The names that an archive gives its image, those that need no default.
fn own_names(opened: &Opened) -> Result<Vec<Reference>, TargetError> {
    let parsed = opened.shelf.names().into_iter().filter_map(|name| {
        let reference: Reference = name.parse().ok()?;
        (reference.to_string() == name && reference.tag().is_some()).then_some(reference)
    });
    let mut names: Vec<Reference> = parsed.collect();
    names.sort();
    names.dedup();
    if names.is_empty() { Err(TargetError::NoName) } else { Ok(names) }
}

/// Pushes into each repository that the names are of, the image first, then what refers to it.
fn push(opened: &Opened, names: &[Reference]) -> Result<Vec<Arrival>, Failure> {
    let top = opened.image.top.digest;
    let mut repositories: BTreeMap<String, (Reference, Vec<String>)> = BTreeMap::new();
    for name in names {
        if name.digest().is_some_and(|digest| digest != top) {
            return Err(TargetError::Digest { reference: name.to_string(), digest: top }.into());
        }
        let name = name.clone().with_default_tag();
        let (_, tags) = repositories.entry(name.name()).or_insert_with(|| (name.clone(), Vec::new()));
        tags.extend(name.tag().map(str::to_owned).filter(|tag| !tags.contains(tag)));
    }
    let open = opened.shelf.blobs();
    let mut arrivals = Vec::new();
    for (repository, (reference, tags)) in repositories {
        let ship = |image: &Image, tags: &[String]| {
            let (blobs, documents) = (&image.blobs, &image.documents[..]);
            let shipment = Shipment { blobs, documents, open: &open, from: opened.shelf.repository() };
            opened.registry.ship(&reference, tags, &shipment)
        };
        // What refers to the image is there before a tag leads to it, so nobody sees it without.
        let mut shipped = match opened.referrers.is_empty() {
            true => Shipped::default(),
            false => ship(&opened.image, &[])?,
        };
        for referrer in &opened.referrers {
            shipped = shipped.and(ship(&referrer.image, &[])?);
        }
        let tagged = ship(&opened.image, &tags)?;
        shipped = if opened.referrers.is_empty() { tagged } else { shipped };
        let names = match tags.is_empty() {
            true => vec![format!("{repository}@{top}")],
            false => tags.iter().map(|tag| format!("{repository}:{tag}")).collect(),
        };
        arrivals.push(Arrival { names, shipped });
    }
    Ok(arrivals)
}

/// Writes into an archive or a layout.
fn write(
    machine: &Machine,
    opened: &Opened,
    source: &ShipSource,
    sink: &crate::image::write::Sink,
) -> Result<Shipped, Failure> {
    let mut wanted = opened.image.blobs.clone();
    for referrer in &opened.referrers {
        wanted.extend(referrer.image.blobs.iter().map(|(digest, size)| (*digest, *size)));
    }
    let (mut names, mut fetched, mut shipped) = (Vec::new(), BTreeMap::new(), Shipped::default());
    match &source.place {
        Place::Registry(reference) => {
            let cache = machine.cache()?;
            let missing = wanted.iter().filter(|(digest, _)| cache.path(digest).is_none());
            let (count, bytes) = missing.fold((0, 0), |(count, bytes), (_, size)| (count + 1, bytes + size));
            fetched = opened.registry.fetch_blobs(reference, &wanted, &cache)?;
            shipped = Shipped { sent: count, sent_bytes: bytes, ..shipped };
            names.push(reference.clone().with_default_tag());
            names.retain(|name| name.tag().is_some());
        }
        _ => {
            shipped = Shipped { sent: wanted.len() as u64, sent_bytes: wanted.values().sum(), ..shipped };
            names.extend(own_names(opened).unwrap_or_default());
        }
    }
    shipped.present = wanted.len() as u64 - shipped.sent;
    machine.cancel.check()?;
    transfer::write(&*opened.shelf, &opened.image, &opened.referrers, &names, &fetched, sink).map_err(|error| {
        match error {
            SinkError::Store(error) => Failure::from(error),
            SinkError::Write(error) => TargetError::Write { path: shown(sink.path()), error }.into(),
        }
    })?;
    Ok(shipped)
}
