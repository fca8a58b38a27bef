//! Why two images of one platform differ: manifest, config, history, layers, paths, contents.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::contents::{self, File};
use super::difference::{Difference, DifferenceLevel};
use super::entry::Context;
use super::packages::{self, Owners};
use super::{config, entry, history, manifest, one_sided};
use crate::bounds::Bounds;
use crate::compare::layers::{KnownRun, PairDifference, PathDifference, Run, Table, Unlike, compare_run, runs};
use crate::compare::{Aspect, Document, Side};
use crate::digest::{AnyDigest, Digest};
use crate::image::time::Time;
use crate::image::validate::{ImageFacts, LayerFacts};

/// Two images of one platform.
pub struct ImagePair<'a> {
    /// What holds them.
    pub sides: [&'a Side<'a>; 2],
    /// The images, by their places in what holds them.
    pub images: [usize; 2],
    /// Contents that were kept when their layers were read.
    pub unlike: &'a Unlike,
    /// Compare what is to be seen in the end, not layer by layer.
    pub is_merged: bool,
}

/// The layers that have to be read before two images can be explained, by the members that hold them.
pub fn layers_to_read(sides: [&Side<'_>; 2], images: [usize; 2], is_merged: bool) -> [BTreeSet<Vec<u8>>; 2] {
    let [first, second] = [0, 1].map(|side| &sides[side].closure.images[images[side]]);
    if first.manifest.is_some() && first.manifest == second.manifest {
        return [BTreeSet::new(), BTreeSet::new()];
    }
    let (anchors, found) = runs(&ids(first), &ids(second));
    let mut wanted = [BTreeSet::new(), BTreeSet::new()];
    let mut want = |side: usize, layer: &LayerFacts| {
        wanted[side].insert(layer.member.clone());
    };
    for (one, other) in anchors {
        let (one, other) = (&first.layers[one], &second.layers[other]);
        // Nothing but its bytes says that a layer is what its diff ID claims, unless both sides name the same blob.
        if one.digest.is_none() || one.digest != other.digest {
            want(0, one);
            want(1, other);
        }
    }
    let changed = |run: &Run| [run.first.clone(), run.second.clone()];
    for (side, image) in [first, second].into_iter().enumerate() {
        let from = found.iter().map(|run| changed(run)[side].start).min();
        for run in &found {
            changed(run)[side].clone().for_each(|place| want(side, &image.layers[place]));
        }
        if let (true, Some(from)) = (is_merged, from) {
            image.layers[from..].iter().for_each(|layer| want(side, layer));
        }
    }
    wanted
}

/// What layers are known by.
fn ids(image: &ImageFacts) -> Vec<(Option<AnyDigest>, Option<AnyDigest>)> {
    let id = |layer: &LayerFacts| match layer.diff_id {
        Some(diff_id) => (Some(diff_id), None),
        None => (None, layer.digest),
    };
    image.layers.iter().map(id).collect()
}

impl ImagePair<'_> {
    /// Why the two images differ; nothing if they are the same. Their layers were read.
    ///
    /// # Errors
    /// When something can't be read, a limit is lower, or work should stop. `lower` reads the layers below a place.
    pub fn explain(
        &self,
        bounds: Bounds<'_>,
        lower: &mut dyn FnMut(usize) -> io::Result<Vec<Table>>,
    ) -> io::Result<Vec<Difference>> {
        let [first, second] = [0, 1].map(|side| self.image(side));
        if first.manifest.is_some() && first.manifest == second.manifest {
            return Ok(Vec::new());
        }
        let documents = |side: usize| -> io::Result<(Option<Document>, Option<Document>)> {
            Ok((self.sides[side].manifest(self.image(side))?, self.sides[side].config(self.image(side))?))
        };
        let ((one_manifest, one_config), (other_manifest, other_config)) = (documents(0)?, documents(1)?);
        let (anchors, changed) = runs(&ids(first), &ids(second));
        let histories = [&one_config, &other_config].map(|config| match config {
            Some(config) => history::items(&config.value),
            None => Vec::new(),
        });
        let instructions = histories.each_ref().map(|items| history::instructions(items));
        let epochs = [&one_config, &other_config].map(created);
        let mut found = manifest::explain([one_manifest.as_ref(), other_manifest.as_ref()], &anchors);
        let layers = self.layers(changed.clone(), &instructions, epochs, bounds, lower)?;
        if let (Some(one), Some(other)) = (&one_config, &other_config) {
            let is_other_engine = config::is_other_engine(&one.value, &other.value);
            let is_shifted = epochs[0] != epochs[1] && layers.iter().any(|found| found.cause.code == "C005");
            let context = config::Context { is_shifted, is_other_engine };
            found.extend(config::explain(one, other, context));
            let runs_alike = |name: &str| {
                let member =
                    |config: &Document| config.value.get("config").and_then(|config| config.get(name)).cloned();
                member(one) == member(other)
            };
            let context = history::Context {
                anchors: &anchors,
                runs_alike: &runs_alike,
                is_divided: layers.iter().any(|found| found.cause.code == "C019"),
                is_other_engine,
                is_shifted,
            };
            found.extend(history::explain(&histories[0], &histories[1], &context));
        }
        found.extend(layers);
        if found.is_empty() && is_other(&one_manifest, &other_manifest) {
            // Only documents that say the same are another form of each other.
            let code = if changed.is_empty() { "C017" } else { "C120" };
            found.push(Difference::proven(code, DifferenceLevel::Manifest));
        }
        Ok(found)
    }

    fn image(&self, side: usize) -> &ImageFacts {
        &self.sides[side].closure.images[self.images[side]]
    }

    fn layers(
        &self,
        changed: Vec<Run>,
        instructions: &[Vec<String>; 2],
        epochs: [Option<i64>; 2],
        bounds: Bounds<'_>,
        lower: &mut dyn FnMut(usize) -> io::Result<Vec<Table>>,
    ) -> io::Result<Vec<Difference>> {
        let mut found = Vec::new();
        let mut owners = Owners::new();
        for run in self.merged(changed) {
            let mut left = bounds.limits.compare_entries;
            let mut read = |side: usize, places: std::ops::Range<usize>| {
                let layers = self.image(side).layers[places].iter();
                layers.map(|layer| self.sides[side].table(layer, &mut left, bounds)).collect::<io::Result<Vec<Table>>>()
            };
            let tables = [read(0, run.first.clone())?, read(1, run.second.clone())?];
            let known = KnownRun {
                run: run.clone(),
                tables,
                instructions: [&instructions[0], &instructions[1]],
                is_merged: self.is_merged,
            };
            let difference = compare_run(&known, || lower(run.first.start))?;
            if difference.is_divided {
                found.push(divided(&run));
            }
            for pair in difference.pairs {
                self.pair(&pair, &known, epochs, bounds, (&mut found, &mut owners))?;
            }
        }
        packages::own(&mut found, &owners);
        Ok(found)
    }

    /// The runs; as one from the first difference on where only what is to be seen counts.
    fn merged(&self, changed: Vec<Run>) -> Vec<Run> {
        match changed.first() {
            Some(first) if self.is_merged => vec![Run {
                first: first.first.start..self.image(0).layers.len(),
                second: first.second.start..self.image(1).layers.len(),
            }],
            _ => changed,
        }
    }

    fn pair(
        &self,
        pair: &PairDifference,
        known: &KnownRun<'_>,
        epochs: [Option<i64>; 2],
        bounds: Bounds<'_>,
        (found, owners): (&mut Vec<Difference>, &mut Owners),
    ) -> io::Result<()> {
        let place = pair.places[0].or(pair.places[1]);
        let layer = |code| {
            let difference = Difference::proven(code, DifferenceLevel::Layer);
            place.map_or_else(|| Difference::proven(code, DifferenceLevel::Layer), |place| difference.in_layer(place))
        };
        if pair.is_reordered {
            found.push(layer("C034"));
        }
        if pair.is_reencoded {
            found.push(layer("C048"));
        }
        let mut contexts: BTreeMap<(usize, usize), Context> = BTreeMap::new();
        let random = one_sided::random_names(&pair.paths);
        let others: BTreeSet<usize> = random.values().copied().collect();
        let mut files = Vec::new();
        // What is said of a file on one side where nothing is special about its bytes.
        let mut fallbacks = Vec::new();
        for (at, path) in pair.paths.iter().enumerate() {
            let [one, other] = &path.sides;
            let (side, (place, entry)) = match (one, other) {
                (Some(one), _) => (0, one),
                (None, Some(other)) => (1, other),
                (None, None) => continue,
            };
            let instruction = known.instructions[side].get(*place).cloned().unwrap_or_default();
            let context =
                contexts.entry((side, *place)).or_insert_with(|| Context::of(&instruction, epochs, &pair.paths));
            if let (Some((one_place, one)), Some((_, other))) = (one, other) {
                found.extend(entry::explain(&path.path, *one_place, one, other, context));
                if one.aspects(other).contains(&Aspect::Content) {
                    files.push(file(path, known, instruction));
                    fallbacks.push(None);
                }
            } else if let Some(other) = random.get(&at) {
                let names = (Some(shown(&path.path)), Some(shown(&pair.paths[*other].path)));
                let difference = Difference::proven("C050", DifferenceLevel::Entry).between(names.0, names.1);
                found.push(difference.at(*place, &path.path, &[]));
            } else if !others.contains(&at) {
                let difference = one_sided::explain(&path.path, *place, entry, side == 0);
                if difference.cause.code == "C056" && entry.is_file() {
                    files.push(file(path, known, instruction));
                    fallbacks.push(Some(difference));
                } else {
                    found.push(difference);
                }
            }
        }
        let layers = [0, 1].map(|side| self.image(side).layers.as_slice());
        let lists = [0, 1].map(|side| lists(&pair.paths, known, side));
        let explained = contents::explain(&files, &lists, owners, (self.sides, self.unlike), layers, bounds)?;
        for (reasons, fallback) in explained.into_iter().zip(fallbacks) {
            match fallback {
                Some(fallback) if reasons.is_empty() => found.push(fallback),
                _ => found.extend(reasons),
            }
        }
        Ok(())
    }
}

