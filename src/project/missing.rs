//! Files that a record was made with and a tree lacks, as far as the tree itself tells: in an archive of git, say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::shown;
use super::ready::ReadyImage;
use crate::dockerfile::sources::Sources;
use crate::drift::Stale;
use crate::escape;
use crate::git::{Repository, left_out_of_archives};
use crate::status::{ExitStatus, Failure, Status};

/// Names that a message tells.
const MOST_NAMES: usize = 20;

/// The record is not of this tree, in which files are missing.
#[derive(Debug, thiserror::Error)]
#[error("{stale}{}", list(asked, "which the Dockerfile takes")
    + &list(left_out, "left out of archives by `.gitattributes` or as submodules"))]
pub struct Incomplete {
    stale: Stale,
    asked: Vec<String>,
    left_out: Vec<String>,
}

impl ExitStatus for Incomplete {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        if self.left_out.is_empty() {
            return self.stale.hint();
        }
        Some("clone the repository instead of unpacking an archive of it".to_owned())
    }
}

fn list(names: &[String], why: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let few: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("\n  not there: {}{more}, {why}", few.join(", "))
}

/// The failure that says what is missing, too; none if nothing is known to be.
pub fn explain(root: &Path, ready: &ReadyImage<'_>, stale: &Stale) -> Option<Failure> {
    if !stale.0.iter().any(|drift| drift.code() == "record-context") {
        return None;
    }
    let context = root.join(&ready.surveyed.image.files.context);
    let asked = asked(&context, ready);
    let left_out = match Repository::find(root) {
        Ok(None) => left_out(root, &context, ready),
        _ => Vec::new(),
    };
    if asked.is_empty() && left_out.is_empty() {
        return None;
    }
    Some(Incomplete { stale: stale.clone(), asked, left_out }.into())
}

/// Paths without wildcards that instructions take from the context.
fn asked(context: &Path, ready: &ReadyImage<'_>) -> Vec<String> {
    let taken = ready.surveyed.survey.platforms.values();
    let names: BTreeSet<&String> = taken
        .flat_map(|taken| taken.sources.naming.keys())
        .filter(|(directory, path)| directory == Sources::CONTEXT && !path.contains(['*', '?', '[', '\\']))
        .map(|(_, path)| path)
        .collect();
    let missing = names.into_iter().filter(|path| !context.join(path).exists());
    missing.map(|path| escape::text(path).into_owned()).collect()
}

fn left_out(root: &Path, context: &Path, ready: &ReadyImage<'_>) -> Vec<String> {
    let mut directories: BTreeSet<PathBuf> = [root.to_owned(), context.to_owned()].into();
    for entry in &ready.tree.context.entries {
        let path = context.join(String::from_utf8_lossy(&entry.path).as_ref());
        directories.extend(path.ancestors().skip(1).take_while(|path| *path != context).map(Path::to_owned));
    }
    let mut found = BTreeSet::new();
    for directory in directories {
        let below = directory.strip_prefix(root).unwrap_or(&directory);
        let names = left_out_of_archives(&directory).unwrap_or_default();
        found.extend(names.iter().map(|name| shown(&below.join(String::from_utf8_lossy(name).as_ref()))));
    }
    found.into_iter().collect()
}
