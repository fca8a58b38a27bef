//! Every outside source that a target takes bytes from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::ser::SerializeMap;

use super::error::DockerfileError;
use super::syntax::Lines;
use super::target::{Action, Base, Image, Location, NamedContext, StagePlatform, Target, TransferSource, as_asked};

/// One outside source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What and where it is.
    pub origin: Origin,
    /// The lines of the instructions that use it.
    pub lines: BTreeSet<Lines>,
}

/// What a source is and where it comes from; the order is that of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A git repository.
    Git {
        /// The name in a source policy, `git://host/path#ref:subdir`.
        identifier: String,
        /// The repository's address.
        url: String,
        /// Branch, tag or commit; empty for the remote's own choice.
        git_ref: String,
        /// A directory inside; empty for all of it.
        subdir: String,
        /// The commit that must come, whole or its start.
        checksum: Option<String>,
        /// `.git` is kept.
        keep_git_dir: bool,
        /// Submodules are left out.
        skip_submodules: bool,
        /// The commit is fetched without a look at the reference.
        fetch_by_commit: bool,
    },
    /// A file behind a URL.
    Http {
        /// The URL, byte for byte.
        url: String,
        /// The digest that must come.
        checksum: Option<String>,
        /// The name the file gets in a directory.
        filename: String,
    },
    /// An image.
    Image {
        /// The full name with tag or digest.
        reference: String,
        /// The platform that is asked for.
        platform: StagePlatform,
        /// The OCI layout's store and digest, when a named context puts one in the image's place.
        layout: Option<(String, String)>,
    },
    /// A directory of the client.
    Local {
        /// `context`, or the local name of a named context.
        name: String,
        /// The paths that are asked for, links followed; none for the whole directory.
        paths: Option<Vec<String>>,
    },
}

impl Origin {
    /// What BuildKit's source policy calls it.
    pub fn policy_identifier(&self) -> String {
        match self {
            Self::Git { identifier, .. } => identifier.clone(),
            Self::Http { url, .. } => url.clone(),
            Self::Image { reference, layout: Some(_), .. } => format!("oci-layout://{reference}"),
            Self::Image { reference, .. } => format!("docker-image://{reference}"),
            Self::Local { name, .. } => format!("local://{name}"),
        }
    }

    fn of_image(image: &Image) -> Self {
        Self::Image {
            reference: image.reference.clone(),
            platform: image.platform.clone(),
            layout: image.layout.clone(),
        }
    }
}

/// What a target takes from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The sources, each once, sorted.
    pub used: Vec<Source>,
    /// Images whose configuration is asked for though none of their files are used.
    pub resolved_only: Vec<Source>,
    /// `RUN` instructions that the target executes. Whether one needs the network can't be known.
    pub runs: usize,
    /// Lines of the `FROM`s whose bases carry triggers with a `RUN`, which are among `runs`.
    pub triggered_runs: BTreeSet<Lines>,
    /// The lines of the first instruction that names a path, by the local directory's name and the path as it is asked for.
    pub naming: BTreeMap<(String, String), Lines>,
}

impl Sources {
    /// The name of the directory that a build has without naming it.
    pub const CONTEXT: &str = "context";

    /// Gathers the sources of a target.
    pub fn of(target: &Target) -> Self {
        let mut gathering = Gathering {
            target,
            used: BTreeMap::new(),
            runs: 0,
            triggered_runs: BTreeSet::new(),
            naming: BTreeMap::new(),
        };
        gathering.visit_all();
        let mut asked: BTreeMap<Origin, BTreeSet<Lines>> = BTreeMap::new();
        for stage in target.stages.values() {
            if let Base::Image(image) = &stage.base {
                asked.entry(Origin::of_image(image)).or_default().insert(image.lines);
            }
        }
        asked.retain(|origin, _| !gathering.used.contains_key(origin));
        Self {
            used: list(gathering.used),
            resolved_only: list(asked),
            runs: gathering.runs,
            triggered_runs: gathering.triggered_runs,
            naming: gathering.naming,
        }
    }
}

fn list(sources: BTreeMap<Origin, BTreeSet<Lines>>) -> Vec<Source> {
    sources.into_iter().map(|(origin, lines)| Source { origin, lines }).collect()
}

struct Gathering<'a> {
    target: &'a Target,
    used: BTreeMap<Origin, BTreeSet<Lines>>,
    runs: usize,
    triggered_runs: BTreeSet<Lines>,
    naming: BTreeMap<(String, String), Lines>,
}

