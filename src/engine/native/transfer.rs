//! One COPY or ADD: its sources, one after the other, into a layer.

use super::chmod::Chmod;
use super::copy::{Copy, exists};
use super::filesystem::{Filesystem, InodeId, Kind, Owner, Tree};
use super::glob;
use super::lookup::Found;
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use super::refusal::Place;
use super::unmatched::matches_nothing;
use super::unpack::Archive;
use crate::build::Surroundings;
use crate::context::{Effort, Matched, Patterns};
use crate::dockerfile::target::{Location, TransferSource, TransferStep};
use crate::escape;

/// Reads patterns, none if there are none; `what` names them in an error.
pub(super) fn patterns(what: &str, list: &[String]) -> Result<Option<Patterns>, Problem> {
    if list.is_empty() {
        return Ok(None);
    }
    match Patterns::new(list.iter().map(String::as_str)) {
        Ok(patterns) => Ok(Some(patterns)),
        Err(error) => failed(format!("invalid {what}: [{}]: {error}", escape::text(&list.join(" ")))),
    }
}

/// One COPY or ADD with everything about it known.
pub(super) struct Transfer<'a> {
    pub(super) step: &'a TransferStep,
    pub(super) from: Tree,
    /// BuildKit's cache looks into the sources, so that what it can't find there fails.
    pub(super) is_looked_into: bool,
    pub(super) destination: &'a [u8],
    pub(super) chmod: Option<&'a Chmod>,
    pub(super) owner: Option<Owner>,
    pub(super) exclude: Option<&'a Patterns>,
    pub(super) surroundings: &'a Surroundings<'a>,
    /// What matching may cost.
    pub(super) effort: &'a Effort<'a>,
    /// Where the instruction stands.
    pub(super) place: &'a Place,
}

