//! Two builds of one plan: whether they are equal, which paths differ, and what would fix each.
//!
//! Scrub profiles are not guessed at: every profile that names a differing path is applied to both builds' layers, and
//! only one that made a difference go away is proposed. What is left gets what its causes have for it.

use std::collections::BTreeMap;
use std::io;

use super::causes::{self, Cause};
use super::differences::Difference;
use super::fix::{Fix, profile_of};
use crate::bounds::Bounds;
use crate::build::{AssembledPlatform, Blob, scrub_layer};
use crate::compare::{
    EntriesDifference, Facts, ImageDifference, LayerDifference, Level, PathDifference, compare, compare_entries,
};
use crate::digest::{DiffId, Hashing};
use crate::image::Config;
use crate::image::document::View;
use crate::limits::Limits;
use crate::scrub::Rule;

const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What two builds of one plan say about it.
#[derive(Clone, Debug)]
pub struct SelfCheck {
    /// What the second build gave.
    pub second: Facts,
    /// The level that differs; none if the builds are equal bit for bit.
    pub level: Option<Level>,
    /// The layers that differ, as far as they could be read.
    pub layers: Vec<ExplainedLayer>,
    /// Scrub profiles that made differences go away, by name, sorted.
    pub profiles: Vec<&'static str>,
    /// With these profiles both builds are equal bit for bit.
    pub is_fixed: bool,
}

/// One layer that two builds do not have in the same way.
#[derive(Clone, Debug)]
pub struct ExplainedLayer {
    /// The layer, with its entries.
    pub difference: LayerDifference,
    /// What made it, as the config's history words it; not safe to print.
    pub created_by: String,
    /// Differing paths with their fixes: first what no scrub profile fixes, then the others; each part sorted. Of the
    /// many only the first ones.
    pub paths: Vec<ExplainedPath>,
}

/// One path that two builds do not have in the same way.
#[derive(Clone, Debug)]
pub struct ExplainedPath {
    /// Relative to the image's root.
    pub path: Vec<u8>,
    /// How it differs.
    pub difference: PathDifference,
    /// Why it differs, the worst first.
    pub causes: Vec<&'static Cause>,
    /// What would fix it, best first.
    pub fixes: Vec<Fix>,
}

/// What is known of both builds.
pub struct Known<'a> {
    /// Why they differ, the worst first.
    pub differences: &'a [Difference],
    /// The rules that both were scrubbed by.
    pub given: &'a [Rule],
    /// Whether RUN of both saw the epoch.
    pub sees_epoch: bool,
}

/// Holds two builds of one plan against each other, whose directories must still be there.
///
/// # Errors
/// When a layer can't be read.
pub fn self_check(
    first: &AssembledPlatform,
    second: &AssembledPlatform,
    known: &Known<'_>,
    bounds: Bounds<'_>,
) -> io::Result<SelfCheck> {
    let (one, other) = (first.facts(), second.facts());
    let difference = compare(&one, &other);
    let mut check = SelfCheck {
        second: other,
        level: difference.as_ref().map(ImageDifference::level),
        layers: Vec::new(),
        profiles: Vec::new(),
        is_fixed: true,
    };
    let Some(difference) = difference else { return Ok(check) };
    check.is_fixed = !difference.layers.is_empty();
    let instructions = instructions(&first.config, bounds.limits);
    for layer in difference.layers {
        let at = layer.number - 1;
        let tar = |build: &'_ AssembledPlatform| build.layers.get(at).and_then(|layer| layer.tar.clone());
        let (Some(one), Some(other)) = (tar(first), tar(second)) else {
            check.is_fixed = false;
            continue;
        };
        let found = Pair { tars: [&one, &other], bounds }.search(known.given)?;
        check.is_fixed &= found.is_fixed;
        check.profiles.extend(found.useful());
        let created_by = instructions.get(at).cloned().unwrap_or_default();
        check.layers.push(found.explain(layer, created_by, known));
    }
    check.profiles.sort_unstable();
    check.profiles.dedup();
    Ok(check)
}

/// What made each layer, as the config's history words it.
fn instructions(config: &[u8], limits: &Limits) -> Vec<String> {
    let Ok(config) = Config::parse(config, limits) else { return Vec::new() };
    let with_layer = config.history.iter().filter(|item| !item.empty_layer);
    with_layer.map(|item| String::from_utf8_lossy(&item.created_by).into_owned()).collect()
}

/// The same layer of two builds.
struct Pair<'a> {
    tars: [&'a Blob; 2],
    bounds: Bounds<'a>,
}

/// What applying profiles to both layers showed.
struct Found {
    before: EntriesDifference,
    /// Paths that were seen differing, each with the profile that was tried for it.
    tried: BTreeMap<Vec<u8>, &'static str>,
    after: EntriesDifference,
    is_fixed: bool,
}

