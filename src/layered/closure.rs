//! Layers made of a reference graph: what most of an image depends on comes first, so that images share it.
//!
//! A path's popularity is that of nixpkgs' `referencesByPopularity`: the sum, over the path and all that depend on it, of
//! the number of ways that lead there from the roots. Numbers grow exponentially with the depth of a graph, and are
//! compared exactly.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::error::LayeredError;
use super::json::{self, Json};
use super::text::Text;
use crate::limits::LimitExceeded;

/// Paths of a graph; the time that it takes grows with their square.
const MOST_PATHS: usize = 16_384;
/// Paths that are looked at together, one a bit.
const TOGETHER: usize = 64;

/// The paths of a reference graph, the most popular first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure(Vec<Text>);

impl Closure {
    /// Reads a graph: a list of objects with `path` and `references`, as `exportReferencesGraph` writes it, or an object of
    /// such by path, as `nix path-info --json` prints it.
    ///
    /// # Errors
    /// Text that is no such JSON, a reference that is not in the graph, paths that refer to each other in a circle, more
    /// paths than are worth the time.
    pub fn read(document: &[u8]) -> Result<Self, LayeredError> {
        let graph = Graph::new(references(&json::read(document).map_err(|error| wrong(format!("is {error}")))?)?)?;
        let popularity = graph.popularity();
        let mut order: Vec<usize> = (0..graph.names.len()).collect();
        order.sort_by_cached_key(|path| (Reverse(popularity[*path].clone()), package_first(&graph.names[*path])));
        Ok(Self(order.into_iter().map(|path| graph.names[path].clone()).collect()))
    }

    /// At most `most` layers: a path each, and what is left in the last one; `except` is in none.
    pub fn layers(self, most: usize, except: &Text) -> Vec<Vec<Text>> {
        let mut paths: Vec<Text> = self.0.into_iter().filter(|path| path != except).collect();
        let rest = paths.split_off(most.saturating_sub(1).min(paths.len()));
        let mut layers: Vec<Vec<Text>> = paths.into_iter().map(|path| vec![path]).collect();
        if !rest.is_empty() {
            layers.push(rest);
        }
        layers
    }
}

fn wrong(what: impl Into<String>) -> LayeredError {
    LayeredError::Closure(what.into())
}

/// What each path refers to.
fn references(graph: &Json) -> Result<BTreeMap<Text, Vec<Text>>, LayeredError> {
    let of = |path: &Text, node: &Json| {
        let found = node.get("references").and_then(Json::texts);
        found.ok_or_else(|| wrong(format!("says of `{}` no `references` that are a list of paths", path.shown())))
    };
    let mut found = BTreeMap::new();
    let mut add = |path: &Text, node: &Json| match found.insert(path.clone(), of(path, node)?) {
        None => Ok(()),
        Some(_) => Err(wrong(format!("lists `{}` twice", path.shown()))),
    };
    match graph {
        Json::List(nodes) => {
            for node in nodes {
                let path = node.get("path").and_then(Json::as_text);
                add(path.ok_or_else(|| wrong("has an item without `path`"))?, node)?;
            }
        }
        Json::Object(members) => members.iter().try_for_each(|(path, node)| add(path, node))?,
        _ => return Err(wrong("is neither a list nor an object")),
    }
    if found.len() > MOST_PATHS {
        let object = format!("reference graph of {} paths", found.len());
        return Err(LimitExceeded { name: "closure-paths", limit: MOST_PATHS as u64, object }.into());
    }
    Ok(found)
}

/// A graph by numbers.
struct Graph {
    names: Vec<Text>,
    /// What each path refers to, itself left out.
    references: Vec<BTreeSet<usize>>,
    /// The paths, each before what it refers to.
    order: Vec<usize>,
}

