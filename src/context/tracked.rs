//! A directory of a git work tree as the source of a context: what git tracks counts, and what is included on purpose.
//!
//! The index says which names are tracked, the work tree what lies there. A submodule is a further repository, read when
//! the walk comes to it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::directory::{Child, Node, Source, is_own_file, names, node_of, small_file};
use super::effort::Effort;
use super::error::{Error, below};
use super::ignore::InvalidPattern;
use super::open;
use super::rules::{Rules, Undecided};
use crate::escape;
use crate::git::{Attributes, Repository, Tracked, TrackedKind};
use crate::limits::Limits;

/// A link that a checkout had to write as a file is no longer than a path.
const LONGEST_LINK: u64 = 4096;

/// One repository as far as it lies in the context.
pub(super) struct Layer {
    /// Where it starts in the context; empty for the main repository.
    base: Vec<u8>,
    /// Which directory of the repository that is; empty for submodules.
    scope: Vec<u8>,
    pub(super) repository: Repository,
    /// Sorted by path bytes.
    entries: Vec<Tracked>,
    pub(super) attributes: Attributes,
}

/// The work tree as a source.
pub(super) struct WorkTree<'a> {
    root: OwnedFd,
    path: PathBuf,
    include: Rules,
    layers: RefCell<Vec<Rc<Layer>>>,
    deleted: RefCell<BTreeSet<Vec<u8>>>,
    /// An ignore file that git doesn't track, safe to print.
    uncounted_rules: RefCell<Option<String>>,
    limits: &'a Limits,
    effort: &'a Effort<'a>,
}

/// What is left of a [`WorkTree`] once all names are known.
pub(super) struct Known {
    pub(super) root: OwnedFd,
    pub(super) path: PathBuf,
    pub(super) layers: Vec<Layer>,
    /// Tracked files that are not in the work tree.
    pub(super) deleted: BTreeSet<Vec<u8>>,
    /// Submodules whose checked-out commit is not the one that is tracked.
    pub(super) moved: Vec<Vec<u8>>,
}

impl<'a> WorkTree<'a> {
    /// Opens the context at `root`, which lies in the repository's work tree.
    pub(super) fn open(
        root: &Path,
        repository: Repository,
        include: &[String],
        limits: &'a Limits,
        effort: &'a Effort<'a>,
    ) -> Result<Self, Error> {
        let unreadable = |error| Error::Unreadable { path: super::error::display(root), error };
        let path = root.canonicalize().map_err(unreadable)?;
        let handle = open::open_root(&path).map_err(unreadable)?;
        let scope = path.strip_prefix(repository.work_tree()).unwrap_or(Path::new(""));
        let scope = scope.as_os_str().as_encoded_bytes().to_vec();
        let include = Rules::new(include.iter().map(String::as_str)).map_err(invalid_include)?;
        let layer = Layer::read(Vec::new(), scope, repository, limits)?;
        let layers = RefCell::new(vec![Rc::new(layer)]);
        let (deleted, uncounted_rules) = (RefCell::default(), RefCell::default());
        Ok(Self { root: handle, path, include, layers, deleted, uncounted_rules, limits, effort })
    }

    /// An ignore file that would count if git tracked it; `found` if another one did.
    pub(super) fn uncounted_rules(&self, found: bool) -> Result<Option<String>, Error> {
        let name = b".dockerignore";
        let is_there =
            !found && self.node(name)?.is_none() && node_of(&self.root, name).is_ok_and(|node| node.is_some());
        Ok(self.uncounted_rules.borrow().clone().or(is_there.then(|| escape::name(name))))
    }

