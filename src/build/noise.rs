//! New layers without their noise: what the scrub rules name is left out, everything else stays byte for byte.
//!
//! A layer is read twice. The first time, [`Noise::find`] notes which files match and which hard links that
//! concerns; the second time, [`Clean`] writes the layer that is left. Directories, symbolic links, devices and
//! whiteouts are never touched. A dropped file that has other names gives its content to the first name that stays, at
//! that name's place; later names link to that one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::{Blob, Produce};
use crate::cancel::{Cancel, Cancelled};
use crate::digest::{DiffId, Hashing};
use crate::escape;
use crate::layer::tar::{Entry, Kind, Member, Reader, Writer};
use crate::layer::whiteout;
use crate::limits::Limits;
use crate::scrub::{Action, Rule, fix_shadow_days};

const BLOCK: u64 = 512;
/// Bytes of a file that is edited; real ones have some thousands.
const EDITED: u64 = 1 << 20;
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

/// The new layer `tar` without what `rules` name in it.
///
/// # Errors
/// When the layer can't be read.
pub fn scrub_layer(tar: &Blob, rules: &[Rule], limits: &Limits, cancel: &Cancel) -> io::Result<Blob> {
    Ok(Noise::find(tar, rules, limits, cancel)?.remove(tar, limits, cancel))
}

/// The noise of one layer.
#[derive(Debug, Default)]
pub(super) struct Noise {
    /// What is done at a path; other paths stay as they are.
    changes: BTreeMap<Vec<u8>, Change>,
    /// What each rule named, in the order of the rules.
    pub scrubbed: Vec<Scrubbed>,
    /// The diff ID of the layer with its noise.
    pub diff_id: Option<DiffId>,
}

#[derive(Debug)]
enum Change {
    Drop,
    FixShadowDays,
    /// A name that was a link to a dropped file becomes the file.
    Inherit(Inheritance),
    /// A name that was a link to a dropped name links to this one, as it stands in the archive.
    Link(Vec<u8>),
}

