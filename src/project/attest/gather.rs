//! Attestations from where they lie: files, folders of files, layouts, registries.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::files::shown;
use super::super::machine::Machine;
use super::error::AttestError;
use super::{layout, registry};
use crate::attest::line::{InvalidLines, Line, Lines};
use crate::attest::quorum::Asked;
use crate::escape;
use crate::input::open_regular;
use crate::source::{Bare, Place};
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
    /// Places where images are: OCI layouts, and references.
    pub from: Vec<String>,
}

/// A place where images are.
enum Images {
    Layout(PathBuf),
    Registry(crate::reference::Reference),
}

impl AttestSources {
    /// What was typed: files and folders that are there, and all else as a place where images are.
    pub fn typed(machine: &Machine, words: &[String]) -> Self {
        let mut sources = Self::default();
        for word in words {
            let path = machine.resolve(Path::new(word));
            let is_layout = path.join("oci-layout").exists();
            match path.exists() && !is_layout {
                true => sources.files.push(path),
                false => sources.from.push(if is_layout { path.to_string_lossy().into_owned() } else { word.clone() }),
            }
        }
        sources
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.from.is_empty()
    }

    fn places(&self, machine: &Machine) -> Result<Vec<Images>, Failure> {
        let place = |typed: &String| {
            let path = machine.resolve(Path::new(typed));
            if path.is_dir() || !names_a_host(typed) {
                return Ok(Images::Layout(path));
            }
            match Place::parse(Path::new(typed), Bare::Reference, &machine.directory)? {
                Place::Registry(reference) => Ok(Images::Registry(reference)),
                _ => Ok(Images::Layout(path)),
            }
        };
        self.from.iter().map(place).collect()
    }

    /// Every image of the places where images are.
    pub fn images(&self, machine: &Machine) -> Result<Vec<Asked>, Failure> {
        let mut all = Vec::new();
        for place in self.places(machine)? {
            all.extend(match place {
                Images::Layout(path) => layout::images(machine, &path)?,
                Images::Registry(reference) => registry::images(machine, &reference)?,
            });
        }
        Ok(all)
    }
}

/// Whether a word says itself which registry is to be asked: a path with a slip of the pen must reach nobody.
fn names_a_host(word: &str) -> bool {
    let is_host = |host: &str| host == "localhost" || (host.contains([':', '.']) && !host.starts_with('.'));
    word.starts_with("docker://") || word.split_once('/').is_some_and(|(host, _)| is_host(host))
}

/// Hands the lines of all sources to `take`, some at a time: where each stands, and what it is. `asked` are the images
/// whose attestations are looked for where images are.
pub fn gather(
    machine: &Machine,
    sources: &AttestSources,
    asked: &[Asked],
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    if sources.is_empty() {
        return Err(AttestError::NoSources.into());
    }
    for file in &sources.files {
        let path = machine.resolve(file);
        if path.is_dir() {
            for name in names(&path, &ENDS)? {
                of_file(machine, &path.join(&name), &file.join(&name), take)?;
            }
        } else {
            of_file(machine, &path, file, take)?;
        }
    }
    for place in sources.places(machine)? {
        match place {
            Images::Layout(path) => layout::gather(machine, &path, asked, take)?,
            Images::Registry(reference) => registry::gather(machine, &reference, asked, take)?,
        }
    }
    Ok(())
}

/// The names of a folder's files that end so, sorted.
pub fn names(path: &Path, ends: &[&str]) -> Result<Vec<PathBuf>, AttestError> {
    let failed = |error| AttestError::Io { path: shown(path), error };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if ends.iter().any(|end| name.as_encoded_bytes().ends_with(end.as_bytes())) {
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

fn of_file(
    machine: &Machine,
    path: &Path,
    typed: &Path,
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let typed = machine.near(typed);
    let refused = |error| AttestError::Lines { path: shown(&typed), error };
    let file = open_regular(path).map_err(|error| AttestError::Io { path: shown(&typed), error })?;
    let name = escape::name(typed.as_os_str().as_encoded_bytes());
    let place = |line: &Line| match line.number {
        Some(number) => format!("{name}:{number}"),
        None => name.clone(),
    };
    let mut lines = Lines::new(BufReader::new(file), &machine.limits);
    while let Some(batch) = lines.next_batch().map_err(refused)? {
        machine.cancel.check()?;
        let read: Vec<Result<Line, InvalidLines>> =
            batch.into_par_iter().map(|raw| raw.read(&machine.limits)).collect();
        let read = read.into_iter().collect::<Result<Vec<Line>, _>>().map_err(refused)?;
        take(read.into_iter().map(|line| (place(&line), line)).collect());
    }
    Ok(())
}
