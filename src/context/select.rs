//! Which names of a source are part of the context: the walk of BuildKit's client, without its side effects.
//!
//! A name is kept when the paths that the target needs match it and the ignore rules don't. A directory that is not kept
//! itself comes back as the parent of something that is; a directory that stays though all in it is ignored is an entry.

use std::io::Read;
use std::path::PathBuf;

use super::directory::{Child, Node, Source};
use super::effort::{Effort, Stopped};
use super::error::{Error, display};
use super::follow::{follow, sent_otherwise};
use super::ignore::{InvalidPattern, Line, clean, read_lines};
use super::open;
use super::pattern::Candidate;
use super::rules::{Matched, Rules, Undecided};
use super::{Request, SentOtherwise, Surroundings};
use crate::escape;
use crate::input::open_regular;
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
    lines: Vec<Line>,
    rules: Rules,
}

impl Ignored {
    /// Whether there is an ignore file, perhaps an empty one.
    pub(super) fn are_there(&self) -> bool {
        !self.file.is_empty()
    }

    fn error(&self, undecided: Undecided) -> Error {
        match undecided {
            Undecided::Invalid(error) => invalid(&self.file, &self.lines, error),
            Undecided::Stopped(stopped) => Error::stopped(stopped, self.file.clone()),
        }
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
    let (file, text) = match beside.filter(|path| path.is_file() && source.counts_outside(path)) {
        Some(path) => {
            let unreadable = |error| Error::Unreadable { path: display(&path), error };
            let file = open_regular(&path).map_err(unreadable)?;
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
    let lines = read_lines(&text).map_err(|error| invalid(&file, &[], error))?;
    let rules = Rules::new(lines.iter().map(|line| line.pattern.as_str()));
    let rules = rules.map_err(|error| invalid(&file, &lines, error))?;
    Ok(Ignored { file, lines, rules })
}

/// The error of an ignore file, with the first line that can have it.
fn invalid(file: &str, lines: &[Line], error: InvalidPattern) -> Error {
    let line = lines.iter().find(|line| line.is(&error)).map(|line| line.number);
    Error::Ignore { file: file.to_owned(), line, error }
}

/// The root's `.dockerignore`; as a link it may lead to another file of the context.
fn root_ignore_file(source: &impl Source, limits: &Limits) -> Result<Option<(String, Vec<u8>)>, Error> {
    let mut path = b".dockerignore".to_vec();
    for _ in 0..MOST_LINKS {
        match source.node(&path)? {
            Some(Node::Symlink(target)) => {
                let (directory, _) = open::split(&path);
                let joined = if target.starts_with(b"/") { target } else { open::join(directory, &target) };
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

/// Whether the root's ignore file is a link and its rules are nowhere.
pub(super) fn has_lost_rules(source: &impl Source, found: &Ignored) -> Result<bool, Error> {
    Ok(!found.are_there() && matches!(source.node(b".dockerignore")?, Some(Node::Symlink(_))))
}

/// What the target needs.
#[derive(Default)]
pub(super) struct Wanted {
    /// The rules that match it; none if it is everything.
    pub(super) rules: Option<Rules>,
    /// What BuildKit's client makes otherwise of it.
    pub(super) sent_otherwise: Option<SentOtherwise>,
}

/// What is needed where these paths are named.
pub(super) fn wanted_paths(
    paths: Option<&[String]>,
    source: &impl Source,
    effort: &Effort<'_>,
) -> Result<Wanted, Error> {
    let Some(paths) = paths else { return Ok(Wanted::default()) };
    let patterns = follow(paths, source, effort)?;
    let sent_otherwise = sent_otherwise(paths, patterns.as_deref(), source, effort)?;
    let rules = patterns.map(|patterns| Rules::of_paths(patterns.iter().map(String::as_str))).transpose();
    Ok(Wanted { rules: rules.map_err(invalid_path)?, sent_otherwise })
}

/// The error of a path; whose it is is found out by whoever knows what was asked for.
fn invalid_path(error: InvalidPattern) -> Error {
    Error::Path { context: String::new(), asked: String::new(), error }
}

fn path_error(undecided: Undecided) -> Error {
    match undecided {
        Undecided::Invalid(error) => invalid_path(error),
        Undecided::Stopped(stopped) => Error::stopped(stopped, "the paths that the Dockerfile copies"),
    }
}

/// What a walk found.
pub(super) struct Selected {
    /// The names of the context, sorted by path bytes; directories only where nothing below them is kept.
    pub(super) kept: Vec<Kept>,
    /// Files that don't count but would be sent if they did, and directories (with a `/` at the end) that hold such files.
    pub(super) untracked: Vec<Vec<u8>>,
}

/// Names looked at below one untracked directory to find out whether it holds anything that would be sent.
const MOST_UNTRACKED: u32 = 10_000;

/// Walks the source and decides about every name.
pub(super) fn select(
    source: &impl Source,
    wanted: &Option<Rules>,
    ignored: &Ignored,
    surroundings: &Surroundings<'_>,
    effort: &Effort<'_>,
) -> Result<Selected, Error> {
    let selected = Selected { kept: Vec::new(), untracked: Vec::new() };
    let mut walk = Walk { source, wanted: wanted.as_ref(), ignored, surroundings, effort, selected };
    walk.directory(&Place { path: b"", wanted: None, ignored: None, keep: true, counts: true, depth: 0 })?;
    walk.selected.kept.sort_by(|a, b| a.path.cmp(&b.path));
    walk.selected.untracked.sort();
    Ok(walk.selected)
}

struct Walk<'a, S> {
    source: &'a S,
    wanted: Option<&'a Rules>,
    ignored: &'a Ignored,
    surroundings: &'a Surroundings<'a>,
    effort: &'a Effort<'a>,
    selected: Selected,
}

/// A directory on the way, with what the rules said about it.
struct Place<'a> {
    path: &'a [u8],
    wanted: Option<&'a Matched>,
    ignored: Option<&'a Matched>,
    keep: bool,
    counts: bool,
    depth: u64,
}

/// What lies in a directory.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Something is kept.
    kept: bool,
    /// Something counts, kept or not.
    counts: bool,
}

/// What the rules say about one name.
struct Judgement {
    keep: bool,
    /// Nothing below the directory can be kept.
    pruned: bool,
    wanted: Option<Matched>,
    ignored: Option<Matched>,
}

impl<S: Source> Walk<'_, S> {
    fn directory(&mut self, place: &Place<'_>) -> Result<Found, Error> {
        self.surroundings.cancel.check()?;
        self.limit("context-depth", self.surroundings.limits.context_depth, place.depth, place.path)?;
        let mut found = Found::default();
        let Some(children) = self.source.children(place.path)? else {
            // BuildKit's client, too, looks away where it would have sent nothing.
            let refused = Error::unreadable(place.path, rustix::io::Errno::ACCESS);
            return if place.keep && place.counts { Err(refused) } else { Ok(found) };
        };
        for Child { name, node, counts } in children {
            let path = open::join(place.path, &name);
            let is_directory = node == Node::Directory;
            let candidate = Candidate::new(&path);
            let judgement = self.judge(&candidate, is_directory, place)?;
            if judgement.pruned {
                found.counts |= counts;
                continue;
            }
            let keep = judgement.keep;
            if is_directory {
                let below = Place {
                    path: &path,
                    wanted: judgement.wanted.as_ref(),
                    ignored: judgement.ignored.as_ref(),
                    keep,
                    counts,
                    depth: place.depth + 1,
                };
                if !counts && !self.source.may_include_below(&path) {
                    if self.would_send(&below, &mut MOST_UNTRACKED.clone())? {
                        self.selected.untracked.push([&path, b"/".as_slice()].concat());
                    }
                    continue;
                }
                let inside = self.directory(&below)?;
                let is_there = counts && (inside.counts || self.source.has_empty_directories());
                let stays = keep && is_there;
                if stays && !inside.kept {
                    self.keep(path, node)?;
                }
                found.kept |= stays || inside.kept;
                found.counts |= is_there || inside.counts;
            } else if keep && !counts {
                self.selected.untracked.push(path);
            } else {
                found.counts |= counts;
                if keep {
                    self.check(&candidate, &node, place)?;
                    self.keep(path, node)?;
                    found.kept = true;
                }
            }
        }
        Ok(found)
    }

    fn judge(&self, path: &Candidate<'_>, is_directory: bool, place: &Place<'_>) -> Result<Judgement, Error> {
        let mut judgement = Judgement { keep: true, pruned: false, wanted: None, ignored: None };
        if let Some(rules) = self.wanted {
            let (is_wanted, matched) = self.look(rules, path, is_directory, place.wanted).map_err(path_error)?;
            judgement.keep = is_wanted;
            judgement.wanted = matched;
            let pruned = !is_wanted
                && (!is_directory || self.prunes(rules, Rules::prunes_unmatched, path).map_err(path_error)?);
            if pruned {
                judgement.pruned = true;
                return Ok(judgement);
            }
        }
        let rules = &self.ignored.rules;
        let looked = self.look(rules, path, is_directory, place.ignored);
        let (is_ignored, matched) = looked.map_err(|undecided| self.ignored.error(undecided))?;
        judgement.keep &= !is_ignored;
        judgement.ignored = matched;
        let pruned = || self.prunes(rules, Rules::prunes_excluded, path).map_err(|why| self.ignored.error(why));
        judgement.pruned = is_ignored && (!is_directory || pruned()?);
        Ok(judgement)
    }

    fn prunes(
        &self,
        rules: &Rules,
        how: impl Fn(&Rules, &[u8], &Effort<'_>) -> Result<bool, Stopped>,
        path: &Candidate<'_>,
    ) -> Result<bool, Undecided> {
        how(rules, path.bytes, self.effort).map_err(Undecided::Stopped)
    }

    /// What rules say about a path; what they matched matters for directories only.
    fn look(
        &self,
        rules: &Rules,
        path: &Candidate<'_>,
        is_directory: bool,
        parent: Option<&Matched>,
    ) -> Result<(bool, Option<Matched>), Undecided> {
        if is_directory {
            let (hit, matched) = rules.matches(path, parent, self.effort)?;
            return Ok((hit, Some(matched)));
        }
        Ok((rules.matches_below(path, parent, self.effort)?, None))
    }

    /// Whether an untracked directory holds a file that would be sent; yes if that takes too long to find out.
    fn would_send(&self, place: &Place<'_>, names: &mut u32) -> Result<bool, Error> {
        self.surroundings.cancel.check()?;
        if place.depth > self.surroundings.limits.context_depth {
            return Ok(true);
        }
        for child in self.source.children(place.path)?.unwrap_or_default() {
            *names = match names.checked_sub(1) {
                Some(left) => left,
                None => return Ok(true),
            };
            let path = open::join(place.path, &child.name);
            let is_directory = child.node == Node::Directory;
            let candidate = Candidate::new(&path);
            let judgement = self.judge(&candidate, is_directory, place)?;
            if judgement.pruned {
                continue;
            }
            let below = Place {
                path: &path,
                wanted: judgement.wanted.as_ref(),
                ignored: judgement.ignored.as_ref(),
                keep: judgement.keep,
                counts: false,
                depth: place.depth + 1,
            };
            if if is_directory { self.would_send(&below, names)? } else { judgement.keep } {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses what is kept but can't be sent.
    fn check(&self, path: &Candidate<'_>, node: &Node, place: &Place<'_>) -> Result<(), Error> {
        let path_text = || escape::name(path.bytes);
        match node {
            Node::Special(kind) => Err(Error::Special { path: path_text(), kind }),
            Node::Sparse => Err(Error::Sparse { path: path_text() }),
            Node::File(_) => {
                let contradicted = self.ignored.rules.contradict(path, place.ignored, self.effort);
                let contradicted = contradicted.map_err(|undecided| self.ignored.error(undecided))?;
                if contradicted { Err(Error::Contradiction { path: path_text() }) } else { Ok(()) }
            }
            Node::Directory | Node::Symlink(_) => Ok(()),
        }
    }

    fn keep(&mut self, path: Vec<u8>, node: Node) -> Result<(), Error> {
        let limit = self.surroundings.limits.context_files;
        self.limit("context-files", limit, self.selected.kept.len() as u64 + 1, &path)?;
        self.selected.kept.push(Kept { path, node });
        Ok(())
    }

    fn limit(&self, name: &'static str, limit: u64, found: u64, path: &[u8]) -> Result<(), Error> {
        if found <= limit {
            return Ok(());
        }
        Err(LimitExceeded { name, limit, object: escape::name(path) }.into())
    }
}
