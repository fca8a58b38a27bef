//! Why two images differ: both are read, paired by platform, and explained.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::files::read_text;
use super::machine::Machine;
use super::online;
use crate::bounds::Bounds;
use crate::compare::Side;
use crate::escape;
use crate::explain::{Class, Difference, IgnoreRule, IgnoreRules, ImagePair, Missing, explain_indexes, layers_to_read};
use crate::finding::Finding;
use crate::image::validate::{ImageFacts, Role};
use crate::limits::LimitExceeded;
use crate::platform::Platform;
use crate::source::{Bare, Blobs, Place, ReadError, Wanted};
use crate::status::{ExitStatus, Failure, Status};

/// What is compared.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Where the two images are, as they were typed.
    pub places: [PathBuf; 2],
    /// The only platform that counts.
    pub platform: Option<Platform>,
    /// Compare what is to be seen in the end, not layer by layer.
    pub is_merged: bool,
    /// The file of rules that say which differences are expected.
    pub ignore: Option<PathBuf>,
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

/// An image can't be had, or breaks the rules.
#[derive(Debug, thiserror::Error)]
enum DiffError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{place}: {finding} ({code})", code = .finding.code)]
    Broken { place: String, finding: Finding },
    #[error("neither side has an image for `{wanted}`; there are: {known}")]
    Absent { wanted: Platform, known: String },
    #[error(transparent)]
    Limit(LimitExceeded),
    #[error("comparing failed: {0}")]
    Io(io::Error),
}

impl ExitStatus for DiffError {
    fn status(&self) -> Status {
        match self {
            // A file that is not there is an image that is not to be had.
            Self::Read(ReadError::Unreadable { .. }) => Status::Source,
            Self::Read(error) => error.status(),
            Self::Broken { .. } | Self::Limit(_) => Status::Malformed,
            Self::Absent { .. } => Status::Usage,
            Self::Io(_) => Status::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            _ => None,
        }
    }
}

impl From<io::Error> for DiffError {
    fn from(error: io::Error) -> Self {
        error.downcast::<LimitExceeded>().map_or_else(Self::Io, Self::Limit)
    }
}