impl Transfer<'_> {
    fn copier<'c>(&'c self, include: Option<&'c Patterns>, follow: bool) -> Copy<'c> {
        Copy {
            owner: self.owner,
            chmod: self.chmod,
            exclude: self.exclude,
            include,
            contents_only: follow,
            follow,
            cancel: &self.surroundings.cancel,
            effort: self.effort,
        }
    }

    /// Copies a path of the context, a stage or an image.
    pub(super) fn path(&self, mount: &mut Mount<'_>, written: &str, spools: &mut usize) -> Result<(), Problem> {
        let (source, pattern) = match written.split_once("/./") {
            _ if !self.step.parents => (written, None),
            Some((pivot, pattern)) => (pivot, Some(pattern)),
            None => ("/", Some(written)),
        };
        let source = path::join(b"/", source.as_bytes());
        let include = match pattern {
            None => None,
            Some(pattern) => {
                let pattern = match pattern.strip_prefix('/') {
                    Some(rest) => rest.to_owned(),
                    None => String::from_utf8_lossy(&path::join(b"/", pattern.as_bytes())[1..]).into_owned(),
                };
                patterns("includepatterns", &[pattern])?
            }
        };
        if self.is_looked_into {
            let is_picked = include.is_some() || self.exclude.is_some() || glob::is_pattern(&source);
            self.look_around(mount, &source, is_picked)?;
        }
        if self.is_looked_into && !glob::is_pattern(&source) {
            if source == b"/" && (include.is_some() || self.exclude.is_some()) {
                self.check_links(mount, &source, include.as_ref())?;
            }
            if let Some(pattern) = pattern.filter(|pattern| !glob::is_pattern(pattern.as_bytes())) {
                self.require(mount, &source, include.as_ref(), pattern)?;
            }
        }
        if include.is_none() && !glob::is_pattern(&source) && !exists(mount.files, self.from, &source, true)? {
            let name = escape::bytes(&source);
            let message = match self.misses_early(&source) {
                true => format!("\"{name}\": not found"),
                false => format!("lstat {name}: no such file or directory"),
            };
            // Dockerfiles take a version from it; what it holds differs from clone to clone.
            let is_left_out =
                self.step.from == Location::Context && path::elements(&source).next() == Some(b".git".as_slice());
            return match self.step.from {
                _ if is_left_out => failed(message + ": `.git` is never part of the context"),
                Location::Context => Err(Problem::Absent(message)),
                Location::Stage(_) => failed(message),
            };
        }
        let unpack = self.step.unpack.unwrap_or(self.step.is_add);
        let found = glob::expand(mount.files, self.from, &source, self.effort)?;
        if found.is_empty() {
            self.surroundings.progress.warn(&matches_nothing(self.place, written));
        }
        for path in found {
            if unpack && self.unpack(mount, self.from, &path, spools)? {
                continue;
            }
            // A link that a pattern found and that leads nowhere.
            if self.is_looked_into && !exists(mount.files, self.from, &path, true)? {
                return failed(format!("\"{}\": not found", escape::bytes(&path)));
            }
            self.copier(include.as_ref(), true).run(mount, self.from, &path, self.destination)?;
        }
        Ok(())
    }

    /// Lists what BuildKit's cache lists before anything is copied: all that is beside the source and below, or the
    /// whole tree if entries are picked by patterns.
    fn look_around(&self, mount: &Mount<'_>, source: &[u8], is_picked: bool) -> Result<(), Problem> {
        let source = if is_picked { b"/".to_vec() } else { mount.files.root_path(self.from, source)? };
        let ghost = |path: &[u8]| match mount.files.lstat(self.from, path) {
            Found::Inode(directory) => mount.files.ghost_below(directory, path),
            _ => None,
        };
        let message = |ghost: &[u8]| {
            let ghost = escape::bytes(ghost);
            format!("failed to walk {ghost}: lstat {ghost}: no such file or directory")
        };
        if let Some(ghost) = ghost(&source) {
            return failed(message(&ghost));
        }
        match ghost(&path::parent(&source)) {
            Some(ghost) => {
                let message = message(&ghost);
                Err(Problem::Unproven(format!("{message}; BuildKit says so unless its cache knows the source already")))
            }
            None => Ok(()),
        }
    }

    /// Whether BuildKit misses a source when it looks for cached results already, which it does not look for there if
    /// entries are left out, or if another source holds it.
    fn misses_early(&self, source: &[u8]) -> bool {
        let holds = |other: &TransferSource| match other {
            TransferSource::Path { written } if !glob::is_pattern(written.as_bytes()) => {
                let other = path::join(b"/", written.as_bytes());
                source != other && (other == b"/" || source.strip_prefix(&*other).is_some_and(|rest| rest[0] == b'/'))
            }
            _ => false,
        };
        self.is_looked_into && self.exclude.is_none() && !self.step.sources.iter().any(holds)
    }

    /// Links right below a source whose entries are picked by patterns must lead somewhere, if they are picked.
    fn check_links(&self, mount: &Mount<'_>, source: &[u8], include: Option<&Patterns>) -> Result<(), Problem> {
        let directory = mount.files.source_path(self.from, source, false)?;
        let Some(directory) = mount.files.lstat(self.from, &directory).inode(&directory)? else { return Ok(()) };
        let wanted = self.wanted(include);
        for (name, id) in mount.files.entries(directory) {
            if !matches!(mount.files.get(id).kind, Kind::Symlink(_)) || !wanted.look_at(&name, &[None, None])?.0 {
                continue;
            }
            let path = path::join(source, &name);
            if !exists(mount.files, self.from, &path, true)? {
                return failed(format!("\"{}\": not found", escape::bytes(&path)));
            }
        }
        Ok(())
    }

    fn wanted<'w>(&'w self, include: Option<&'w Patterns>) -> Wanted<'w> {
        Wanted { include, exclude: self.exclude, effort: self.effort }
    }

    /// A path that `--parents` names without wildcards must have been found.
    fn require(
        &self,
        mount: &Mount<'_>,
        pivot: &[u8],
        include: Option<&Patterns>,
        pattern: &str,
    ) -> Result<(), Problem> {
        let path = path::join(pivot, pattern.as_bytes());
        // A pivot that is a link itself is not followed here, though the copy would.
        let start = mount.files.source_path(self.from, pivot, false)?;
        let found = match mount.files.lstat(self.from, &start).inode(&start)? {
            Some(directory) => {
                let wanted = self.wanted(include);
                // A pattern may escape: what it finds has to have the name that is written, escapes and all.
                let is_named = |relative: &[u8]| path::join(pivot, relative).starts_with(&path);
                wanted.any_below(mount.files, directory, &mut Vec::new(), &[None, None], &is_named)?
            }
            None => false,
        };
        if found { Ok(()) } else { failed(format!("\"{}\": not found", escape::bytes(&path))) }
    }

    /// Copies a single file that has no place in any tree.
    pub(super) fn file(
        &self,
        mount: &mut Mount<'_>,
        from: Tree,
        name: &[u8],
        unpack: bool,
        spools: &mut usize,
    ) -> Result<(), Problem> {
        let source = path::join(b"/", name);
        if unpack && self.unpack(mount, from, &source, spools)? {
            return Ok(());
        }
        self.copier(None, false).run(mount, from, &source, self.destination)
    }

    /// Unpacks the source if it is an archive.
    fn unpack(&self, mount: &mut Mount<'_>, from: Tree, source: &[u8], spools: &mut usize) -> Result<bool, Problem> {
        let path = mount.files.root_path(from, source)?;
        let Some(id) = mount.files.lstat(from, &path).inode(&path)? else { return Ok(false) };
        let Kind::File(content) = mount.files.get(id).kind.clone() else { return Ok(false) };
        let limits = self.surroundings.limits;
        if !Archive::is_one(&content, limits)? {
            return Ok(false);
        }
        *spools += 1;
        let work = self.surroundings.work.directory().map_err(Problem::NoPlace)?;
        let archive = Archive::new(&content, work.join(format!("archive-{spools}.tar")), limits)?;
        archive.unpack(mount, self.destination, self.owner, self.surroundings.bounds())?;
        Ok(true)
    }
}