impl Pair<'_> {
    /// Applies profiles to both layers until none is left that names a differing path.
    fn search(&self, given: &[Rule]) -> io::Result<Found> {
        let before = self.compare([self.tars[0].clone(), self.tars[1].clone()])?;
        let mut rules: Vec<Rule> = Vec::new();
        let mut found = Found { after: before.clone(), before, tried: BTreeMap::new(), is_fixed: false };
        loop {
            let known = rules.len();
            for (path, difference) in &found.after.paths {
                let Some((profile, rule)) = profile_of(path).filter(|_| difference.is_file) else { continue };
                if given.iter().any(|given| given.name() == rule.name()) {
                    continue;
                }
                found.tried.insert(path.clone(), profile.name);
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
            if rules.len() == known {
                return Ok(found);
            }
            let [one, other] = self.tars.map(|tar| scrub_layer(tar, &rules, self.bounds));
            let clean = [one?, other?];
            found.after = self.compare(clean.clone())?;
            let [one, other] = clean.map(|tar| diff_id(&tar));
            found.is_fixed = one? == other?;
        }
    }

    fn compare(&self, [one, other]: [Blob; 2]) -> io::Result<EntriesDifference> {
        compare_entries(|| one.open(), || other.open(), self.bounds.limits, self.bounds.cancel)
    }
}

impl Found {
    /// The profile that made the difference at `path` go away.
    fn profile(&self, path: &[u8]) -> Option<&'static str> {
        self.tried.get(path).copied().filter(|_| !self.after.paths.contains_key(path))
    }

    fn useful(&self) -> Vec<&'static str> {
        self.tried.keys().filter_map(|path| self.profile(path)).collect()
    }

    fn explain(self, difference: LayerDifference, created_by: String, known: &Known<'_>) -> ExplainedLayer {
        let of_path = known.of_paths(difference.number);
        let explained = |path: &Vec<u8>, difference: &PathDifference, profile: Option<&'static str>| {
            let found = of_path.get(path.as_slice()).map(Vec::as_slice).unwrap_or_default();
            let mut causes: Vec<&'static Cause> = found.iter().map(|difference| difference.cause).collect();
            causes.dedup_by_key(|cause| cause.code);
            let fixes = match profile {
                Some(profile) => vec![Fix::Scrub(profile)],
                None => known.fixes(found),
            };
            ExplainedPath { path: path.clone(), difference: difference.clone(), causes, fixes }
        };
        let left = self.after.paths.iter().map(|(path, difference)| explained(path, difference, None));
        let mut paths: Vec<ExplainedPath> = left.collect();
        for (path, difference) in &self.before.paths {
            if let Some(profile) = self.profile(path) {
                paths.push(explained(path, difference, Some(profile)));
            }
        }
        let difference = LayerDifference { entries: Some(self.before), ..difference };
        ExplainedLayer { difference, created_by, paths }
    }
}

impl Known<'_> {
    /// The differences of a layer by their paths.
    fn of_paths(&self, layer: usize) -> BTreeMap<&[u8], Vec<&Difference>> {
        let mut of_paths: BTreeMap<&[u8], Vec<&Difference>> = BTreeMap::new();
        for difference in self.differences.iter().filter(|difference| difference.layer == Some(layer)) {
            if let Some(path) = &difference.path {
                of_paths.entry(path).or_default().push(difference);
            }
        }
        of_paths
    }

    /// What may fix a path that no scrub profile fixes, by the causes of its differences.
    fn fixes(&self, differences: &[&Difference]) -> Vec<Fix> {
        // Profiles were tried, and what is there already does not help.
        let is_useful = |fix: &Fix| match fix {
            Fix::Scrub(_) => false,
            Fix::RunEnv { name, .. } => !(self.sees_epoch && *name == EPOCH),
            Fix::Dockerfile(_) => true,
        };
        let of_cause = |difference: &&Difference| {
            difference.fix().filter(is_useful).unwrap_or(Fix::Dockerfile(difference.cause.help))
        };
        let mut fixes: Vec<Fix> = Vec::new();
        for fix in differences.iter().map(of_cause) {
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        if fixes.is_empty() {
            fixes.push(Fix::Dockerfile(causes::of("C120").help));
        }
        fixes
    }
}