impl Diff {
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
    let places = options.places.each_ref().map(|place| typed(place));
    let rules = match &options.ignore {
        Some(path) => {
            let text = read_text(&machine.resolve(path), machine.limits.manifest_file)?;
            // Days fit.
            Some(IgnoreRules::parse(&text, i64::try_from(machine.now / 86_400).unwrap_or(i64::MAX))?)
        }
        None => None,
    };
    let mut diff = Diff { places, index: Vec::new(), platforms: Vec::new(), rules: Vec::new(), failures: Vec::new() };
    let mut sides = [read(machine, &options.places[0], bounds)?, read(machine, &options.places[1], bounds)?];
    diff.failures = broken(&diff.places, &sides);
    if !diff.failures.is_empty() {
        return Ok(diff);
    }
    let pairs = pairs(&sides, options)?;
    let mut wanted: [BTreeSet<Vec<u8>>; 2] = Default::default();
    for images in pairs.iter().filter_map(|(_, [one, other])| Some([(*one)?, (*other)?])) {
        let more = layers_to_read([&sides[0], &sides[1]], images, options.is_merged);
        wanted.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
    }
    let [one, other] = &mut sides;
    let (first, second) = rayon::join(|| one.examine(&wanted[0], bounds), || other.examine(&wanted[1], bounds));
    first.and(second).map_err(DiffError::from)?;
    diff.failures = broken(&diff.places, &sides);
    if !diff.failures.is_empty() {
        return Ok(diff);
    }
    diff.index = explain_indexes(&sides[0], &sides[1]).map_err(DiffError::from)?;
    if options.platform.is_some() {
        // What lists the platforms is not asked about.
        diff.index.clear();
    }
    for (platform, images) in pairs {
        diff.platforms.push(compare(&sides, platform, images, options.is_merged, bounds).map_err(DiffError::from)?);
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

fn read(machine: &Machine, place: &Path, bounds: Bounds<'_>) -> Result<Side, Failure> {
    let place = Place::parse(place, Bare::Path, &machine.directory)?;
    let registries = match place.is_registry() && !machine.offline {
        true => Some((online::registry(machine)?, machine.cache()?)),
        false => None,
    };
    let reader = online::reader(machine, registries.as_ref().map(|(registry, cache)| (registry, cache)));
    let wanted = Wanted { blobs: Blobs::All, is_fast: true, is_listed: false, sums_both: false, is_kept: true };
    let archive = reader.read(&place, wanted).map_err(DiffError::Read)?;
    Ok(Side::new(archive, bounds).map_err(DiffError::from)?)
}

fn broken(places: &[String; 2], sides: &[Side; 2]) -> Vec<Failure> {
    let of = |(place, side): (&String, &Side)| {
        let place = place.clone();
        let failure = move |finding: &Finding| -> Failure {
            DiffError::Broken { place: place.clone(), finding: finding.clone() }.into()
        };
        side.violations().iter().map(failure).collect::<Vec<_>>()
    };
    places.iter().zip(sides).flat_map(of).collect()
}

/// The images of both sides that are for the same platform, with its name.
type Pairs = Vec<(String, [Option<usize>; 2])>;

/// Pairs the images by platform; those of one processor whose variants differ too, where each side has one.
fn pairs(sides: &[Side; 2], options: &DiffOptions) -> Result<Pairs, Failure> {
    let mut known: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, number) in sides.iter().zip([0, 1]) {
        for (place, image) in side.closure.images.iter().enumerate().filter(|(_, image)| image.role == Role::Image) {
            let name = image.platform().map_or_else(|| "unknown".to_owned(), |platform| platform.to_string());
            known.entry(name).or_default()[number].push(place);
        }
    }
    let lone = |number: usize| -> BTreeMap<String, String> {
        let only = known.iter().filter(|(_, places)| places[1 - number].is_empty() && places[number].len() == 1);
        only.map(|(name, _)| (processor(name), name.clone())).collect()
    };
    let (first, second) = (lone(0), lone(1));
    for (processor, one) in first {
        let Some(other) = second.get(&processor) else { continue };
        if let Some(places) = known.remove(other)
            && let Some(own) = known.get_mut(&one)
        {
            own[1] = places[1].clone();
        }
    }
    if let Some(wanted) = &options.platform {
        let names = known.keys().map(|name| escape::text(name).into_owned()).collect::<Vec<_>>().join(", ");
        let wanted = wanted.clone();
        known.retain(|name, _| *name == wanted.to_string());
        if known.is_empty() {
            return Err(DiffError::Absent { wanted, known: names }.into());
        }
    }
    let mut pairs = Vec::new();
    for (name, [first, second]) in known {
        for at in 0..first.len().max(second.len()) {
            pairs.push((name.clone(), [first.get(at).copied(), second.get(at).copied()]));
        }
    }
    Ok(pairs)
}

/// Operating system and architecture of a platform.
fn processor(platform: &str) -> String {
    platform.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}

fn compare(
    sides: &[Side; 2],
    platform: String,
    images: [Option<usize>; 2],
    is_merged: bool,
    bounds: Bounds<'_>,
) -> io::Result<PlatformDiff> {
    let facts = |side: usize| images[side].map(|image| sides[side].closure.images[image].clone());
    let mut found = PlatformDiff {
        platform,
        verdict: DiffVerdict::Missing,
        images: [facts(0), facts(1)],
        differences: Vec::new(),
        unread_layers: 0,
    };
    let [Some(one), Some(other)] = images else {
        let missing = if images[0].is_some() { Missing::Second } else { Missing::First };
        found.differences = vec![Difference::platform_missing(&found.platform, missing)];
        return Ok(found);
    };
    let pair = ImagePair { sides: [&sides[0], &sides[1]], images: [one, other], is_merged };
    let mut lower = |place: usize| {
        let mut left = bounds.limits.compare_entries;
        let layers = sides[0].closure.images[one].layers[..place].iter();
        layers.map(|layer| sides[0].read_table(layer, &mut left, bounds)).collect()
    };
    found.differences = pair.explain(bounds, &mut lower)?;
    found.differences.sort_by(Difference::worst_first);
    let is_packaging = found.differences.iter().all(|difference| difference.class == Class::Packaging);
    found.verdict = match is_packaging {
        _ if found.differences.is_empty() => DiffVerdict::Same,
        true => DiffVerdict::Packaging,
        false => DiffVerdict::Differs,
    };
    let image = &sides[0].closure.images[one];
    let is_unread = |layer| sides[0].closure.examined(&sides[0].archive, layer).is_none();
    found.unread_layers = image.layers.iter().filter(|layer| is_unread(layer)).count();
    Ok(found)
}
