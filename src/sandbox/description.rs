//! What is run and what it sees, as a document that the parts of a sandbox hand to each other.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The document's name in the sandbox's directory.
const STEP: &str = "step.json";
/// Where a part says what stopped it.
const FAILURE: &str = "failure";
/// What a part ends with that could not do its own.
pub(super) const BROKEN: u8 = 125;

/// A program with all that surrounds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confined {
    /// The program and its arguments; one without a slash is looked up in the environment's `PATH`, inside.
    pub arguments: Vec<Vec<u8>>,
    /// `NAME=value` each, in the order in which the program finds them.
    pub environment: Vec<Vec<u8>>,
    /// The working directory, inside; made if it is missing.
    pub directory: Vec<u8>,
    /// Who runs it.
    pub identity: Identity,
    /// The file tree.
    pub root: Layers,
    /// What else is mounted, in this order.
    pub mounts: Vec<Mounted>,
    /// The host's name.
    pub host_name: String,
}

/// Whose rights a program has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// Directories over each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layers {
    /// What is only read, the lowest first; never empty.
    pub lower: Vec<PathBuf>,
    /// What takes the changes.
    pub upper: Option<Writable>,
}

/// An overlay's writable part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Writable {
    /// Holds the changes afterwards.
    pub upper: PathBuf,
    /// Overlayfs's own, empty and on the same file system.
    pub work: PathBuf,
}

/// One mount.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mounted {
    /// Where, inside.
    pub target: Vec<u8>,
    /// What.
    pub source: Source,
    /// Nothing can be changed through it.
    pub read_only: bool,
    /// No programs, devices or set-user-id from it.
    pub is_inert: bool,
}

/// What is mounted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Source {
    /// A path in layers.
    Layers {
        /// The layers.
        layers: Layers,
        /// The path, which is there.
        path: Vec<u8>,
    },
    /// A file or directory of the machine, by a path without links.
    Path(PathBuf),
    /// An empty directory in memory, of so many bytes at most.
    Memory(Option<u64>),
    /// A copy in memory of a file of the machine.
    Secret {
        /// The file.
        file: PathBuf,
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
}

/// A part of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Sets the name spaces up and cleans the tree.
    Outside,
    /// Keeps the step's processes together.
    Keeper,
    /// Becomes the step.
    Inside,
    /// Tries whether there can be a sandbox.
    Probe,
}

impl Part {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Outside, "sandbox:outside"),
        (Self::Keeper, "sandbox:keeper"),
        (Self::Inside, "sandbox:inside"),
        (Self::Probe, "sandbox:probe"),
    ];

    /// The first argument under which this program is that part.
    pub(super) fn argument(self) -> &'static str {
        Self::ALL.iter().find(|(part, _)| *part == self).map_or("", |(_, argument)| argument)
    }

    pub(super) fn of_argument(word: &OsStr) -> Option<Self> {
        Self::ALL.iter().find(|(_, argument)| word == *argument).map(|(part, _)| *part)
    }
}

impl Confined {
    /// Writes the document into a sandbox's directory.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        fs::write(directory.join(STEP), serde_json::to_vec(self)?)
    }

    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(directory.join(STEP))?)?)
    }
}

/// Where the overlay of the file tree is put.
pub(super) fn root_of(directory: &Path) -> PathBuf {
    directory.join("root")
}

/// Where mount `number` is made ready.
pub(super) fn mount_of(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("mount-{number}"))
}

/// Where a part says what stopped it; opened before the tree is entered.
pub(super) struct Failure(fs::File);

impl Failure {
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        Ok(Self(fs::File::options().append(true).create(true).open(directory.join(FAILURE))?))
    }

    /// Says so once, for whoever started the sandbox.
    pub(super) fn tell(mut self, message: &str) {
        // Without a message the status says as much.
        let _ = self.0.write_all(message.as_bytes());
    }

    /// What a part said, if one did.
    pub(super) fn read(directory: &Path) -> Option<String> {
        let text = fs::read(directory.join(FAILURE)).ok().filter(|text| !text.is_empty())?;
        Some(crate::escape::bytes(&text))
    }
}