impl Graph {
    fn new(named: BTreeMap<Text, Vec<Text>>) -> Result<Self, LayeredError> {
        let numbers: BTreeMap<Text, usize> = named.keys().cloned().zip(0..).collect();
        let number = |name: &Text, by: &Text| {
            let found = numbers.get(name).copied();
            found.ok_or_else(|| wrong(format!("does not hold `{}`, to which `{}` refers", name.shown(), by.shown())))
        };
        let mut references: Vec<BTreeSet<usize>> = Vec::with_capacity(named.len());
        for (path, names) in &named {
            let others = names.iter().filter(|name| *name != path);
            references.push(others.map(|name| number(name, path)).collect::<Result<_, _>>()?);
        }
        let names: Vec<Text> = named.into_keys().collect();
        let mut dependents = vec![0_usize; names.len()];
        references.iter().flatten().for_each(|to| dependents[*to] += 1);
        let mut order: Vec<usize> = (0..names.len()).filter(|path| dependents[*path] == 0).collect();
        let mut at = 0;
        while let Some(path) = order.get(at).copied() {
            at += 1;
            for to in &references[path] {
                dependents[*to] -= 1;
                if dependents[*to] == 0 {
                    order.push(*to);
                }
            }
        }
        if let Some(path) = (0..names.len()).find(|path| dependents[*path] > 0) {
            return Err(wrong(format!("leads from `{}` in a circle", names[path].shown())));
        }
        Ok(Self { names, references, order })
    }

    fn popularity(&self) -> Vec<Count> {
        let mut ways = vec![Count::default(); self.names.len()];
        for path in &self.order {
            // A root, which nothing has added to, is there in one way.
            if ways[*path] == Count::default() {
                ways[*path] = Count(vec![1]);
            }
            let from_here = ways[*path].clone();
            self.references[*path].iter().for_each(|to| ways[*to].add(&from_here));
        }
        let mut popularity = vec![Count::default(); self.names.len()];
        for first in (0..self.names.len()).step_by(TOGETHER) {
            // Which of these paths each path depends on, or is.
            let mut reached = vec![0_u64; self.names.len()];
            for path in self.order.iter().rev() {
                let below = self.references[*path].iter().fold(0, |below, to| below | reached[*to]);
                let itself = path.checked_sub(first).filter(|bit| *bit < TOGETHER).map_or(0, |bit| 1 << bit);
                reached[*path] = below | itself;
                let mut bits = reached[*path];
                while bits != 0 {
                    popularity[first + bits.trailing_zeros() as usize].add(&ways[*path]);
                    bits &= bits - 1;
                }
            }
        }
        popularity
    }
}

/// A number of any size: 64 bits each, the lowest first, the last one not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count(Vec<u64>);

impl Count {
    fn add(&mut self, other: &Self) {
        let mut carry = false;
        let length = self.0.len().max(other.0.len());
        self.0.resize(length, 0);
        for (at, word) in self.0.iter_mut().enumerate() {
            let other = other.0.get(at).copied().unwrap_or_default();
            let (sum, first) = word.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(carry.into());
            (*word, carry) = (sum, first || second);
        }
        if carry {
            self.0.push(1);
        }
    }
}

