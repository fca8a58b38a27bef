//! A project that is not checked out here: a commit of a repository that a URL, or a published image, names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::import::{ImportSource, read};
use super::machine::Machine;
use super::online;
use super::provenance::empty_project;
use crate::escape;
use crate::http::without_user;
use crate::image::media_type::{Kind, kind};
use crate::image::{Config, Document};
use crate::resolve::{Cloned, is_commit};
use crate::source::Place;
use crate::status::{ExitStatus, Failure, Status};
use crate::transfer::{self, Image, Shelf};

const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";
/// Variables that name files: relative ones must not be looked for in what was cloned.
const FILES: [&str; 3] = ["REPRO_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG"];

/// Where a project is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The repository.
    pub url: String,
    /// Branch, tag or commit; none for the default branch.
    pub revision: Option<String>,
    /// Who said so.
    pub named_by: NamedBy,
}

/// Who says where a project is: that chooses what is rebuilt, and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// Whoever typed it.
    User,
    /// The published image's labels.
    Labels,
    /// The published image's provenance.
    Provenance,
}

/// A project that was cloned; it goes when this value does.
pub struct Elsewhere {
    /// Where it was.
    pub origin: Origin,
    cloned: Cloned,
}

/// A published image does not say where it comes from.
#[derive(Debug, thiserror::Error)]
enum Unnamed {
    #[error("`{image}` does not say what it was built from: it has no labels `{SOURCE}` and `{REVISION}`{also}")]
    Nothing { image: String, also: String },
    #[error("the images of `{image}` do not agree about `{label}`")]
    Several { image: String, label: &'static str },
    #[error(
        "`{image}` says that it was built from `{}`: only https is followed where an image says so",
        escape::text(url)
    )]
    NotHttps { image: String, url: String },
    #[error("`{REVISION}` of `{image}` is `{}`, no commit", escape::text(revision))]
    NoCommit { image: String, revision: String },
}

impl ExitStatus for Unnamed {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        Some("`repro verify URL --rev COMMIT --against REF` names it".to_owned())
    }
}

impl Elsewhere {
    /// Clones the project.
    pub fn clone(machine: &Machine, origin: Origin) -> Result<Self, Failure> {
        let resolver = online::resolver(machine, &empty_project(machine)?, false)?;
        let cloned = resolver.clone_commit(&origin.url, origin.revision.as_deref())?;
        Ok(Self { origin, cloned })
    }

    /// The commit that is checked out.
    pub fn commit(&self) -> &str {
        self.cloned.commit()
    }

    /// The surroundings of who stands in the clone.
    pub fn machine(&self, machine: &Machine) -> Machine {
        let mut inside = Machine { directory: self.cloned.work_tree(), ..machine.clone() };
        for name in FILES {
            if let Some(path) = machine.variable(name).map(PathBuf::from) {
                inside.environment.insert(name.into(), machine.resolve(&path).into_os_string());
            }
        }
        inside
    }
}

impl Origin {
    /// What somebody typed.
    pub fn typed(url: &str, revision: Option<&str>) -> Self {
        Self { url: url.to_owned(), revision: revision.map(str::to_owned), named_by: NamedBy::User }
    }

    /// The repository for messages.
    pub fn shown(&self) -> String {
        escape::text(&without_user(&self.url)).into_owned()
    }

    /// What a published image says of itself: by labels, of which all platforms must have the same, else by provenance.
    pub fn of_image(machine: &Machine, place: &Place, typed: &str) -> Result<Self, Failure> {
        let image = escape::text(typed).into_owned();
        let (sources, revisions) = labels(machine, place)?;
        let only = |found: BTreeSet<String>, label| match found.len() {
            0 | 1 => Ok(found.into_iter().next()),
            _ => Err(Unnamed::Several { image: image.clone(), label }),
        };
        if let (Some(url), Some(revision)) = (only(sources, SOURCE)?, only(revisions, REVISION)?) {
            if !is_commit(&revision) {
                return Err(Unnamed::NoCommit { image, revision }.into());
            }
            if !url.starts_with("https://") {
                return Err(Unnamed::NotHttps { image, url: without_user(&url) }.into());
            }
            return Ok(Self { url, revision: Some(revision), named_by: NamedBy::Labels });
        }
        let told = match read(machine, &ImportSource::Image(PathBuf::from(typed))) {
            Ok((build, _)) => build,
            Err(failure) => {
                let also = format!(", and its provenance is of no help: {failure}");
                return Err(Unnamed::Nothing { image, also }.into());
            }
        };
        let url = told.context.and_then(|context| context.split('#').next().map(str::to_owned));
        let revision = told.context_digest.or(told.revision);
        let revision = revision.map(|digest| digest.rsplit(':').next().unwrap_or_default().to_owned());
        match (url, revision.filter(|revision| is_commit(revision))) {
            (Some(url), Some(_)) if !url.starts_with("https://") => {
                Err(Unnamed::NotHttps { image, url: without_user(&url) }.into())
            }
            (Some(url), Some(revision)) => Ok(Self { url, revision: Some(revision), named_by: NamedBy::Provenance }),
            _ => {
                let also = ", and its provenance names no commit of a repository".to_owned();
                Err(Unnamed::Nothing { image, also }.into())
            }
        }
    }
}

/// What the labels of all platforms say: the sources, and the revisions.
fn labels(machine: &Machine, place: &Place) -> Result<(BTreeSet<String>, BTreeSet<String>), Failure> {
    let registry = Arc::new(online::registry(machine)?);
    let (shelf, top): (Box<dyn Shelf>, _) = match place {
        Place::Registry(reference) => {
            registry.client().check_online(&place.to_string())?;
            transfer::open_registry(&registry, &machine.cache()?, reference, &machine.limits)?
        }
        place => transfer::open_archive(place, None, &online::reader(machine, None))?,
    };
    let image = Image::gather(&*shelf, top, &machine.limits)?;
    let (mut sources, mut revisions) = (BTreeSet::new(), BTreeSet::new());
    for manifest in image.manifests.iter().filter(|manifest| manifest.platform.is_some()) {
        let Some(config) = manifest.blobs.first().filter(|config| kind(&config.media_type) == Kind::Config) else {
            continue;
        };
        let config = Document::<Config>::described(shelf.document(config)?, config, &machine.limits)?;
        for (label, found) in [(SOURCE, &mut sources), (REVISION, &mut revisions)] {
            let value =
                config.run.labels.get(label.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned());
            found.extend(value.filter(|value| !value.is_empty()));
        }
    }
    Ok((sources, revisions))
}

/// Whether a word in the place of an image names a repository.
pub fn is_repository(word: &str) -> bool {
    crate::resolve::is_repository_url(word)
}

/// A path that stays where it is when the work moves into a clone.
pub fn settled(machine: &Machine, path: Option<&Path>) -> Option<PathBuf> {
    path.map(|path| machine.resolve(path))
}
