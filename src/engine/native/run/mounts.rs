//! `RUN --mount`: what each type shows, in the sandbox's terms (`run.md` 2).

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, chmod, chownat};

use super::places::Places;
use super::variables::Variables;
use super::write::writing;
use crate::build::RunSurroundings;
use crate::cancel::Cancel;
use crate::dockerfile::mount::{Mount, MountKind};
use crate::engine::native::filesystem::{Filesystem, InodeId, Tree};
use crate::engine::native::lookup::Found;
use crate::engine::native::path;
use crate::engine::native::problem::{Problem, failed};
use crate::sandbox::{Layers, Mounted, Source, Writable};

/// Bytes of a secret that becomes a variable.
const LARGEST_VARIABLE: u64 = 1 << 20;
/// Permissions of a secret that names none.
const SECRET_MODE: u32 = 0o400;

/// Directories that the steps of one build share, empty at its start.
#[derive(Default)]
pub(super) struct Caches(HashMap<(String, Option<InodeId>), PathBuf>);

/// Makes the mounts of one step.
pub(super) struct Mounting<'a> {
    pub(super) files: &'a mut Filesystem,
    pub(super) places: &'a mut Places,
    pub(super) caches: &'a mut Caches,
    pub(super) surroundings: &'a RunSurroundings,
    pub(super) cancel: &'a Cancel,
    /// The step's working directory.
    pub(super) directory: &'a [u8],
    /// Gets what mounts set.
    pub(super) variables: &'a mut Variables,
    pub(super) agents: usize,
    pub(super) made: Vec<Mounted>,
}

