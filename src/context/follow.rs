//! From the paths that a Dockerfile names to the paths that must be there: links on the way are followed.
//!
//! The rule is that of BuildKit's client (`fsutil` FollowLinks); what it stops at though it could go on is followed
//! here, since more than BuildKit sends is safe to stage and less is not. Who has no client to choose after that must
//! know where it would: [`sent_otherwise`].

use std::collections::{BTreeSet, VecDeque};

use super::SentOtherwise;
use super::directory::{Node, Source};
use super::effort::{Effort, Stopped};
use super::error::Error;
use super::ignore::clean;
use super::open;
use super::pattern::{Candidate, Pattern, Unanswered};
use crate::escape;

/// Links in one chain, and bytes of one path: the bounds of the system that will resolve them.
const MOST_LINKS: usize = 255;
const LONGEST_PATH: usize = 4096;

/// Names that are looked at before giving up on a maze of links; the paths found by then are kept.
const MOST_STEPS: usize = 100_000;

/// The patterns that select what `paths` need; none if they need everything.
pub(super) fn follow(
    paths: &[String],
    source: &impl Source,
    effort: &Effort<'_>,
) -> Result<Option<Vec<String>>, Error> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<(String, usize)> = paths.iter().map(|path| (rooted(path), 0)).collect();
    let mut steps = 0;
    while let Some((path, links)) = queue.pop_front() {
        if path.len() > LONGEST_PATH || links > MOST_LINKS || !seen.insert(path.clone()) {
            continue;
        }
        let mut current = String::new();
        let mut rest = path.as_str();
        loop {
            steps += 1;
            let (name, after) = rest.split_once('/').unwrap_or((rest, ""));
            current = if current.is_empty() { name.to_owned() } else { format!("{current}/{name}") };
            let targets = if steps < MOST_STEPS { link_targets(&current, source, effort)? } else { None };
            if let Some(targets) = targets {
                found.insert(current.clone());
                queue.extend(targets.into_iter().map(|target| (rooted(&format!("{target}/{after}")), links + 1)));
                // A wildcard matches more than the links, so the way goes on.
                if !has_wildcard(name) || after.is_empty() {
                    break;
                }
            }
            if after.is_empty() {
                found.insert(current);
                break;
            }
            rest = after;
        }
    }
    Ok((!found.iter().any(String::is_empty)).then(|| found.into_iter().collect()))
}

/// What BuildKit's client makes otherwise of `paths`, for which [`follow`] found `patterns`; none if it does not.
pub(super) fn sent_otherwise(
    paths: &[String],
    patterns: Option<&[String]>,
    source: &impl Source,
    effort: &Effort<'_>,
) -> Result<Option<SentOtherwise>, Error> {
    if let Some(path) = paths.iter().find(|path| path.bytes().any(|byte| byte.is_ascii_control())) {
        let why = format!("`{}` holds a control character", escape::text(path));
        return Ok(Some(SentOtherwise { asked: path.clone(), why }));
    }
    let is_exception = |pattern: &&str| pattern.starts_with('!');
    let (special, what) = match patterns.unwrap_or_default().iter().map(String::as_str).find(is_exception) {
        Some(pattern) => (pattern, "reads as an exception"),
        None => match unsent(paths, patterns, source, effort)? {
            Some(pattern) => (pattern, "is behind a link that is passed more than once"),
            None => return Ok(None),
        },
    };
    let asked = asked_for(special, paths, source, effort)?;
    Ok(Some(SentOtherwise { asked, why: format!("`/{}` {what}", escape::text(special)) }))
}

/// The first of `paths` that leads to `pattern`; empty if none does.
pub(super) fn asked_for(
    pattern: &str,
    paths: &[String],
    source: &impl Source,
    effort: &Effort<'_>,
) -> Result<String, Error> {
    for path in paths {
        let alone = follow(std::slice::from_ref(path), source, effort)?;
        if alone.map_or(pattern.is_empty(), |patterns| patterns.iter().any(|found| found == pattern)) {
            return Ok(path.clone());
        }
    }
    Ok(String::new())
}