impl Gathering<'_> {
    /// Goes from the target to everything whose files it takes.
    fn visit_all(&mut self) {
        let mut visited = BTreeSet::new();
        let mut open = vec![self.target.target];
        while let Some(id) = open.pop() {
            let Some(stage) = self.target.stages.get(&id).filter(|_| visited.insert(id)) else { continue };
            match &stage.base {
                Base::Scratch => {}
                Base::Stage(base) => open.push(*base),
                Base::Image(image) if image.is_empty => {}
                Base::Image(image) => self.add(Origin::of_image(image), image.lines),
                Base::Context(context) => self.add_context(context, stage.paths.clone(), stage.lines),
            }
            for step in &stage.steps {
                match &step.action {
                    Action::Transfer(transfer) => {
                        for source in &transfer.sources {
                            open.extend(self.add_transfer(source, transfer.from, step.lines));
                            if let TransferSource::Path { written } = source {
                                self.name(transfer.from, written, step.lines);
                            }
                        }
                    }
                    Action::Run(run) => {
                        self.runs += 1;
                        if step.is_trigger {
                            self.triggered_runs.insert(step.lines);
                        }
                        for mount in &run.mounts {
                            let Some(from) = mount.from else { continue };
                            open.extend(self.add_location(from, step.lines));
                            self.name(from, &mount.mount.source, step.lines);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Notes who names a path of a local directory.
    fn name(&mut self, location: Location, written: &str, lines: Lines) {
        let Some(directory) = self.local_directory(location) else { return };
        let first = self.naming.entry((directory, as_asked(written))).or_insert(lines);
        *first = lines.min(*first);
    }

    fn local_directory(&self, location: Location) -> Option<String> {
        let Location::Stage(mut id) = location else { return Some(Sources::CONTEXT.to_owned()) };
        loop {
            match &self.target.stages.get(&id)?.base {
                Base::Stage(base) => id = *base,
                Base::Context(NamedContext::Local(name)) => return Some(name.clone()),
                _ => return None,
            }
        }
    }

    fn add(&mut self, origin: Origin, lines: Lines) {
        self.used.entry(origin).or_default().insert(lines);
    }

    fn add_location(&mut self, location: Location, lines: Lines) -> Option<usize> {
        match location {
            Location::Stage(id) => Some(id),
            Location::Context => {
                let paths = self.target.context_paths.clone();
                self.add(Origin::Local { name: Sources::CONTEXT.to_owned(), paths }, lines);
                None
            }
        }
    }

    fn add_transfer(&mut self, source: &TransferSource, from: Location, lines: Lines) -> Option<usize> {
        match source {
            TransferSource::Path { .. } => return self.add_location(from, lines),
            TransferSource::Http { written, checksum, file_name } => {
                let (url, checksum, filename) = (written.clone(), checksum.clone(), file_name.clone());
                self.add(Origin::Http { url, checksum, filename }, lines);
            }
            TransferSource::Git { git, keep_git_dir, .. } => self.add(git_origin(git, *keep_git_dir), lines),
        }
        None
    }

    fn add_context(&mut self, context: &NamedContext, paths: Option<Vec<String>>, lines: Lines) {
        match context {
            NamedContext::Scratch => {}
            NamedContext::Local(name) => self.add(Origin::Local { name: name.clone(), paths }, lines),
            NamedContext::Http(url) => {
                let (url, filename) = (url.clone(), "context".to_owned());
                self.add(Origin::Http { url, checksum: None, filename }, lines);
            }
            NamedContext::Git(git) => self.add(git_origin(git, git.keep_git_dir == Some(true)), lines),
        }
    }
}

fn git_origin(git: &super::target::GitReference, keep_git_dir: bool) -> Origin {
    Origin::Git {
        identifier: git.identifier.clone(),
        url: git.remote.clone(),
        git_ref: git.reference.clone(),
        subdir: git.subdir.clone(),
        checksum: git.checksum.clone(),
        keep_git_dir,
        skip_submodules: git.submodules == Some(false),
        fetch_by_commit: git.fetch_by_commit,
    }
}

/// The lines one by one, each as `[line, line]`, as documents have them.
pub fn pairs<'a>(lines: impl IntoIterator<Item = &'a Lines>) -> Vec<[u32; 2]> {
    let each: BTreeSet<u32> = lines.into_iter().flat_map(|lines| lines.start..=lines.end).collect();
    each.into_iter().map(|line| [line, line]).collect()
}

/// The JSON object: `type`, `id`, the fields of its kind that say something, `lines`.
impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let kind = match &self.origin {
            Origin::Git { .. } => "git",
            Origin::Http { .. } => "http",
            Origin::Image { .. } => "image",
            Origin::Local { .. } => "local",
        };
        map.serialize_entry("type", kind)?;
        map.serialize_entry("id", &self.origin.policy_identifier())?;
        match &self.origin {
            Origin::Git { url, git_ref, subdir, checksum, keep_git_dir, skip_submodules, fetch_by_commit, .. } => {
                map.serialize_entry("url", url)?;
                for (key, value) in [("git_ref", git_ref), ("subdir", subdir)] {
                    if !value.is_empty() {
                        map.serialize_entry(key, value)?;
                    }
                }
                if let Some(checksum) = checksum {
                    map.serialize_entry("checksum", checksum)?;
                }
                let switches = [
                    ("keep_git_dir", keep_git_dir),
                    ("skip_submodules", skip_submodules),
                    ("fetch_by_commit", fetch_by_commit),
                ];
                for (key, _) in switches.into_iter().filter(|(_, value)| **value) {
                    map.serialize_entry(key, &true)?;
                }
            }
            Origin::Http { url, checksum, filename } => {
                map.serialize_entry("url", url)?;
                if let Some(checksum) = checksum {
                    map.serialize_entry("checksum", checksum)?;
                }
                map.serialize_entry("filename", filename)?;
            }
            Origin::Image { reference, platform, layout } => {
                map.serialize_entry("ref", reference)?;
                map.serialize_entry("platform", &platform.to_string())?;
                if let Some((store, digest)) = layout {
                    map.serialize_entry("layout", &format!("{store}@{digest}"))?;
                }
            }
            Origin::Local { name, paths } => {
                map.serialize_entry("name", name)?;
                if let Some(paths) = paths {
                    map.serialize_entry("paths", paths)?;
                }
            }
        }
        map.serialize_entry("lines", &pairs(&self.lines))?;
        map.end()
    }
}

/// The JSON object: `stage`, `message`, `lines`.
impl Serialize for DockerfileError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stage", self.phase.name())?;
        map.serialize_entry("message", &self.message)?;
        if !self.lines.is_empty() {
            map.serialize_entry("lines", &pairs(&self.lines))?;
        }
        map.end()
    }
}