impl Mounting<'_> {
    /// Adds one mount; `from` is the tree that it names, if it names one.
    pub(super) fn add(&mut self, mount: &Mount, from: Option<Option<Tree>>) -> Result<(), Problem> {
        match mount.kind {
            MountKind::Bind => self.bind(mount, from.flatten()),
            MountKind::Cache => self.cache(mount, from.flatten()),
            MountKind::Tmpfs => {
                let size = u64::try_from(mount.size).ok().filter(|size| *size > 0);
                self.push(mount, &mount.target, Source::Memory(size), false);
                Ok(())
            }
            MountKind::Secret => self.secret(mount),
            MountKind::Ssh => self.agent(mount),
        }
    }

    /// All mounts by their targets: what lies in another comes after it.
    pub(super) fn finish(mut self) -> Vec<Mounted> {
        self.made.sort_by(|one, other| one.target.cmp(&other.target));
        self.made
    }

    fn push(&mut self, mount: &Mount, target: &str, source: Source, is_inert: bool) {
        let target = match target.starts_with('/') {
            true => path::join(b"/", target.as_bytes()),
            false => path::join(&path::join(b"/", self.directory), target.as_bytes()),
        };
        self.made.push(Mounted { target, source, read_only: mount.read_only, is_inert });
    }

    fn bind(&mut self, mount: &Mount, from: Option<Tree>) -> Result<(), Problem> {
        let source = path::join(b"/", mount.source.as_bytes());
        self.require(from, &source)?;
        let lower = self.places.layers(self.files, from, self.cancel)?;
        let upper = if mount.read_only { None } else { Some(self.writable("discarded")?) };
        self.push(mount, &mount.target, Source::Layers { layers: Layers { lower, upper }, path: source }, false);
        Ok(())
    }

    /// A directory that takes changes, and one for overlayfs, which takes none that was used before.
    fn writable(&mut self, name: &str) -> Result<Writable, Problem> {
        let upper = self.places.directory(name)?;
        chmod(&upper, Mode::from_raw_mode(0o755)).map_err(writing(&upper))?;
        Ok(Writable { upper, work: self.places.directory("work")? })
    }

    fn require(&self, from: Option<Tree>, source: &[u8]) -> Result<(), Problem> {
        let is_there = match from {
            Some(tree) => matches!(self.files.stat(tree, source), Found::Inode(_)),
            None => source == b"/",
        };
        match is_there {
            true => Ok(()),
            false => {
                let source = crate::escape::bytes(source);
                failed(format!("failed to calculate checksum of ref: \"{source}\": not found"))
            }
        }
    }

    fn cache(&mut self, mount: &Mount, from: Option<Tree>) -> Result<(), Problem> {
        let is_set = mount.mode.is_some() || mount.uid.is_some() || mount.gid.is_some();
        if (from.is_some() && is_set) || (from.is_none() && !mount.source.is_empty()) {
            return Err(Problem::Unproven("a cache with a source and an owner or mode of its own".to_owned()));
        }
        let id = match mount.id.as_str() {
            "" => String::from_utf8_lossy(&path::clean(mount.target.as_bytes())).into_owned(),
            id => id.to_owned(),
        };
        let source = path::join(b"/", mount.source.as_bytes());
        self.require(from, &source)?;
        let key = (id, from.map(|tree| tree.root));
        let directory = match self.caches.0.get(&key) {
            Some(known) => known.clone(),
            None => {
                let made = self.new_cache(mount)?;
                self.caches.0.insert(key, made.clone());
                made
            }
        };
        let source = match from {
            None => Source::Path(directory),
            Some(_) => {
                let lower = self.places.layers(self.files, from, self.cancel)?;
                let upper = Some(Writable { upper: directory, work: self.places.directory("work")? });
                Source::Layers { layers: Layers { lower, upper }, path: source }
            }
        };
        self.push(mount, &mount.target, source, false);
        Ok(())
    }

    fn new_cache(&mut self, mount: &Mount) -> Result<PathBuf, Problem> {
        let path = self.places.directory("cache")?;
        let (uid, gid) = (Uid::from_raw(mount.uid.unwrap_or(0)), Gid::from_raw(mount.gid.unwrap_or(0)));
        let own = || -> rustix::io::Result<()> {
            chownat(CWD, &path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
            chmod(&path, Mode::from_raw_mode(mount.mode.unwrap_or(0o755)))
        };
        own().map_err(writing(&path))?;
        Ok(path)
    }

    fn secret(&mut self, mount: &Mount) -> Result<(), Problem> {
        let base = |text: &str| String::from_utf8_lossy(path::base(text.as_bytes())).into_owned();
        let id = match (mount.source.as_str(), mount.id.as_str()) {
            ("", "") => base(&mount.target),
            ("", id) | (id, _) => id.to_owned(),
        };
        let Some((_, file)) = self.surroundings.secrets.iter().find(|(known, _)| *known == id) else {
            return match mount.required {
                true => failed(format!("secret {}: not found", crate::escape::text(&id))),
                false => Ok(()),
            };
        };
        let file = fs::canonicalize(file).map_err(writing(file))?;
        if let Some(name) = &mount.env {
            if fs::metadata(&file).map_err(writing(&file))?.len() > LARGEST_VARIABLE {
                return failed(format!("secret {} is too large for a variable", crate::escape::text(&id)));
            }
            self.variables.set(name.as_bytes(), &fs::read(&file).map_err(writing(&file))?);
            if mount.target.is_empty() {
                return Ok(());
            }
        }
        let target = if mount.target.is_empty() { format!("/run/secrets/{}", base(&id)) } else { mount.target.clone() };
        let (uid, gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
        let source = Source::Secret { file, mode: mount.mode.unwrap_or(SECRET_MODE), uid, gid };
        self.push(&Mount { read_only: true, ..mount.clone() }, &target, source, true);
        Ok(())
    }

    /// Without an agent only the variable is there, as with BuildKit.
    fn agent(&mut self, mount: &Mount) -> Result<(), Problem> {
        let default = format!("/run/buildkit/ssh_agent.{}", self.agents);
        let target = if mount.target.is_empty() { default } else { mount.target.clone() };
        self.agents += 1;
        if mount.required {
            let id = if mount.id.is_empty() { "default" } else { &mount.id };
            return failed(format!("unset ssh forward key {}", crate::escape::text(id)));
        }
        self.variables.set_default(b"SSH_AUTH_SOCK", target.as_bytes());
        Ok(())
    }
}