/// The first of the patterns that the client would not come to; empty for the root.
fn unsent<'a>(
    paths: &[String],
    patterns: Option<&'a [String]>,
    source: &impl Source,
    effort: &Effort<'_>,
) -> Result<Option<&'a str>, Error> {
    // Where no link led elsewhere both ways are the same.
    let asked: BTreeSet<String> = paths.iter().map(|path| rooted(path)).collect();
    if patterns.is_some_and(|patterns| patterns.iter().all(|pattern| asked.contains(pattern))) {
        return Ok(None);
    }
    let sent = client_patterns(paths, source, effort)?;
    let is_sent = |pattern: &str| {
        let above = pattern.match_indices('/').any(|(at, _)| sent.contains(&pattern[..at]));
        above || ["", "*", pattern].iter().any(|all| sent.contains(*all))
    };
    Ok(match patterns {
        Some(patterns) => patterns.iter().map(String::as_str).find(|pattern| !is_sent(pattern)),
        None => Some("").filter(|root| !is_sent(root)),
    })
}

/// What the client follows `paths` to: no link for a second time, whatever comes after it.
fn client_patterns(paths: &[String], source: &impl Source, effort: &Effort<'_>) -> Result<BTreeSet<String>, Error> {
    let mut sent = BTreeSet::new();
    let mut open: Vec<String> = paths.iter().rev().map(|path| rooted(path)).collect();
    let mut steps = 0;
    while let Some(path) = open.pop() {
        let (mut current, mut rest) = (String::new(), path.as_str());
        loop {
            steps += 1;
            let (name, after) = rest.split_once('/').unwrap_or((rest, ""));
            current = if current.is_empty() { name.to_owned() } else { format!("{current}/{name}") };
            let targets = if steps < MOST_STEPS { link_targets(&current, source, effort)? } else { None };
            if targets.is_some() || after.is_empty() {
                if sent.insert(current) {
                    let behind = targets.iter().flatten().rev();
                    open.extend(behind.map(|target| rooted(&format!("{target}/{after}"))));
                }
                break;
            }
            rest = after;
        }
    }
    Ok(sent)
}

/// A path cleaned as if the context were the whole file system; empty for the root.
fn rooted(path: &str) -> String {
    clean(&format!("/{path}")).split_off(1)
}

/// The targets of the links that `path` names, its last part perhaps with wildcards; none if it names no link.
fn link_targets(path: &str, source: &impl Source, effort: &Effort<'_>) -> Result<Option<Vec<String>>, Error> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut targets = Vec::new();
    if has_wildcard(name) {
        // A broken pattern matches nothing here; whoever compiles the patterns reports it.
        let Ok(pattern) = Pattern::new(name) else { return Ok(None) };
        if source.node(directory.as_bytes())? != Some(Node::Directory) {
            return Ok(None);
        }
        for child in source.children(directory.as_bytes())?.unwrap_or_default() {
            let Node::Symlink(target) = child.node else { continue };
            if !child.counts {
                continue;
            }
            let stopped = |stopped: Stopped| Error::stopped(stopped, format!("`{}`", escape::text(name)));
            effort.spend(1).map_err(stopped)?;
            let is_meant = match pattern.matches(&Candidate::new(&child.name), effort) {
                Err(Unanswered::Stopped(why)) => return Err(stopped(why)),
                response => response == Ok(true),
            };
            if is_meant {
                targets.extend(resolve(directory.as_bytes(), &target));
            }
        }
    } else if let Some(Node::Symlink(target)) = source.node(path.as_bytes())? {
        targets.extend(resolve(directory.as_bytes(), &target));
    }
    Ok((!targets.is_empty()).then_some(targets))
}

/// Where a link in `directory` leads, from the context's root; none if the target is not text.
fn resolve(directory: &[u8], target: &[u8]) -> Option<String> {
    let target = if target.starts_with(b"/") { target.to_vec() } else { open::join(directory, target) };
    String::from_utf8(target).ok()
}

fn has_wildcard(name: &str) -> bool {
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}