/// A dropped file whose other names stay.
#[derive(Clone, Debug)]
struct Inheritance {
    entry: Entry,
    /// Where its content starts in the layer.
    offset: u64,
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
    pub fn find(tar: &Blob, rules: &[Rule], limits: &Limits, cancel: &Cancel) -> io::Result<Self> {
        let mut noise = Self { scrubbed: vec![Scrubbed::default(); rules.len()], ..Self::default() };
        let mut reader = Reader::new(Hashing::new(tar.open()?), limits);
        let mut roots: BTreeMap<Vec<u8>, Root> = BTreeMap::new();
        let mut files: Vec<(Inheritance, Option<Vec<u8>>)> = Vec::new();
        while let Some(member) = reader.next()? {
            stop_if(cancel)?;
            match &member.entry.kind {
                Kind::File if !is_whiteout(&member.key) => {
                    let Some((number, rule)) = naming(rules, &member.key) else { continue };
                    noise.count(number, &member);
                    if rule.action() == Action::FixShadowDays {
                        noise.changes.insert(member.key, Change::FixShadowDays);
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
                    let dropping = naming(rules, &member.key).filter(|(_, rule)| rule.action() == Action::Drop);
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
    pub fn remove(self, tar: &Blob, limits: &Limits, cancel: &Cancel) -> Blob {
        if self.changes.is_empty() {
            return tar.clone();
        }
        let clean = Clean { tar: tar.clone(), changes: self.changes, limits: limits.clone(), cancel: cancel.clone() };
        Blob::Made(Arc::new(clean))
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

/// A layer without its noise, written anew whenever it is read.
#[derive(Debug)]
struct Clean {
    tar: Blob,
    changes: BTreeMap<Vec<u8>, Change>,
    limits: Limits,
    cancel: Cancel,
}

impl Produce for Clean {
    fn write_to(&self, mut out: &mut dyn Write) -> io::Result<()> {
        let mut reader = Reader::new(self.tar.open()?, &self.limits);
        while let Some(member) = reader.next()? {
            stop_if(&self.cancel)?;
            match self.changes.get(&member.key) {
                None => copy(&member, reader.content(), out)?,
                Some(Change::Drop) => {}
                Some(Change::FixShadowDays) => edit(member, reader.content(), out)?,
                Some(Change::Link(name)) => {
                    let kind = Kind::HardLink { target: name.clone() };
                    Writer::new(&mut out).append_empty(&Entry { kind, ..member.entry })?;
                }
                Some(Change::Inherit(file)) => {
                    let mut content = self.tar.open()?;
                    io::copy(&mut content.by_ref().take(file.offset), &mut io::sink())?;
                    let entry = Entry { path: member.entry.path, ..file.entry.clone() };
                    Writer::new(&mut out).append(&entry, content.take(entry.size))?;
                }
            }
        }
        Writer::new(out).finish()?;
        Ok(())
    }
}

/// Writes a member as it stands in the archive.
fn copy(member: &Member, mut content: impl Read, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&member.headers)?;
    let size = io::copy(&mut content, out)?;
    let padding = size.wrapping_neg() % BLOCK;
    io::copy(&mut io::repeat(0).take(padding), out)?;
    Ok(())
}

/// Writes a shadow file with fixed days; its headers stay as they are unless its size changes.
fn edit(member: Member, mut content: impl Read, mut out: &mut dyn Write) -> io::Result<()> {
    refuse_sparse(&member)?;
    if member.entry.size > EDITED {
        let what = format!("{} has {} bytes, expected a shadow file", escape::name(&member.key), member.entry.size);
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let mut before = Vec::new();
    content.read_to_end(&mut before)?;
    let after = fix_shadow_days(&before);
    if after.len() == before.len() {
        return copy(&member, after.as_slice(), out);
    }
    let entry = Entry { size: after.len() as u64, ..member.entry };
    Writer::new(&mut out).append(&entry, after.as_slice())
}

/// The first rule that names the file at `key`.
fn naming<'a>(rules: &'a [Rule], key: &[u8]) -> Option<(usize, &'a Rule)> {
    rules.iter().enumerate().find(|(_, rule)| rule.matches(key))
}

fn is_whiteout(key: &[u8]) -> bool {
    key.rsplit(|&byte| byte == b'/').next().is_some_and(|name| name.starts_with(whiteout::PREFIX))
}

/// The path that a link's target stands for, as [`Member::key`] has it.
fn key_of(target: &[u8]) -> Vec<u8> {
    let names = target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    names.collect::<Vec<_>>().join(&b'/')
}

/// Engines write no sparse files, and one can't be moved to another name.
fn refuse_sparse(member: &Member) -> io::Result<()> {
    match member.sparse_size {
        None => Ok(()),
        Some(_) => {
            let what = format!("{} is a sparse file, which no engine writes", escape::name(&member.key));
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

fn stop_if(cancel: &Cancel) -> io::Result<()> {
    if cancel.is_cancelled() { Err(io::Error::other(Cancelled)) } else { Ok(()) }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDERS: [&str; 2] = ["var/", "var/log/"];

    /// `name=content` is a file, `name -> target` a symbolic link, `name => target` a hard link, `name/` a directory.
    fn tar(entries: &[&str]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for text in entries {
            if let Some((name, target)) = text.split_once(" -> ") {
                let target = target.as_bytes().to_vec();
                writer.append_empty(&Entry::new(name, Kind::Symlink { target }, 0o777)).unwrap();
            } else if let Some((name, target)) = text.split_once(" => ") {
                let target = target.as_bytes().to_vec();
                writer.append_empty(&Entry::new(name, Kind::HardLink { target }, 0o640)).unwrap();
            } else if let Some((name, content)) = text.split_once('=') {
                let mut entry = Entry::file(name, 0o640, content.len() as u64).at(5);
                entry.xattrs.insert(b"user.x".to_vec(), b"1".to_vec());
                writer.append(&entry, content.as_bytes()).unwrap();
            } else {
                writer.append_empty(&Entry::directory(*text, 0o755)).unwrap();
            }
        }
        writer.finish().unwrap()
    }

    fn scrub(layer: &[u8], rules: &[&str]) -> (Vec<u8>, Vec<Scrubbed>) {
        let rules: Vec<Rule> = rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
        let blob = Blob::Bytes(Arc::from(layer));
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let noise = Noise::find(&blob, &rules, &limits, &cancel).unwrap();
        assert_eq!(noise.diff_id, Some(DiffId::of(layer)));
        let scrubbed = noise.scrubbed.clone();
        let mut out = Vec::new();
        noise.remove(&blob, &limits, &cancel).open().unwrap().read_to_end(&mut out).unwrap();
        (out, scrubbed)
    }

    #[test]
    fn what_is_left_is_the_layer_as_if_the_noise_had_never_been() {
        for (before, rules, after) in [
            (&["var/log/dpkg.log=1", "x=2"][..], &["dpkg-log"][..], &["x=2"][..]),
            (&["var/log/dpkg.log=1"], &["dpkg-log"], &[]),
            (&["var/log/a=1"], &["dpkg-log"], &["var/log/a=1"]),
            // Links, directories, whiteouts and opaque markers stay.
            (&["var/log/dpkg.log -> /x"], &["dpkg-log"], &["var/log/dpkg.log -> /x"]),
            (
                &["var/log/dpkg.log/", "var/log/dpkg.log/x=1"],
                &["dpkg-log"],
                &["var/log/dpkg.log/", "var/log/dpkg.log/x=1"],
            ),
            (
                &["root/.cache/.wh.a=", "root/.cache/.wh..wh..opq=", "root/.cache/a=1"],
                &["root-cache"],
                &["root/.cache/.wh.a=", "root/.cache/.wh..wh..opq="],
            ),
            (
                &["root/.cache/a/", "root/.cache/a/b=1", "root/.cache/c -> a"],
                &["root-cache"],
                &["root/.cache/a/", "root/.cache/c -> a"],
            ),
            // The first name that stays takes the content at its own place, later ones link to it.
            (&["a=1", "b=2", "c => a", "d => a"], &["/a"], &["b=2", "c=1", "d => c"]),
            (&["a=1", "c => a", "d => a", "e => a"], &["/a", "/c"], &["d=1", "e => d"]),
            (&["a=1", "c => a", "d => a"], &["/c"], &["a=1", "d => a"]),
            (&["a=1", "c => a", "d => c"], &["/c"], &["a=1", "d => a"]),
            (&["a=1", "c => a", "d => c", "e => d"], &["/a", "/d"], &["c=1", "e => c"]),
            (&["a=1", "c => a"], &["/a", "/c"], &[]),
            (&["a=1", "c => ./a"], &["/a"], &["c=1"]),
            // Only what the rules name, by the first rule that does.
            (
                &["etc/shadow=a:x:19999:", "etc/shadow-=b:x:19998:"],
                &["shadow-day", "shadow-backup"],
                &["etc/shadow=a:x:19000:"],
            ),
            (&["etc/shadow=a:x:5:"], &["shadow-day"], &["etc/shadow=a:x:19000:"]),
            (&["etc/shadow=a:x:5:"], &["/etc/shadow", "shadow-day"], &[]),
        ] {
            let (got, _) = scrub(&tar(before), rules);
            assert!(got == tar(after), "{before:?} {rules:?}");
        }
    }

    #[test]
    fn a_layer_without_noise_is_passed_on_as_it_is() {
        let mut layer = tar(&FOLDERS);
        layer.extend([0; 4096]);
        assert_eq!(scrub(&layer, &["dpkg-log", "/x"]).0, layer);
    }

    #[test]
    fn the_report_names_files_by_rule() {
        let layer = tar(&["root/.cache/pip/x=12", "root/.cache/y=3", "root/.cache/z => root/.cache/y"]);
        let (_, scrubbed) = scrub(&layer, &["pip-cache", "root-cache", "apk-log"]);
        let seen: Vec<_> = scrubbed.iter().map(|s| (s.files, s.bytes, s.paths.len())).collect();
        assert_eq!(seen, [(1, 2, 1), (2, 1, 2), (0, 0, 0)]);
        assert!(scrubbed[1].paths.contains("/root/.cache/z"));
    }

    #[test]
    fn an_absurd_shadow_file_fails_and_hangs_nobody() {
        let rules = [Rule::parse("shadow-day").unwrap()];
        let blob = Blob::Bytes(Arc::from(tar(&[&format!("etc/shadow={}", "x".repeat(2 << 20))])));
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let clean = Noise::find(&blob, &rules, &limits, &cancel).unwrap().remove(&blob, &limits, &cancel);
        let error = clean.open().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "etc/shadow has 2097152 bytes, expected a shadow file");
    }
}