/// The lists of files of packages that one side has in the run, where a database of packages differs.
fn lists(paths: &[PathDifference], known: &KnownRun<'_>, side: usize) -> Vec<(usize, Vec<u8>, Digest)> {
    let start = if side == 0 { known.run.first.start } else { known.run.second.start };
    let mut found = Vec::new();
    if !paths.iter().any(|found| packages::has_lists(&found.path)) {
        return found;
    }
    for (place, table) in known.tables[side].iter().enumerate() {
        for path in packages::lists(table) {
            let content = table.entries.get(&path).and_then(|entry| entry.content);
            found.extend(content.map(|content| (start + place, path, content.digest)));
        }
    }
    found
}

/// The file that is to be looked into at a path.
fn file(path: &PathDifference, known: &KnownRun<'_>, instruction: String) -> File {
    let starts = [known.run.first.start, known.run.second.start];
    let holder = |side: usize| {
        let (place, entry) = path.sides[side].as_ref()?;
        let table = place.checked_sub(starts[side]).and_then(|at| known.tables[side].get(at));
        // What lower layers have is its own holder; what they link to is not looked for.
        let holder = match table {
            Some(table) => table.holder(&path.path)?,
            None if entry.is_file() => path.path.clone(),
            None => return None,
        };
        Some((*place, holder, entry.clone()))
    };
    let place = path.sides.iter().flatten().map(|(place, _)| *place).next().unwrap_or_default();
    let is_pair = path.sides.iter().all(Option::is_some);
    File { path: path.path.clone(), place, sides: [holder(0), holder(1)], is_pair, instruction }
}

fn divided(run: &Run) -> Difference {
    let shown = |places: &std::ops::Range<usize>| match places.len() {
        0 => "no layer".to_owned(),
        1 => format!("layer {}", places.start + 1),
        _ => format!("layers {} to {}", places.start + 1, places.end),
    };
    let difference = Difference::proven("C019", DifferenceLevel::Layer);
    let place = if run.first.is_empty() { run.second.start } else { run.first.start };
    difference.in_layer(place).between(Some(shown(&run.first)), Some(shown(&run.second)))
}

fn created(config: &Option<Document>) -> Option<i64> {
    let text = config.as_ref()?.value.get("created")?.as_str()?;
    text.parse::<Time>().ok().map(|time| time.seconds())
}

fn is_other(one: &Option<Document>, other: &Option<Document>) -> bool {
    one.as_ref().map(|document| &document.bytes) != other.as_ref().map(|document| &document.bytes)
}

fn shown(path: &[u8]) -> String {
    crate::escape::bytes(path)
}
