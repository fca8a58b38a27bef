//! A git work tree, read without running anything of it: no hooks, filters, helpers or file-system monitors.
//!
//! [`Repository::find`] locates the work tree, [`Repository::tracked`] reads the index, [`Repository::blob`] an object,
//! [`Attributes`] says what tracked `.gitattributes` ask for and [`Checkout`] does it. Who owns the directory doesn't
//! matter, since nothing in it is executed; the user's configuration is asked only whether line ends were converted.

mod archived;
mod attributes;
mod checkout;
mod committed;
mod entry;
mod error;
mod head;
mod index;
mod index_file;
mod lfs;
mod object_id;
mod object_store;
mod objects;
mod snapshot;
mod staged;
mod submodule;
mod wildmatch;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::input::open_regular;

pub use archived::left_out_of_archives;
pub use attributes::Attributes;
pub use checkout::Checkout;
pub use error::Error;
use head::Head;
pub use head::head_commit_time;
pub use index::{Tracked, TrackedKind};
pub use lfs::Pointer;
pub use object_id::{BlobHasher, ObjectFormat, ObjectId};
pub use object_store::Objects;
pub use objects::ObjectKind;
pub use submodule::Submodule;

/// A work tree with its repository.
pub struct Repository {
    work_tree: PathBuf,
    /// Holds `HEAD` and `index`; for a linked work tree or a submodule not the work tree's `.git`.
    git_dir: PathBuf,
    /// Holds `objects`, `refs` and `config`.
    common_dir: PathBuf,
    /// `core.autocrlf` of the repository's own configuration.
    line_ends: Option<String>,
    /// `remote.origin.url` of the repository's own configuration.
    remote: Option<String>,
    /// Whether line ends are converted, once that was asked.
    converts_line_ends: OnceLock<bool>,
    /// `core.filemode` of the repository's own configuration.
    executable_bits: bool,
    format: ObjectFormat,
    objects: Objects,
    /// The index and the checked-out commit as they were when they were first asked for: one command sees one state.
    tracked: OnceLock<Vec<Tracked>>,
    head: OnceLock<Head>,
}

/// Bytes of the small files of a repository that say where things are.
const POINTER_FILE: u64 = 4096;
/// The configuration key of what git does to line ends.
const LINE_ENDS: &str = "core.autocrlf";

impl Repository {
    /// The repository in whose work tree `directory` lies: the nearest one upward; none outside git.
    pub fn find(directory: &Path) -> Result<Option<Self>, Error> {
        let directory = directory.canonicalize().map_err(|error| Error::io(directory, error))?;
        for candidate in directory.ancestors() {
            if let Some(found) = Self::open(candidate)? {
                return Ok(Some(found));
            }
            if is_git_dir(candidate) {
                return Err(Error::NoWorkTree { path: display(candidate) });
            }
        }
        Ok(None)
    }

    /// The repository whose work tree has its root at `directory`; none if there is none.
    pub fn open(directory: &Path) -> Result<Option<Self>, Error> {
        let dot_git = directory.join(".git");
        let git_dir = match fs::metadata(&dot_git) {
            Ok(found) if found.is_dir() => dot_git.clone(),
            Ok(found) if found.is_file() => {
                let text = read_small(&dot_git)?;
                let path = text.strip_prefix("gitdir: ").ok_or_else(|| Error::invalid(&dot_git))?;
                directory.join(path.trim_end_matches(['\n', '\r']))
            }
            _ => return Ok(None),
        };
        if !is_git_dir(&git_dir) {
            // Like git, pass by a directory that only has the name.
            return if dot_git.is_dir() { Ok(None) } else { Err(Error::invalid(&dot_git)) };
        }
        let common_dir = match read_small(&git_dir.join("commondir")) {
            Ok(text) => git_dir.join(text.trim_end_matches(['\n', '\r'])),
            Err(_) => git_dir.clone(),
        };
        let objects = Objects::new(common_dir.join("objects"), directory.to_owned());
        let mut found = Self {
            work_tree: directory.to_owned(),
            git_dir,
            common_dir,
            line_ends: None,
            remote: None,
            converts_line_ends: OnceLock::new(),
            executable_bits: true,
            format: ObjectFormat::Sha1,
            objects,
            tracked: OnceLock::new(),
            head: OnceLock::new(),
        };
        found.read_config()?;
        Ok(Some(found))
    }

    /// The root of the work tree.
    pub fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// A blob's bytes.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        self.object(id, ObjectKind::Blob)
    }

    /// Whether the user's configuration makes git convert line ends on checkout without being asked by attributes.
    pub fn converts_line_ends(&self) -> bool {
        *self.converts_line_ends.get_or_init(|| {
            let of_user = || git2::Config::open_default().and_then(|config| config.get_string(LINE_ENDS)).ok();
            let value = self.line_ends.clone().or_else(of_user);
            value.is_some_and(|value| !matches!(value.as_str(), "false" | "no" | "off" | "0"))
        })
    }

    /// Whether the executable bits of the work tree mean something to git.
    pub fn minds_executable_bits(&self) -> bool {
        self.executable_bits
    }

    /// Where it was cloned from, as written; it may hold a password.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Which ids its objects have.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    fn object(&self, id: ObjectId, kind: ObjectKind) -> Result<Vec<u8>, Error> {
        self.objects.of_kind(id, kind)
    }

    /// Takes what matters from the repository's own configuration, once.
    fn read_config(&mut self) -> Result<(), Error> {
        let Ok(config) = git2::Config::open(&self.common_dir.join("config")) else { return Ok(()) };
        let formats = [("extensions.objectformat", &["sha1", "sha256"][..]), ("extensions.refstorage", &["files"])];
        for (key, known) in formats {
            match config.get_string(key) {
                Ok(value) if !known.contains(&value.as_str()) => {
                    let value = crate::escape::text(&value).into_owned();
                    return Err(Error::Format { path: display(&self.work_tree), key, value });
                }
                _ => {}
            }
        }
        if config.get_string("extensions.objectformat").is_ok_and(|value| value == "sha256") {
            self.format = ObjectFormat::Sha256;
        }
        self.line_ends = config.get_string(LINE_ENDS).ok();
        self.remote = config.get_string("remote.origin.url").ok();
        self.executable_bits = config.get_bool("core.filemode").unwrap_or(true);
        Ok(())
    }
}

fn is_git_dir(path: &Path) -> bool {
    let shared = |name: &str| path.join(name).is_dir();
    path.join("HEAD").exists() && (path.join("commondir").is_file() || (shared("objects") && shared("refs")))
}

fn read_small(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let file = open_regular(path).map_err(|error| Error::io(path, error))?;
    file.take(POINTER_FILE + 1).read_to_string(&mut text).map_err(|error| Error::io(path, error))?;
    if text.len() as u64 > POINTER_FILE {
        return Err(Error::io(path, io::ErrorKind::InvalidData.into()));
    }
    Ok(text)
}

fn display(path: &Path) -> String {
    crate::escape::name(path.as_os_str().as_encoded_bytes())
}