/// What `--parents` and `--exclude` say about paths, directory by directory.
struct Wanted<'a> {
    include: Option<&'a Patterns>,
    exclude: Option<&'a Patterns>,
    effort: &'a Effort<'a>,
}

/// What matched a directory: includes and excludes.
type Matches = [Option<Matched>; 2];

impl Wanted<'_> {
    /// Whether a path is wanted, and by what; `by` holds what matched its directory.
    fn look_at(&self, path: &[u8], by: &Matches) -> Result<(bool, Matches), Problem> {
        let look = |patterns: Option<&Patterns>, by: &Option<Matched>| {
            patterns.map(|patterns| patterns.look_at(path, by.as_ref(), self.effort)).transpose()
        };
        let included = look(self.include, &by[0])?;
        let excluded = look(self.exclude, &by[1])?;
        let hit = included.as_ref().is_none_or(|(hit, _)| *hit) && !excluded.as_ref().is_some_and(|(hit, _)| *hit);
        Ok((hit, [included.map(|(_, by)| by), excluded.map(|(_, by)| by)]))
    }

    /// Whether anything below a directory is wanted and named; `by` holds what matched the directory itself.
    fn any_below(
        &self,
        files: &Filesystem,
        directory: InodeId,
        relative: &mut Vec<u8>,
        by: &Matches,
        is_named: &dyn Fn(&[u8]) -> bool,
    ) -> Result<bool, Problem> {
        let length = relative.len();
        for (name, id) in files.entries(directory) {
            if length > 0 {
                relative.push(b'/');
            }
            relative.extend_from_slice(&name);
            let (hit, by) = self.look_at(relative, by)?;
            let found = (hit && is_named(relative)) || self.any_below(files, id, relative, &by, is_named)?;
            relative.truncate(length);
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
