//! Why two images differ: both are read, paired by platform, and explained.
//!
//! [`diff()`] takes two places as they were typed: `read` makes sides of them, of which a registry's blobs are fetched when
//! they are asked for, and `compare` explains what is not equal. `built` makes a side of an image that was just built,
//! for a verdict that has to be explained and for the self-check. A record is no side: `recorded` compares its digests.

mod built;
mod compare;
mod error;
mod pairs;
mod read;
mod recorded;

use std::path::{Path, PathBuf};

pub(super) use built::built;
pub(super) use compare::{Asked, compare};
pub(super) use read::read;

use super::files::{read_file, read_text};
use super::machine::Machine;
use crate::bounds::Bounds;
use crate::dockerfile::parse;
use crate::escape;
use crate::explain::{Difference, IgnoreRule, IgnoreRules, Instructions, find_lines};
use crate::image::validate::ImageFacts;
use crate::platform::Platform;
use crate::source::{Bare, Place};
use crate::status::{Failure, Status};

/// What is compared.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Where the two images are, as they were typed; `lock:IMAGE` is what the record of this project says of it.
    pub places: [PathBuf; 2],
    /// The only platform that counts.
    pub platform: Option<Platform>,
    /// Compare what is to be seen in the end, not layer by layer.
    pub is_merged: bool,
    /// The file of rules that say which differences are expected.
    pub ignore: Option<PathBuf>,
    /// The Dockerfile that made them.
    pub dockerfile: Option<PathBuf>,
}

/// Two places, side by side.
pub struct Diff {
    /// The two places as they were typed, safe to print.
    pub places: [String; 2],
    /// How what lists the images differs.
    pub index: Vec<Difference>,
    /// The images, by platform.
    pub platforms: Vec<PlatformDiff>,
    /// The rules that say which differences are expected, with how many each named.
    pub rules: Vec<IgnoreRule>,
    /// What is wrong with either side; then nothing was compared.
    pub failures: Vec<Failure>,
}

/// The images of one platform, side by side.
pub struct PlatformDiff {
    /// The platform as it is written; `unknown` where the image names none.
    pub platform: String,
    /// What it comes to.
    pub verdict: DiffVerdict,
    /// The images; none where a side has none for this platform.
    pub images: [Option<ImageFacts>; 2],
    /// How they differ, the worst first.
    pub differences: Vec<Difference>,
    /// How many layers were not read, because both sides name the same blob.
    pub unread_layers: usize,
}

/// What comparing two images comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffVerdict {
    /// The same digests.
    Same,
    /// The same content in another packaging.
    Packaging,
    /// Other content.
    Differs,
    /// Only one side has the platform.
    Missing,
}

impl PlatformDiff {
    /// Images that are the same.
    pub(super) fn same(platform: String) -> Self {
        let verdict = DiffVerdict::Same;
        Self { platform, verdict, images: [None, None], differences: Vec::new(), unread_layers: 0 }
    }
}

impl Diff {
    /// Two places of which nothing is known yet.
    pub(super) fn of(places: [String; 2]) -> Self {
        Self { places, index: Vec::new(), platforms: Vec::new(), rules: Vec::new(), failures: Vec::new() }
    }

    /// What the comparison comes to.
    pub fn status(&self) -> Status {
        let of_platforms = self.platforms.iter().flat_map(|platform| &platform.differences);
        let mut differences = self.index.iter().chain(of_platforms);
        match self.failures.first() {
            Some(failure) => failure.status(),
            None if differences.all(|difference| difference.ignored.is_some()) => Status::Success,
            None => Status::Differs,
        }
    }

    /// Whether nothing differs, expected or not.
    pub fn is_same(&self) -> bool {
        let is_same = |platform: &PlatformDiff| platform.verdict == DiffVerdict::Same;
        self.failures.is_empty() && self.index.is_empty() && self.platforms.iter().all(is_same)
    }

    /// Finds the lines that the differences belong to, as far as these instructions made the images.
    pub(super) fn find_lines(&mut self, instructions: &Instructions) {
        for platform in &mut self.platforms {
            let images = platform.images.each_ref().map(Option::as_ref);
            find_lines(&mut platform.differences, images, instructions);
        }
    }

    /// Marks the differences that rules name.
    fn ignore(&mut self, mut rules: IgnoreRules, machine: &Machine) {
        let of_platforms = self.platforms.iter_mut().flat_map(|platform| &mut platform.differences);
        for difference in self.index.iter_mut().chain(of_platforms) {
            difference.ignored = rules.reason(difference);
        }
        for rule in &rules.rules {
            let about =
                rule.path.as_deref().map_or_else(String::new, |path| format!(" at {}", escape::name(path.as_bytes())));
            let what = match (rule.is_expired, rule.matches) {
                (true, _) => "has expired and is not applied",
                (false, 0) => "names nothing that differs",
                _ => continue,
            };
            machine.progress.warn(&format!("the rule of `--ignore` for {}{about} {what}", rule.code));
        }
        self.rules = rules.rules;
    }
}

/// Compares two images.
///
/// # Errors
/// When one of them can't be had, or a limit is lower than it needs.
pub fn diff(machine: &Machine, options: &DiffOptions) -> Result<Diff, Failure> {
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    let rules = match &options.ignore {
        Some(path) => {
            let text = read_text(&machine.resolve(path), machine.limits.manifest_file)?;
            // Days fit.
            Some(IgnoreRules::parse(&text, i64::try_from(machine.now / 86_400).unwrap_or(i64::MAX))?)
        }
        None => None,
    };
    let places = options.places.each_ref().map(|place| typed(place));
    let asked = Asked { platforms: options.platform.as_slice(), is_merged: options.is_merged };
    let records = options.places.each_ref().map(|place| recorded::name(place));
    let mut diff = match records {
        [None, None] => {
            let [first, second] = options.places.each_ref();
            let place = |place: &Path| Place::parse(place, Bare::Path, &machine.directory);
            let mut sides = [read(machine, &place(first)?, None)?, read(machine, &place(second)?, None)?];
            compare(places, &mut sides, &asked, bounds)?
        }
        _ => recorded::diff(machine, options, places, records, bounds)?,
    };
    if let Some(path) = &options.dockerfile {
        let dockerfile = parse(&read_file(&machine.resolve(path), machine.limits.dockerfile)?, &machine.limits)?;
        diff.find_lines(&Instructions::of(&dockerfile, ""));
    }
    if let Some(rules) = rules {
        diff.ignore(rules, machine);
    }
    Ok(diff)
}

/// A place as it was typed, safe to print.
fn typed(place: &Path) -> String {
    if place == Path::new("-") { "stdin".to_owned() } else { escape::name(place.as_os_str().as_encoded_bytes()) }
}