    /// Ends the walk.
    pub(super) fn finish(self) -> Known {
        let layers: Vec<Layer> = self.layers.into_inner().into_iter().filter_map(Rc::into_inner).collect();
        let moved = layers.iter().skip(1).filter(|submodule| {
            let tracked = layers.iter().find_map(|layer| {
                let entry = layer.entry(&submodule.base)?;
                (entry.kind == TrackedKind::Submodule).then_some(entry.id)
            });
            submodule.repository.head_id().ok() != tracked
        });
        let moved = moved.map(|layer| layer.base.clone()).collect();
        Known { root: self.root, path: self.path, layers, deleted: self.deleted.into_inner(), moved }
    }

    /// The repository that a directory belongs to; a submodule is opened when it is asked for the first time.
    fn layer_of(&self, directory: &[u8]) -> Result<Rc<Layer>, Error> {
        loop {
            let layer = deepest(&self.layers.borrow(), directory);
            let Some(layer) = layer else { return Err(Error::Submodule { path: escape::name(directory) }) };
            let inside = strip_directory(directory, &layer.base).unwrap_or_default();
            // The first directory on the way that is a submodule, if any.
            let ends = inside.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at);
            let mut ways = ends.chain([inside.len()]).map(|end| &inside[..end]);
            let submodule = ways.find(|way| {
                let path = open::join(&layer.base, way);
                !way.is_empty() && layer.entry(&path).is_some_and(|entry| entry.kind == TrackedKind::Submodule)
            });
            let Some(way) = submodule else { return Ok(layer) };
            let base = open::join(&layer.base, way);
            let not_there = || Error::Submodule { path: escape::name(&base) };
            // No link may lead to another repository.
            open::open_directory(&self.root, &base).map_err(|_| not_there())?;
            let repository = Repository::open(&below(&self.path, &base))?.ok_or_else(not_there)?;
            let layer = Layer::read(base, Vec::new(), repository, self.limits)?;
            self.layers.borrow_mut().push(Rc::new(layer));
        }
    }

    /// Whether a path counts though git doesn't track it.
    fn is_included(&self, path: &[u8]) -> Result<bool, Error> {
        self.include.matches_with_parents(path, self.effort).map_err(|undecided| match undecided {
            Undecided::Invalid(error) => invalid_include(error),
            Undecided::Stopped(stopped) => Error::stopped(stopped, "`include`"),
        })
    }

    /// What lies in the place of a tracked name; none if that is nothing that could be it.
    fn tracked_node(&self, handle: Option<&OwnedFd>, entry: &Tracked, path: &[u8]) -> Result<Option<Node>, Error> {
        let (_, name) = open::split(path);
        let node = match handle {
            Some(handle) => node_of(handle, name).map_err(|error| Error::listed(path, error))?,
            None => None,
        };
        Ok(match (entry.kind, node) {
            (TrackedKind::Submodule, _) => Some(Node::Directory),
            (_, None) if entry.sparse => Some(Node::Sparse),
            (_, None | Some(Node::Directory)) => None,
            (TrackedKind::Symlink, Some(Node::File(stamp))) if stamp.size <= LONGEST_LINK => {
                // Where links can't be made, git writes the target into a file.
                let target = small_file(&self.root, path, LONGEST_LINK)?;
                let is_link = entry.id.is_of_blob(&target);
                Some(if is_link { Node::Symlink(target) } else { Node::File(stamp) })
            }
            (_, node) => node,
        })
    }
}

