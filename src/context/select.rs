//! Which names of a source are part of the context: the walk of BuildKit's client, without its side effects.
//!
//! A name is kept when the paths that the target needs match it and the ignore rules don't. A folder that is not kept
//! itself comes back as the parent of something that is; a folder that stays though all in it is ignored is an entry.

use std::io::Read;
use std::path::PathBuf;

use super::error::{Error, display};
use super::folder::{Node, Source};
use super::follow::follow;
use super::ignore::{InvalidPattern, Matched, Rules, clean, read_lines};
use super::open;
use super::pattern::Candidate;
use super::{Request, Surroundings};
use crate::escape;
use crate::limits::{LimitExceeded, Limits};

/// A name that is part of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) path: Vec<u8>,
    pub(super) node: Node,
}

/// The rules of an ignore file, with its name for messages.
#[derive(Default)]
pub(super) struct Ignored {
    file: String,
    rules: Rules,
}

impl Ignored {
    fn invalid(&self, error: InvalidPattern) -> Error {
        Error::Ignore { file: self.file.clone(), error }
    }
}

/// Links that lead from one ignore file to the next.
const MOST_LINKS: usize = 40;

/// The rules that count: those beside the Dockerfile, else those in the context's root.
pub(super) fn ignore_rules(request: &Request<'_>, source: &impl Source, limits: &Limits) -> Result<Ignored, Error> {
    let beside = request.dockerfile.map(|dockerfile| {
        let mut name = dockerfile.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    let (file, text) = match beside.filter(|path| path.is_file()) {
        Some(path) => {
            let unreadable = |error| Error::Unreadable { path: display(&path), error };
            let file = std::fs::File::open(&path).map_err(unreadable)?;
            let mut text = Vec::new();
            file.take(limits.ignore_file.saturating_add(1)).read_to_end(&mut text).map_err(unreadable)?;
            if text.len() as u64 > limits.ignore_file {
                let object = display(&path);
                return Err(LimitExceeded { name: "ignore-file", limit: limits.ignore_file, object }.into());
            }
            (display(&path), text)
        }
        None => match root_ignore_file(source, limits)? {
            Some(found) => found,
            None => return Ok(Ignored::default()),
        },
    };
    let invalid = |error| Error::Ignore { file: file.clone(), error };
    let lines = read_lines(&text).map_err(invalid)?;
    let rules = Rules::new(lines.iter().map(String::as_str)).map_err(invalid)?;
    Ok(Ignored { file, rules })
}

/// The root's `.dockerignore`; as a link it may lead to another file of the context.
fn root_ignore_file(source: &impl Source, limits: &Limits) -> Result<Option<(String, Vec<u8>)>, Error> {
    let mut path = b".dockerignore".to_vec();
    for _ in 0..MOST_LINKS {
        match source.node(&path)? {
            Some(Node::Symlink(target)) => {
                let (folder, _) = open::split(&path);
                let joined = if target.starts_with(b"/") { target } else { open::join(folder, &target) };
                let Ok(text) = String::from_utf8(joined) else { return Ok(None) };
                path = clean(&format!("/{text}")).split_off(1).into_bytes();
            }
            Some(Node::File(_)) => {
                return Ok(source.text(&path, limits.ignore_file)?.map(|text| (escape::name(&path), text)));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The rules that match what the target needs; none if it needs everything.
pub(super) fn wanted_paths(paths: Option<&[String]>, source: &impl Source) -> Result<Option<Rules>, Error> {
    let Some(paths) = paths else { return Ok(None) };
    let Some(patterns) = follow(paths, source)? else { return Ok(None) };
    Rules::of_paths(patterns.iter().map(String::as_str)).map(Some).map_err(Error::Path)
}

/// The names of the context, sorted by path bytes; folders only where nothing below them is kept.
pub(super) fn select(
    source: &impl Source,
    wanted: &Option<Rules>,
    ignored: &Ignored,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Kept>, Error> {
    let mut walk = Walk { source, wanted: wanted.as_ref(), ignored, surroundings, kept: Vec::new() };
    walk.folder(b"", None, None, true, 0)?;
    walk.kept.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.kept)
}

struct Walk<'a, S> {
    source: &'a S,
    wanted: Option<&'a Rules>,
    ignored: &'a Ignored,
    surroundings: &'a Surroundings<'a>,
    kept: Vec<Kept>,
}

impl<S: Source> Walk<'_, S> {
    /// Walks one folder; true if anything in it is kept.
    fn folder(
        &mut self,
        folder: &[u8],
        wanted_parent: Option<&Matched>,
        ignored_parent: Option<&Matched>,
        kept: bool,
        depth: u64,
    ) -> Result<bool, Error> {
        self.surroundings.cancel.check()?;
        self.limit("context-depth", self.surroundings.limits.context_depth, depth, folder)?;
        let Some(children) = self.source.children(folder)? else {
            // BuildKit's client, too, looks away where it would have sent nothing.
            return if kept { Err(Error::unreadable(folder, rustix::io::Errno::ACCESS)) } else { Ok(false) };
        };
        let mut any = false;
        for (name, node) in children {
            let path = open::join(folder, &name);
            let candidate = Candidate::new(&path);
            let is_folder = node == Node::Directory;
            let (is_wanted, wanted_here) = match self.wanted {
                Some(rules) => rules.matches(&candidate, wanted_parent).map_err(Error::Path)?,
                None => (true, Matched::default()),
            };
            if !is_wanted && is_folder && self.wanted.is_some_and(|rules| rules.prunes_unmatched(&path)) {
                continue;
            }
            let rules = &self.ignored.rules;
            let invalid = |error| self.ignored.invalid(error);
            let (is_ignored, ignored_here) = rules.matches(&candidate, ignored_parent).map_err(invalid)?;
            if is_ignored && is_folder && rules.prunes_excluded(&path) {
                continue;
            }
            let keep = is_wanted && !is_ignored;
            if is_folder {
                let wanted_here = self.wanted.map(|_| &wanted_here);
                let below = self.folder(&path, wanted_here, Some(&ignored_here), keep, depth + 1)?;
                if keep && !below {
                    self.keep(path, node)?;
                }
                any |= keep || below;
            } else if keep {
                if let Node::Special(kind) = node {
                    return Err(Error::Special { path: escape::name(&path), kind });
                }
                if matches!(node, Node::File(_)) && rules.matches_with_parents(&path).map_err(invalid)? {
                    return Err(Error::Contradiction { path: escape::name(&path) });
                }
                self.keep(path, node)?;
                any = true;
            }
        }
        Ok(any)
    }

    fn keep(&mut self, path: Vec<u8>, node: Node) -> Result<(), Error> {
        let limit = self.surroundings.limits.context_files;
        self.limit("context-files", limit, self.kept.len() as u64 + 1, &path)?;
        self.kept.push(Kept { path, node });
        Ok(())
    }

    fn limit(&self, name: &'static str, limit: u64, found: u64, path: &[u8]) -> Result<(), Error> {
        if found <= limit {
            return Ok(());
        }
        Err(LimitExceeded { name, limit, object: escape::name(path) }.into())
    }
}
