//! The files given to a build: listing, ignore rules, content, context digest, staging.
//!
//! The way of the data: a source (a plain `directory`, or what git has `tracked`) tells directory by directory what is there.
//! `select` walks it the way BuildKit's client does, with the ignore file's rules and the paths that the target
//! needs, and keeps names only. `content` then reads and hashes the kept files in parallel; for tracked ones `checkout`
//! decides between the work tree's bytes and those of a clean checkout. The result is a [`Tree`], whose
//! [`Tree::digest`] is its identity and which [`stage()`] writes into a private directory for BuildKit.
//!
//! Nothing here follows a link out of a context: files are opened relative to its root, and links stay links.

mod cache;
mod checkout;
mod committed;
mod content;
mod digest;
mod directory;
mod effort;
mod error;
mod follow;
mod identity;
pub mod ignore;
mod open;
mod pattern;
mod report;
mod rules;
mod select;
mod stage;
mod tracked;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cancel::Cancel;
use crate::digest::Digest;
use crate::git::Repository;
use crate::limits::Limits;
use crate::progress::Reporter;

pub use checkout::as_checked_out;
pub use committed::is_committed;
pub use effort::{Effort, Stopped};
pub use error::Error;
pub use ignore::InvalidPattern;
pub use rules::{Matched, Rules as Patterns, Undecided};
pub use stage::{is_staged_time, stage, staged_time};

/// Why a path may be missing from a context though it is in the directory: a hint.
pub const NOT_IN_CONTEXT: &str = "a context holds what git tracks or `include` names, without what the ignore file excludes; \
     `repro` warns of untracked files that it leaves out";

/// A normalised context: entries sorted by path bytes, contents by reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The entries, sorted by path bytes, parents implied.
    pub entries: Vec<Entry>,
    /// What BuildKit's client makes otherwise of the wanted paths, if there is something.
    pub sent_otherwise: Option<SentOtherwise>,
    /// Paths that count otherwise than git's index has them: edited, deleted, not tracked but included, submodules at
    /// another commit.
    pub edited: BTreeSet<Vec<u8>>,
}

/// A path for which BuildKit's client sends something else than what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentOtherwise {
    /// The path as it was asked for.
    pub asked: String,
    /// What is special about it, safe to print.
    pub why: String,
}

/// One entry of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path below the context's root, `/`-separated bytes, no leading slash.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
}

/// What a context entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// 0644 or 0755.
        executable: bool,
        /// Bytes.
        size: u64,
        /// Digest of the content.
        digest: Digest,
        /// Where the bytes are; the reader checks them against `digest`.
        content: Content,
    },
    /// A symbolic link and its target's bytes.
    Symlink(Vec<u8>),
    /// A directory without entries.
    Directory,
    /// A hard link to an earlier entry of the tree, outside git only.
    HardLink(Vec<u8>),
}

/// Where a file's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of the work tree that holds exactly these bytes.
    File(PathBuf),
    /// Bytes that differ from the work tree's (line ends undone), kept in memory.
    Bytes(std::sync::Arc<[u8]>),
}

/// Which files make up a context.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The context's name for messages: `context`, or that of a named context.
    pub name: &'a str,
    /// Its directory.
    pub root: &'a Path,
    /// The Dockerfile, whose `<Dockerfile>.dockerignore` replaces the context's own; none for named contexts.
    pub dockerfile: Option<&'a Path>,
    /// Only files that git tracks count, if the directory lies in a git work tree.
    pub tracked_only: bool,
    /// Patterns of untracked files that count as well.
    pub include: &'a [String],
    /// The paths that the target needs, as BuildKit's `followpaths`; none is all.
    pub paths: Option<&'a [String]>,
}

/// What surrounds reading but can't change its result.
pub struct Surroundings<'a> {
    /// Bounds on what is read.
    pub limits: &'a Limits,
    /// Told warnings and notes.
    pub progress: &'a Reporter,
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
    /// A directory for what speeds up the next reading; its loss or damage changes nothing.
    pub cache: Option<&'a Path>,
}

/// Lists, selects and hashes a context's files.
///
/// Warns of untracked files that BuildKit would be sent, and notes tracked ones that count otherwise than committed.
pub fn read(request: &Request<'_>, surroundings: &Surroundings<'_>) -> Result<Tree, Error> {
    let limits = surroundings.limits;
    let report = report::Report { name: request.name, progress: surroundings.progress };
    let effort = Effort::new(limits.context_steps, surroundings.cancel);
    let repository = if request.tracked_only { Repository::find(request.root)? } else { None };
    let Some(repository) = repository else {
        let source = directory::Directory::open(request.root)?;
        let rules = select::ignore_rules(request, &source, limits)?;
        if select::has_lost_rules(&source, &rules)? {
            report.lost_rules();
        }
        let (selected, sent_otherwise) = select_wanted(request, &source, &rules, surroundings, &effort)?;
        report.whiteouts(selected.kept.iter().map(|kept| kept.path.as_slice()));
        let entries = content::read(&source, selected.kept, surroundings)?;
        return Ok(Tree { entries, sent_otherwise, ..Tree::default() });
    };
    let source = tracked::WorkTree::open(request.root, repository, request.include, limits, &effort)?;
    let rules = select::ignore_rules(request, &source, limits)?;
    let uncounted_rules = source.uncounted_rules(rules.are_there())?;
    if select::has_lost_rules(&source, &rules)? {
        report.lost_rules();
    }
    let (selected, sent_otherwise) = select_wanted(request, &source, &rules, surroundings, &effort)?;
    report.whiteouts(selected.kept.iter().map(|kept| kept.path.as_slice()));
    let known = source.finish();
    let (entries, remarks) = checkout::read(&known, selected.kept, surroundings)?;
    report.untracked(&selected.untracked, uncounted_rules.as_deref());
    report.remarks(&remarks, &known);
    let untracked = entries.iter().filter(|entry| known.entry(&entry.path).is_none());
    let mut edited: BTreeSet<Vec<u8>> = untracked.map(|entry| entry.path.clone()).collect();
    edited.extend(remarks.modified.into_iter().chain(known.deleted).chain(known.moved));
    Ok(Tree { entries, sent_otherwise, edited })
}

/// Selects what the request wants; a path that is no pattern is told as it was asked for.
fn select_wanted(
    request: &Request<'_>,
    source: &impl directory::Source,
    rules: &select::Ignored,
    surroundings: &Surroundings<'_>,
    effort: &Effort<'_>,
) -> Result<(select::Selected, Option<SentOtherwise>), Error> {
    let select = || {
        let wanted = select::wanted_paths(request.paths, source, effort)?;
        Ok((select::select(source, &wanted.rules, rules, surroundings, effort)?, wanted.sent_otherwise))
    };
    select().map_err(|error| match error {
        Error::Path { error, .. } => {
            let asked = follow::asked_for(error.pattern(), request.paths.unwrap_or_default(), source, effort);
            Error::Path { context: request.name.to_owned(), asked: asked.unwrap_or_default(), error }
        }
        other => other,
    })
}
