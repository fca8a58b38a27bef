//! Where the trees of a build are on disk: base images in the user's store, layers in the build's own directory.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::times::Times;
use super::write::{Writer, private, settle_times, writing};
use crate::cancel::Cancel;
use crate::digest::DiffId;
use crate::engine::native::filesystem::{Filesystem, InodeId, Tree};
use crate::engine::native::problem::Problem;
use crate::store::{make_directory, make_private_directory};

/// The directories of one build.
pub(super) struct Places {
    /// Holds base images, each under a name made of its layers; they outlive the build.
    store: PathBuf,
    /// The build's own.
    work: PathBuf,
    made: usize,
    pub(super) times: Times,
    /// The layers of each tree that was asked for, the lowest first.
    known: HashMap<InodeId, Vec<PathBuf>>,
    /// What each tree was made of.
    lower: HashMap<InodeId, Option<Tree>>,
    /// The name of a base image in the store.
    bases: HashMap<InodeId, String>,
    empty: Option<PathBuf>,
}

impl Places {
    pub(super) fn new(store: &Path, work: &Path) -> Result<Self, Problem> {
        make_private_directory(store).map_err(writing(store))?;
        let work = work.join("run");
        private(&work)?;
        // What time it is, the file system says.
        let start = fs::metadata(&work).map_err(writing(&work))?.mtime();
        let (known, lower, bases) = Default::default();
        let times = Times::new(start);
        Ok(Self { store: store.to_owned(), work, made: 0, times, known, lower, bases, empty: None })
    }

    /// `upper` was made of `lower`.
    pub(super) fn know(&mut self, upper: Tree, lower: Option<Tree>) {
        self.lower.entry(upper.root).or_insert(lower);
    }

    /// `tree` is the base image of these layers.
    pub(super) fn know_base(&mut self, tree: Tree, diff_ids: &[DiffId]) {
        let all: String = diff_ids.iter().map(|id| format!("{id}\n")).collect();
        self.bases.entry(tree.root).or_insert_with(|| crate::digest::Digest::of(all.as_bytes()).hex());
    }

    /// `tree` is over `layer`, which a step left, and what `lower` is made of.
    pub(super) fn know_layer(&mut self, tree: Tree, mut lower: Vec<PathBuf>, layer: PathBuf) {
        lower.push(layer);
        self.known.insert(tree.root, lower);
    }

    /// A new empty directory for this user alone.
    pub(super) fn directory(&mut self, name: &str) -> Result<PathBuf, Problem> {
        self.made += 1;
        let path = self.work.join(format!("{name}-{}", self.made));
        private(&path)?;
        Ok(path)
    }

    /// The directories that make up `tree`, the lowest first, written now if nobody has asked before; never none.
    pub(super) fn layers(
        &mut self,
        files: &mut Filesystem,
        tree: Option<Tree>,
        cancel: &Cancel,
    ) -> Result<Vec<PathBuf>, Problem> {
        let Some(tree) = tree else { return Ok(vec![self.empty()?]) };
        if let Some(known) = self.known.get(&tree.root) {
            return Ok(known.clone());
        }
        let layers = match self.bases.get(&tree.root).cloned() {
            Some(name) => vec![self.base(files, tree, &name, cancel)?],
            None => {
                let lower = self.lower.get(&tree.root).copied().flatten();
                let mut layers = match lower {
                    Some(lower) => self.layers(files, Some(lower), cancel)?,
                    None => Vec::new(),
                };
                let at = self.directory("layer")?;
                Writer::new(files, &mut self.times, cancel).write(lower, tree, &at)?;
                layers.push(at);
                layers
            }
        };
        self.known.insert(tree.root, layers.clone());
        Ok(layers)
    }

    fn empty(&mut self) -> Result<PathBuf, Problem> {
        if let Some(empty) = &self.empty {
            return Ok(empty.clone());
        }
        let empty = self.directory("empty")?;
        rustix::fs::chmod(&empty, rustix::fs::Mode::from_raw_mode(0o755)).map_err(writing(&empty))?;
        self.empty = Some(empty.clone());
        Ok(empty)
    }

    /// A base image in the store, written there whole by the first build that needs it.
    fn base(&mut self, files: &mut Filesystem, tree: Tree, name: &str, cancel: &Cancel) -> Result<PathBuf, Problem> {
        let place = self.store.join(name);
        let mut problem = None;
        if !place.is_dir() {
            let made = make_directory(&place, |at| {
                let written = Writer::new(files, &mut self.times, cancel).write(None, tree, at);
                written.map_err(|error| {
                    let told = std::io::Error::other(error.to_string());
                    problem = Some(error);
                    told
                })
            });
            if let Some(problem) = problem {
                return Err(problem);
            }
            match made {
                // Another build was first.
                Err(_) if place.is_dir() => {}
                made => made.map_err(writing(&place))?,
            }
        }
        settle_times(files, tree, &place)?;
        Ok(place)
    }
}
