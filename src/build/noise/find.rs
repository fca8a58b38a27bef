//! The first pass over a layer: what the rules name, and which hard links that concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::clean::{Change, Clean, Inheritance, refuse_sparse, stop_if};
use crate::bounds::Bounds;
use crate::build::Blob;
use crate::digest::{DiffId, Hashing};
use crate::escape;
use crate::layer::tar::{Kind, Member, Reader};
use crate::layer::whiteout;
use crate::scrub::Rule;

/// Paths that a report names for each rule.
const NAMED: usize = 1000;

/// What one rule did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Files that it named.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Their absolute paths, safe to print: the first thousand.
    pub paths: BTreeSet<String>,
}

/// The noise of one layer.
#[derive(Debug, Default)]
pub struct Noise {
    /// What is done at a path; other paths stay as they are.
    changes: BTreeMap<Vec<u8>, Change>,
    /// What each rule named, in the order of the rules.
    pub scrubbed: Vec<Scrubbed>,
    /// The diff ID of the layer with its noise.
    pub diff_id: Option<DiffId>,
}

/// The file behind a name that is dropped or whose file is.
#[derive(Clone, Debug)]
enum Root {
    /// A file that is dropped, by its number.
    Dropped(usize),
    /// A file that stays, by its name in the archive.
    Kept(Vec<u8>),
}

impl Noise {
    /// Reads the layer `tar` and notes what `rules` name in it.
    pub fn find(tar: &Blob, rules: &[Rule], bounds: Bounds<'_>) -> io::Result<Self> {
        let mut noise = Self { scrubbed: vec![Scrubbed::default(); rules.len()], ..Self::default() };
        let mut reader = Reader::new(Hashing::new(tar.open()?), bounds.limits);
        let mut roots: BTreeMap<Vec<u8>, Root> = BTreeMap::new();
        let mut files: Vec<(Inheritance, Option<Vec<u8>>)> = Vec::new();
        while let Some(member) = reader.next()? {
            stop_if(bounds.cancel)?;
            match &member.entry.kind {
                Kind::File if !is_whiteout(&member.key) => {
                    let Some((number, rule)) = naming(rules, &member.key) else { continue };
                    noise.count(number, &member);
                    if let Some(edit) = rule.edit(&member.key) {
                        noise.changes.insert(member.key, Change::Edit(edit));
                        continue;
                    }
                    refuse_sparse(&member)?;
                    let offset = member.offset + member.headers.len() as u64;
                    roots.insert(member.key.clone(), Root::Dropped(files.len()));
                    files.push((Inheritance { entry: member.entry, offset }, None));
                    noise.changes.insert(member.key, Change::Drop);
                }
                Kind::HardLink { target } => {
                    let root = roots.get(&key_of(target)).cloned();
                    let dropping = naming(rules, &member.key).filter(|(_, rule)| rule.edit(&member.key).is_none());
                    if let Some((number, _)) = dropping {
                        noise.count(number, &member);
                        let root = root.unwrap_or_else(|| Root::Kept(target.clone()));
                        roots.insert(member.key.clone(), root);
                        noise.changes.insert(member.key, Change::Drop);
                        continue;
                    }
                    let change = match root {
                        None => continue,
                        Some(Root::Kept(name)) => Change::Link(name),
                        Some(Root::Dropped(number)) => {
                            roots.insert(member.key.clone(), Root::Dropped(number));
                            let (file, heir) = &mut files[number];
                            match heir {
                                Some(heir) => Change::Link(heir.clone()),
                                None => {
                                    *heir = Some(member.entry.path.clone());
                                    Change::Inherit(file.clone())
                                }
                            }
                        }
                    };
                    noise.changes.insert(member.key, change);
                }
                _ => {}
            }
        }
        let (_, hasher) = reader.into_inner().into_parts();
        noise.diff_id = Some(hasher.diff_id());
        Ok(noise)
    }

    fn count(&mut self, rule: usize, member: &Member) {
        let scrubbed = &mut self.scrubbed[rule];
        scrubbed.files += 1;
        scrubbed.bytes += member.entry.size;
        if scrubbed.paths.len() < NAMED {
            scrubbed.paths.insert(format!("/{}", escape::bytes(&member.key)));
        }
    }

    /// The layer `tar` without its noise; the same one if there is none.
    pub fn remove(self, tar: &Blob, bounds: Bounds<'_>) -> Blob {
        if self.changes.is_empty() {
            return tar.clone();
        }
        Blob::Made(Arc::new(Clean::new(tar, self.changes, bounds)))
    }
}

impl Scrubbed {
    /// Takes in what the same rule did elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        let free = NAMED.saturating_sub(self.paths.len());
        self.paths.extend(other.paths.iter().take(free).cloned());
    }
}

/// The first rule that names the file at `key`.
fn naming<'a>(rules: &'a [Rule], key: &[u8]) -> Option<(usize, &'a Rule)> {
    rules.iter().enumerate().find(|(_, rule)| rule.matches(key))
}

/// Whether the last name of a path is that of a whiteout.
pub fn is_whiteout(key: &[u8]) -> bool {
    key.rsplit(|&byte| byte == b'/').next().is_some_and(|name| name.starts_with(whiteout::PREFIX))
}

/// The path that a link's target stands for, as [`Member::key`] has it.
fn key_of(target: &[u8]) -> Vec<u8> {
    let names = target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    names.collect::<Vec<_>>().join(&b'/')
}
