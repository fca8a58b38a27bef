//! What holds for every layer and every rule: the image is the one it would be if the dropped names had never been.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use std::io::Read;
use std::sync::Arc;

use super::find::is_whiteout;
use super::*;
use crate::cancel::Cancel;
use crate::digest::Algorithm;
use crate::layer::tar::{Entry, Kind, Reader, Writer};
use crate::layer::whiteout::Whiteout;
use crate::layer::{Examination, Listed, Workspace};
use crate::limits::Limits;

/// Directories, the root among them, and names in them: few, so that names meet.
const DIRECTORIES: [&str; 4] = ["", "a/", "r/", "a/r/"];
const NAMES: [&str; 4] = ["w", "x", "y", "z"];
const RULES: [&str; 5] = ["/r/**", "/**/x", "/a/?", "/w", "/a/**/y"];

/// What a generated entry is; a link leads to an earlier file of the same layer, if there is one.
#[derive(Clone, Debug)]
enum Made {
    File(u8),
    Link(u8),
    Symlink,
    Directory,
    Whiteout,
    Opaque,
}

/// A layer as engines write it: sorted, each name once, parents first.
fn layer() -> impl Strategy<Value = Vec<Entry>> {
    let made = prop_oneof![
        4 => any::<u8>().prop_map(Made::File),
        5 => any::<u8>().prop_map(Made::Link),
        1 => Just(Made::Symlink),
        1 => Just(Made::Directory),
        2 => Just(Made::Whiteout),
        1 => Just(Made::Opaque),
    ];
    vec((0..DIRECTORIES.len(), 0..NAMES.len(), made), 0..14).prop_map(|all| {
        let mut entries: BTreeMap<String, Made> = BTreeMap::new();
        for (directory, name, made) in all {
            let directory = DIRECTORIES[directory];
            for (end, _) in directory.match_indices('/') {
                entries.insert(directory[..end].to_owned(), Made::Directory);
            }
            let path = match made {
                Made::Whiteout => format!("{directory}.wh.{}", NAMES[name]),
                Made::Opaque => format!("{directory}.wh..wh..opq"),
                _ => format!("{directory}{}", NAMES[name]),
            };
            entries.entry(path).or_insert(made);
        }
        let mut files: Vec<String> = Vec::new();
        let entry = |(path, made): (String, Made)| match made {
            Made::Link(number) if !files.is_empty() => {
                let target = files[usize::from(number) % files.len()].clone().into_bytes();
                files.push(path.clone());
                Entry::new(path, Kind::HardLink { target }, 0o640)
            }
            Made::File(number) | Made::Link(number) => {
                files.push(path.clone());
                Entry::file(path, 0o640, u64::from(number)).at(i64::from(number))
            }
            Made::Symlink => Entry::new(path, Kind::Symlink { target: b"r/x".to_vec() }, 0o777),
            Made::Directory => Entry::directory(format!("{path}/"), 0o755),
            Made::Whiteout | Made::Opaque => Entry::file(path, 0, 0),
        };
        entries.into_iter().map(entry).collect()
    })
}

/// A file's content tells which file it is.
fn content(entry: &Entry) -> Vec<u8> {
    entry.path.iter().copied().cycle().take(entry.size as usize).collect()
}

fn tar(layer: &[Entry]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for entry in layer {
        writer.append(entry, content(entry).as_slice()).unwrap();
    }
    writer.finish().unwrap()
}

fn read(tar: &[u8]) -> Vec<(Vec<u8>, Entry, Vec<u8>)> {
    let limits = Limits::default();
    let mut reader = Reader::new(tar, &limits);
    let mut all = Vec::new();
    while let Some(member) = reader.next().unwrap() {
        let mut content = Vec::new();
        reader.content().read_to_end(&mut content).unwrap();
        all.push((member.key, member.entry, content));
    }
    all
}

/// What stands at a path; names of one file share its number.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Directory,
    Symlink,
    File { number: usize, content: Vec<u8>, mtime: i64 },
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Image {
    nodes: BTreeMap<Vec<u8>, Node>,
    files: usize,
}