fn diff_id(tar: &Blob) -> io::Result<DiffId> {
    let mut reader = Hashing::new(tar.open()?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.into_parts().1.diff_id())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::build::AssembledLayer;
    use crate::cancel::Cancel;
    use crate::digest::Digest;
    use crate::image::Descriptor;
    use crate::image::config::HistoryItem;
    use crate::layer::tar::{Entry, Writer};
    use crate::platform::Platform;

    /// An image of these layers, each of files `name=content`.
    fn image(layers: &[&[&str]]) -> AssembledPlatform {
        let layers = layers.iter().map(|files| {
            let mut writer = Writer::new(Vec::new());
            for file in *files {
                let (name, content) = file.split_once('=').unwrap();
                writer.append(&Entry::file(name, 0o644, content.len() as u64), content.as_bytes()).unwrap();
            }
            let tar = writer.finish().unwrap();
            let descriptor = Descriptor::of("layer", &tar);
            let diff_id = DiffId::of(&tar);
            AssembledLayer { descriptor, diff_id, blob: None, tar: Some(Blob::Bytes(Arc::from(tar))) }
        });
        let layers: Vec<_> = layers.collect();
        let manifest: String = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        let item = |created_by: &str, empty_layer| HistoryItem {
            created_by: created_by.as_bytes().to_vec(),
            empty_layer,
            ..HistoryItem::default()
        };
        let config = Config {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            history: [item("RUN one", false), item("ENV", true), item("RUN two", false)][..layers.len() * 2 - 1]
                .to_vec(),
            diff_ids: layers.iter().map(|layer| layer.diff_id).collect(),
            ..Config::default()
        };
        AssembledPlatform {
            platform: "linux/amd64".parse::<Platform>().unwrap(),
            descriptor: Descriptor::new("manifest", Digest::of(manifest.as_bytes()), 1),
            manifest: manifest.into_bytes(),
            config: config.to_bytes(),
            layers,
            scrubbed: Vec::new(),
        }
    }

    fn check(first: &[&[&str]], second: &[&[&str]], given: &[&str]) -> SelfCheck {
        let given: Vec<Rule> = given.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let known = Known { differences: &[], given: &given, sees_epoch: false };
        self_check(&image(first), &image(second), &known, Bounds { limits: &limits, cancel: &cancel }).unwrap()
    }

    fn told(check: &SelfCheck) -> Vec<String> {
        let line = |layer: &ExplainedLayer, path: &ExplainedPath| {
            let (number, created_by) = (layer.difference.number, &layer.created_by);
            let profile = match path.fixes[..] {
                [Fix::Scrub(profile)] => profile,
                _ => "no profile",
            };
            let (name, presence) = (String::from_utf8_lossy(&path.path), path.difference.presence);
            format!("{number} {created_by}: {name} {presence:?}: {profile}")
        };
        check.layers.iter().flat_map(|layer| layer.paths.iter().map(move |path| line(layer, path))).collect()
    }

    #[test]
    fn equal_builds_are_reproducible() {
        let check = check(&[&["a=1"]], &[&["a=1"]], &[]);
        assert_eq!((check.level, check.layers.len(), check.is_fixed), (None, 0, true));
    }

    #[test]
    fn profiles_that_make_both_builds_equal_are_proposed() {
        let first: &[&[&str]] = &[&["a=1"], &["root/.npm/_logs/1=x", "var/log/dpkg.log=1", "x=1"]];
        let second: &[&[&str]] = &[&["a=1"], &["root/.npm/_logs/2=y", "var/log/dpkg.log=2", "x=1"]];
        let check = check(first, second, &[]);
        assert_eq!(check.level, Some(Level::Layer(2)));
        assert_eq!((check.profiles.clone(), check.is_fixed), (vec!["dpkg-log", "npm-log"], true));
        assert_eq!(
            told(&check),
            [
                "2 RUN two: root/.npm/_logs/1 First: npm-log",
                "2 RUN two: root/.npm/_logs/2 Second: npm-log",
                "2 RUN two: var/log/dpkg.log Both: dpkg-log",
            ]
        );
    }

    #[test]
    fn what_no_profile_fixes_comes_first_with_a_hint() {
        let first: &[&[&str]] = &[&["etc/shadow=a:x:1:", "stamp=1"], &["var/log/apk.log=1"]];
        let second: &[&[&str]] = &[&["etc/shadow=a:y:1:", "stamp=2"], &["var/log/apk.log=2"]];
        let check = check(first, second, &[]);
        assert_eq!((check.profiles.clone(), check.is_fixed), (vec!["apk-log"], false));
        assert_eq!(
            told(&check),
            [
                "1 RUN one: etc/shadow Both: no profile",
                "1 RUN one: stamp Both: no profile",
                "2 RUN two: var/log/apk.log Both: apk-log",
            ]
        );
        assert!(check.layers[0].paths.iter().all(|path| !path.fixes.is_empty()));
    }

    #[test]
    fn a_profile_is_proposed_only_if_it_helps_and_is_not_there_yet() {
        let day = check(&[&["etc/shadow=a:x:19999:"]], &[&["etc/shadow=a:x:20000:"]], &[]);
        assert_eq!((day.profiles.clone(), day.is_fixed), (vec!["shadow-day"], true));
        // A rule that was applied already and did not help is not proposed again.
        let check = check(&[&["var/log/dpkg.log=1"]], &[&["var/log/dpkg.log=2"]], &["dpkg-log"]);
        assert_eq!((check.profiles.len(), check.is_fixed), (0, false));
    }

    #[test]
    fn another_order_of_entries_and_another_number_of_layers_are_told_as_such() {
        let order = check(&[&["a=1", "b=1"]], &[&["b=1", "a=1"]], &[]);
        assert_eq!((order.layers[0].difference.entries.as_ref().unwrap().count, order.is_fixed), (0, false));
        let number = check(&[&["a=1"]], &[&["a=1"], &["b=1"]], &[]);
        assert_eq!((number.level, number.layers.len(), number.is_fixed), (Some(Level::Layer(2)), 0, false));
    }
}