impl Source for WorkTree<'_> {
    fn has_empty_directories(&self) -> bool {
        false
    }

    fn counts_outside(&self, file: &Path) -> bool {
        let layers = self.layers.borrow();
        let (Some(main), Ok(file)) = (layers.first(), file.canonicalize()) else { return true };
        // Beside the repository nothing is tracked, and all counts.
        let Ok(path) = file.strip_prefix(main.repository.work_tree()) else { return true };
        let inside = file.strip_prefix(&self.path).map(|path| path.as_os_str().as_encoded_bytes().to_vec());
        let included = inside.is_ok_and(|inside| self.include.matches_with_parents(&inside, self.effort) == Ok(true));
        let counts = included || main.is_tracked(path.as_os_str().as_encoded_bytes());
        if !counts {
            *self.uncounted_rules.borrow_mut() = Some(super::error::display(path));
        }
        counts
    }

    fn may_include_below(&self, directory: &[u8]) -> bool {
        // What stops here is told where the names are matched.
        !self.include.prunes_unmatched(directory, self.effort).unwrap_or(false)
    }

    fn children(&self, directory: &[u8]) -> Result<Option<Vec<Child>>, Error> {
        let layer = self.layer_of(directory)?;
        let handle = match open::open_directory(&self.root, directory) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
            // Not there, or something else in its place: then all that is tracked below is deleted.
            result => result.ok(),
        };
        let mut children = Vec::new();
        let mut tracked = BTreeSet::new();
        for (name, entry) in layer.children(directory) {
            let path = open::join(directory, name);
            tracked.insert(name);
            let node = match entry {
                None => Some(Node::Directory),
                Some(entry) => self.tracked_node(handle.as_ref(), entry, &path)?,
            };
            match node {
                Some(node) => children.push(Child { name: name.to_vec(), node, counts: true }),
                None => {
                    self.deleted.borrow_mut().insert(path);
                }
            }
        }
        let on_disk = handle.as_ref().map(names).transpose().map_err(|error| Error::listed(directory, error))?;
        for (name, _) in on_disk.unwrap_or_default() {
            if name == b".git" || tracked.contains(name.as_slice()) {
                continue;
            }
            let path = open::join(directory, &name);
            let Some(handle) = &handle else { continue };
            let node = node_of(handle, &name).map_err(|error| Error::listed(&path, error))?;
            let counts = self.is_included(&path)?;
            children.extend(node.map(|node| Child { name, node, counts }));
        }
        children.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(children))
    }

    fn node(&self, path: &[u8]) -> Result<Option<Node>, Error> {
        if path.is_empty() {
            return Ok(Some(Node::Directory));
        }
        let (directory, name) = open::split(path);
        if name == b".git" || is_own_file(name) {
            return Ok(None);
        }
        let layer = self.layer_of(directory)?;
        let Some(entry) = layer.entry(path) else {
            if layer.has_below(path) {
                return Ok(Some(Node::Directory));
            }
            let included = self.is_included(path)?;
            let Ok(handle) = open::open_directory(&self.root, directory) else { return Ok(None) };
            let node = if included { node_of(&handle, name) } else { Ok(None) };
            return node.map_err(|error| Error::listed(path, error));
        };
        match open::open_directory(&self.root, directory) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
            handle => self.tracked_node(handle.ok().as_ref(), entry, path),
        }
    }

    fn text(&self, path: &[u8], limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.node(path)? {
            Some(Node::File(_)) => small_file(&self.root, path, limit).map(Some),
            _ => Ok(None),
        }
    }
}

impl Layer {
    fn read(base: Vec<u8>, scope: Vec<u8>, repository: Repository, limits: &Limits) -> Result<Self, Error> {
        let mut entries = repository.tracked()?;
        let own = |entry: &Tracked| is_own_file(open::split(&entry.path).1);
        entries.retain(|entry| !own(entry));
        let mut layer = Self { base, scope, repository, entries, attributes: Attributes::default() };
        layer.read_attributes(limits)?;
        Ok(layer)
    }

    /// A whole repository, files of our own included.
    pub(super) fn whole(repository: Repository, limits: &Limits) -> Result<Self, Error> {
        let entries = repository.tracked()?;
        let (base, scope) = (Vec::new(), Vec::new());
        let mut layer = Self { base, scope, repository, entries, attributes: Attributes::default() };
        layer.read_attributes(limits)?;
        Ok(layer)
    }

