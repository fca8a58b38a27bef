//! Attestations from where they lie: files, folders of files, layouts.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::files::shown;
use super::super::machine::Machine;
use super::error::AttestError;
use super::layout;
use crate::attest::line::{self, Line};
use crate::attest::quorum::Asked;
use crate::escape;
use crate::input::open_regular;
use crate::status::Failure;

/// Files of one folder.
const MOST_FILES: usize = 1000;
/// Ends of the names that are read in folders.
const ENDS: [&str; 4] = [".intoto.jsonl", ".intoto.json", ".sigstore.json", ".jsonl"];

/// Where attestations are.
#[derive(Clone, Debug, Default)]
pub struct AttestSources {
    /// Files, and folders of files.
    pub files: Vec<PathBuf>,
    /// A place where images are: an OCI layout.
    pub from: Option<String>,
}

/// Hands the lines of all sources to `take`, a file at a time: where each stands, and what it is. `asked` are the images
/// whose attestations are looked for where images are.
pub fn gather(
    machine: &Machine,
    sources: &AttestSources,
    asked: &[Asked],
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    if sources.files.is_empty() && sources.from.is_none() {
        return Err(AttestError::NoSources.into());
    }
    for file in &sources.files {
        let path = machine.resolve(file);
        if path.is_dir() {
            for name in names(&path, file)? {
                take(of_file(machine, &path.join(&name), &file.join(&name))?);
            }
        } else {
            take(of_file(machine, &path, file)?);
        }
    }
    if let Some(from) = &sources.from {
        layout::gather(machine, &machine.resolve(Path::new(from)), asked, take)?;
    }
    Ok(())
}

/// The names of a folder's files of attestations, sorted.
fn names(path: &Path, typed: &Path) -> Result<Vec<PathBuf>, AttestError> {
    let failed = |error| AttestError::Io { path: shown(typed), error };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if ENDS.iter().any(|end| name.as_encoded_bytes().ends_with(end.as_bytes())) {
            names.push(PathBuf::from(name));
        }
    }
    if names.len() > MOST_FILES {
        let error = std::io::Error::other(format!("{} files are more than the limit of {MOST_FILES}", names.len()));
        return Err(failed(error));
    }
    names.sort();
    Ok(names)
}

fn of_file(machine: &Machine, path: &Path, typed: &Path) -> Result<Vec<(String, Line)>, Failure> {
    let failed = |error| AttestError::Io { path: shown(typed), error };
    let mut bytes = Vec::new();
    let most = machine.limits.attest_file.saturating_add(1);
    open_regular(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    let lines = line::read(&bytes, &machine.limits);
    let lines = lines.map_err(|error| AttestError::Lines { path: shown(typed), error })?;
    let name = escape::name(typed.as_os_str().as_encoded_bytes());
    let place = |line: &Line| match line.number {
        Some(number) => format!("{name}:{number}"),
        None => name.clone(),
    };
    Ok(lines.into_iter().map(|line| (place(&line), line)).collect())
}