impl Image {
    /// Puts a layer upon the image, without the names that `drop` says.
    fn apply(&mut self, layer: &[(Vec<u8>, Entry, Vec<u8>)], drop: impl Fn(&[u8]) -> bool) {
        for (key, ..) in layer {
            let (directory, name) = split(key);
            match Whiteout::parse(name).unwrap() {
                Some(Whiteout::Name(hidden)) => self.remove(&[directory, hidden].concat()),
                Some(Whiteout::Opaque) => {
                    self.nodes.retain(|path, _| !path.starts_with(directory));
                    if let Some(directory) = directory.strip_suffix(b"/") {
                        self.nodes.insert(directory.to_vec(), Node::Directory);
                    }
                }
                None => {}
            }
        }
        let mut of_layer: BTreeMap<Vec<u8>, Node> = BTreeMap::new();
        for (key, entry, content) in layer {
            let node = match &entry.kind {
                _ if is_whiteout(key) => continue,
                Kind::Directory => Node::Directory,
                Kind::Symlink { .. } => Node::Symlink,
                Kind::HardLink { target } => of_layer[target].clone(),
                _ => {
                    self.files += 1;
                    Node::File { number: self.files, content: content.clone(), mtime: entry.mtime }
                }
            };
            of_layer.insert(key.clone(), node);
        }
        for (key, node) in of_layer {
            if matches!(node, Node::File { .. }) && drop(&key) {
                continue;
            }
            if node != Node::Directory {
                self.remove(&key);
            }
            self.nodes.insert(key, node);
        }
    }

    fn remove(&mut self, path: &[u8]) {
        let below = [path, b"/"].concat();
        self.nodes.retain(|other, _| other != path && !other.starts_with(&below));
    }

    /// The same image with files numbered by their first name.
    fn numbered(self) -> BTreeMap<Vec<u8>, Node> {
        let mut numbers = BTreeMap::new();
        let nodes = self.nodes.into_iter().map(|(path, mut node)| {
            if let Node::File { number, .. } = &mut node {
                let next = numbers.len();
                *number = *numbers.entry(*number).or_insert(next);
            }
            (path, node)
        });
        nodes.collect()
    }
}

/// A path's directory, with its slash, and name.
fn split(key: &[u8]) -> (&[u8], &[u8]) {
    key.split_at(key.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1))
}

fn kept(layer: &[(Vec<u8>, Entry, Vec<u8>)]) -> BTreeSet<(Vec<u8>, &'static str)> {
    let is_file = |(key, entry, _): &&(Vec<u8>, Entry, Vec<u8>)| {
        matches!(entry.kind, Kind::File | Kind::HardLink { .. }) && !is_whiteout(key)
    };
    layer.iter().filter(|member| !is_file(member)).map(|(key, entry, _)| (key.clone(), entry.kind.name())).collect()
}

proptest! {
    #[test]
    fn a_scrubbed_image_is_the_one_without_the_dropped_names(
        layers in vec(layer(), 1..4),
        named in vec(0..RULES.len(), 0..3),
    ) {
        let rules: Vec<Rule> = named.iter().map(|&rule| Rule::parse(RULES[rule]).unwrap()).collect();
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let bounds = Bounds { limits: &limits, cancel: &cancel };
        let (mut scrubbed, mut expected) = (Image::default(), Image::default());
        for layer in &layers {
            let bytes = tar(layer);
            let before = read(&bytes);
            let blob = Blob::Bytes(Arc::from(bytes.as_slice()));
            let mut clean = Vec::new();
            scrub_layer(&blob, &rules, bounds).unwrap().open().unwrap().read_to_end(&mut clean).unwrap();
            // Links hold, nothing comes twice or before its directory.
            let workspace = Workspace::default();
            let algorithm = Algorithm::Sha256;
            let how = Examination { workspace: &workspace, limits: &limits, algorithm, listed: Listed::Nothing, contents: None };
            let examined = how.run(&clean, std::io::empty()).unwrap();
            prop_assert!(examined.violations.is_empty(), "{:?}", examined.violations);
            prop_assert_eq!(examined.outer_links.count(), 0);
            let after = read(&clean);
            prop_assert_eq!(kept(&after), kept(&before), "folders, links and whiteouts stay");
            scrubbed.apply(&after, |_| false);
            expected.apply(&before, |key| rules.iter().any(|rule| rule.matches(key)));
            // Once more changes nothing.
            let again = scrub_layer(&Blob::Bytes(Arc::from(clean.as_slice())), &rules, bounds).unwrap();
            let mut twice = Vec::new();
            again.open().unwrap().read_to_end(&mut twice).unwrap();
            prop_assert!(twice == clean);
        }
        prop_assert_eq!(scrubbed.numbered(), expected.numbered());
    }
}