    /// Reads all tracked `.gitattributes` as they lie in the work tree.
    fn read_attributes(&mut self, limits: &Limits) -> Result<(), Error> {
        let unreadable = |error| Error::Unreadable { path: super::error::display(self.repository.work_tree()), error };
        let root = open::open_root(self.repository.work_tree()).map_err(unreadable)?;
        for entry in &self.entries {
            let (directory, name) = open::split(&entry.path);
            if name != b".gitattributes" || !matches!(entry.kind, TrackedKind::File { .. }) {
                continue;
            }
            let there =
                matches!(open::open_file(&root, &entry.path), Ok(file) if file.metadata().is_ok_and(|f| f.is_file()));
            let text = match (there, entry.sparse) {
                (true, _) => small_file(&root, &entry.path, limits.ignore_file)?,
                (false, true) => self.repository.blob(entry.id)?,
                (false, false) => continue,
            };
            self.attributes.add(directory, &text);
        }
        Ok(())
    }

    /// Whether a path of the repository is a tracked file.
    fn is_tracked(&self, path: &[u8]) -> bool {
        self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path)).is_ok()
    }

    /// A path of the context as one of the repository.
    pub(super) fn inner_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        let inside = strip_directory(path, &self.base)?;
        Some(if inside.is_empty() { self.scope.clone() } else { open::join(&self.scope, inside) })
    }

    /// What is tracked at a path of the context.
    pub(super) fn entry(&self, path: &[u8]) -> Option<&Tracked> {
        let inner = self.inner_path(path)?;
        let at = self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(&inner)).ok()?;
        Some(&self.entries[at])
    }

    /// Whether something is tracked below a directory of the context.
    fn has_below(&self, directory: &[u8]) -> bool {
        let Some(mut prefix) = self.inner_path(directory) else { return false };
        prefix.push(b'/');
        let at = self.entries.partition_point(|entry| entry.path < prefix);
        self.entries.get(at).is_some_and(|entry| entry.path.starts_with(&prefix))
    }

    /// The names in a directory of the context; an entry for all but directories.
    fn children(&self, directory: &[u8]) -> Vec<(&[u8], Option<&Tracked>)> {
        let mut prefix = self.inner_path(directory).unwrap_or_default();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let mut found = Vec::new();
        let mut at = self.entries.partition_point(|entry| entry.path < prefix);
        while let Some(entry) = self.entries.get(at)
            && let Some(rest) = entry.path.strip_prefix(prefix.as_slice())
        {
            match rest.iter().position(|&byte| byte == b'/') {
                None => {
                    found.push((rest, Some(entry)));
                    at += 1;
                }
                Some(end) => {
                    found.push((&rest[..end], None));
                    // Everything below the directory sorts before its name followed by the byte after `/`.
                    let next = [&entry.path[..prefix.len() + end], b"0"].concat();
                    at += self.entries[at..].partition_point(|entry| entry.path < next);
                }
            }
        }
        found
    }
}

impl Known {
    /// The repository that a path belongs to, and what is tracked there.
    pub(super) fn entry(&self, path: &[u8]) -> Option<(&Layer, &Tracked)> {
        let layers = self.layers.iter().filter(|layer| strip_directory(path, &layer.base).is_some());
        let layer = layers.max_by_key(|layer| layer.base.len())?;
        Some((layer, layer.entry(path)?))
    }
}

fn invalid_include(error: InvalidPattern) -> Error {
    Error::Ignore { file: "`include`".to_owned(), line: None, error }
}

fn deepest(layers: &[Rc<Layer>], directory: &[u8]) -> Option<Rc<Layer>> {
    let around = layers.iter().filter(|layer| strip_directory(directory, &layer.base).is_some());
    around.max_by_key(|layer| layer.base.len()).cloned()
}

/// What is left of a path below a directory (empty: the path is the directory); none if it lies elsewhere.
fn strip_directory<'a>(path: &'a [u8], directory: &[u8]) -> Option<&'a [u8]> {
    match path.strip_prefix(directory)? {
        rest if directory.is_empty() || rest.is_empty() => Some(rest),
        rest => rest.strip_prefix(b"/"),
    }
}