impl Ord for Count {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Count {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A path with what stands before its first `-` (the store and the hash) put behind everything else.
fn package_first(path: &Text) -> Vec<u32> {
    let points = path.code_points();
    let dash = u32::from('-');
    match points.iter().position(|point| *point == dash) {
        Some(at) => [&points[at + 1..], &[dash], &points[..at]].concat(),
        None => points.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closure(nodes: &[(&str, &[&str])]) -> Result<Closure, LayeredError> {
        let node = |(path, references): &(&str, &[&str])| serde_json::json!({ "path": path, "references": references });
        let list: Vec<_> = nodes.iter().map(node).collect();
        let by_path: serde_json::Map<_, _> = nodes.iter().map(|item| (item.0.to_owned(), node(item))).collect();
        let found = Closure::read(serde_json::Value::from(list).to_string().as_bytes());
        if let Ok(found) = &found {
            let other = Closure::read(serde_json::Value::from(by_path).to_string().as_bytes()).expect("an object");
            assert_eq!(&other, found);
        }
        found
    }

    fn order(nodes: &[(&str, &[&str])]) -> Vec<String> {
        closure(nodes).expect("a closure").0.iter().filter_map(Text::utf8).collect()
    }

    #[test]
    fn what_more_ways_lead_to_comes_first() {
        // A: 1, B: 2, C: 3, D: 4, E: 5, F: 9, G: 2.
        let graph: [(&str, &[&str]); 7] = [
            ("A", &["A", "B", "G"]),
            ("B", &["C", "E"]),
            ("C", &["D", "E"]),
            ("D", &["F", "F"]),
            ("E", &["F"]),
            ("F", &[]),
            ("G", &[]),
        ];
        assert_eq!(order(&graph), ["F", "E", "D", "C", "B", "G", "A"]);
    }

    #[test]
    fn equally_popular_paths_are_ordered_by_package_and_then_by_hash() {
        let graph: [(&str, &[&str]); 4] = [("/s/2-a", &[]), ("/s/1-b", &[]), ("/s/1-a", &[]), ("/s/x", &[])];
        assert_eq!(order(&graph), ["/s/x", "/s/1-a", "/s/2-a", "/s/1-b"]);
    }

    #[test]
    fn numbers_beyond_a_machine_s_are_compared_exactly() {
        // Each step doubles the ways; the two last paths differ by one.
        let name = |step: usize, side: &str| format!("{step:03}{side}");
        let mut nodes: Vec<(String, Vec<String>)> = Vec::new();
        for step in 0..80 {
            for side in ["a", "b"] {
                nodes.push((name(step, side), vec![name(step + 1, "a"), name(step + 1, "b")]));
            }
        }
        nodes.push((name(80, "a"), vec!["one".to_owned(), "two".to_owned()]));
        nodes.push((name(80, "b"), vec!["one".to_owned(), "two".to_owned()]));
        nodes.extend([
            ("one".to_owned(), vec![]),
            ("two".to_owned(), vec![]),
            ("z".to_owned(), vec!["two".to_owned()]),
        ]);
        let borrowed: Vec<(&str, Vec<&str>)> =
            nodes.iter().map(|(path, to)| (path.as_str(), to.iter().map(String::as_str).collect())).collect();
        let graph: Vec<(&str, &[&str])> = borrowed.iter().map(|(path, to)| (*path, to.as_slice())).collect();
        assert_eq!(order(&graph)[..2], ["two", "one"]);
    }

    #[test]
    fn the_last_layer_takes_what_is_left() {
        let graph: [(&str, &[&str]); 4] = [("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])];
        for (most, want) in [(1, vec![3]), (2, vec![1, 2]), (3, vec![1, 1, 1]), (9, vec![1, 1, 1])] {
            let layers = closure(&graph).expect("a closure").layers(most, &"b".into());
            assert_eq!(layers.iter().map(Vec::len).collect::<Vec<_>>(), want, "{most}");
        }
    }

    #[test]
    fn a_graph_that_is_none_is_refused() {
        let circle: [(&str, &[&str]); 2] = [("a", &["b"]), ("b", &["a"])];
        assert_eq!(
            closure(&circle).expect_err("a circle").to_string(),
            "the reference graph leads from `a` in a circle"
        );
        let open: [(&str, &[&str]); 1] = [("a", &["b"])];
        let want = "the reference graph does not hold `b`, to which `a` refers";
        assert_eq!(closure(&open).expect_err("an open graph").to_string(), want);
        for text in ["1", "[1]", r#"[{"path": "a"}]"#, r#"{"a": {"references": [1]}}"#, r#"{"a": null}"#, "["] {
            assert!(Closure::read(text.as_bytes()).is_err(), "{text}");
        }
        let twice = r#"[{"path": "a", "references": []}, {"path": "a", "references": []}]"#;
        let error = Closure::read(twice.as_bytes()).expect_err("twice");
        assert_eq!(error.to_string(), "the reference graph lists `a` twice");
    }
}
