//! An image made of files without a Dockerfile: `layers`, `base` and `config` of one `[image.NAME]` table.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use super::config::{ConfigTable, check_config};
use super::grammar;
use super::names::{in_context, in_image};
use super::path::Place;
use super::problem::Problem;
use super::table::{Problems, Table, Text, Value, shown};
use crate::platform::Platform;

/// What a Dockerfile is built with, and an image of layers therefore can't have.
const OF_DOCKERFILES: [&str; 11] = [
    "dockerfile",
    "target",
    "frontend",
    "args",
    "build-platform",
    "network",
    "run-env",
    "secrets",
    "ssh",
    "allow",
    "tape",
];

/// Bytes of the Dockerfile that layers may stand for.
const MOST_BYTES: usize = 4 << 20;
/// Bytes that a line has beside its paths, or a path beside its name.
const AROUND: usize = 64;

/// An image as a list of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Layers {
    /// Reference of the base image, as written; none for an image that starts from nothing.
    pub base: Option<String>,
    /// The layers above it, lowest first; at least one.
    pub layers: Vec<Layer>,
    /// What the image's config says.
    pub config: ConfigTable,
    /// The manifest's line that `base`, or else `layers`, stands on.
    pub line: u32,
}

/// One layer: files of the context, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The files.
    pub paths: Paths,
    /// The directory that they are put into: absolute, without a slash at the end unless it is the root.
    pub to: String,
    /// Who owns them, user and group.
    pub owner: (u32, u32),
    /// Permission bits of files; none for those of the context.
    pub mode: Option<u16>,
    /// The manifest's line that the layer begins on.
    pub line: u32,
}

/// The paths of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paths {
    /// The same for all platforms.
    Common(Vec<LayerPath>),
    /// Others for each platform; all platforms of the image are there.
    Apart(BTreeMap<Platform, Vec<LayerPath>>),
}

/// A file or directory of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerPath {
    /// Its path, parts separated by `/`; empty for the context itself.
    pub path: String,
    /// What is in the directory, and not the directory itself.
    pub is_content: bool,
    /// The manifest's line that it stands on.
    pub line: u32,
}

impl Layer {
    /// Whether its paths differ between platforms.
    pub fn is_apart(&self) -> bool {
        matches!(self.paths, Paths::Apart(_))
    }

    /// The paths for one platform.
    pub fn paths(&self, platform: &Platform) -> &[LayerPath] {
        match &self.paths {
            Paths::Common(paths) => paths,
            Paths::Apart(by_platform) => by_platform.get(platform).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

impl LayerPath {
    /// Its last name.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The layers of an image; none if the table has no `layers`. What then has no meaning is refused.
pub(super) fn check_layers(
    table: &mut Table<'_>,
    platforms: &[Platform],
    labels: &mut BTreeMap<String, String>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Layers> {
    let (layers, base, config) = (table.take("layers"), table.take("base"), table.take("config"));
    let Some(layers) = layers else {
        for value in [base, config].into_iter().flatten() {
            let problem = Problem::new(value.span(), format!("`{}` stands beside `layers` only", value.name()));
            problems.report(problem.with_help("an image with a Dockerfile says this there"));
        }
        return None;
    };
    for value in OF_DOCKERFILES.iter().filter_map(|key| table.take(key)) {
        let message =
            format!("`{}` belongs to a Dockerfile, and this image has `layers` in place of one", value.name());
        problems.report(Problem::new(value.span(), message).with_help("leave out one of both"));
    }
    let line = place.line(&base.as_ref().unwrap_or(&layers).span());
    if matches!(layers.value(), DeValue::Array(items) if items.is_empty()) {
        let message = format!("`{}` is empty, expected at least one layer", layers.name());
        problems.report(Problem::new(layers.span(), message));
    }
    let base = base.and_then(|value| value.text(problems)).and_then(|text| {
        let parsed = grammar::reference(text.text).map_err(|message| text.problem(message));
        problems.keep(parsed).map(|_| text.text.to_owned())
    });
    let (span, name) = (layers.span(), layers.name().to_owned());
    let layers = layers.tables(problems).into_iter();
    let layers: Vec<Layer> = layers.filter_map(|table| check_layer(table, platforms, place, problems)).collect();
    if bytes(&layers, platforms) > MOST_BYTES {
        let message = format!("`{name}` stands for a Dockerfile of more than {MOST_BYTES} bytes");
        problems.report(Problem::new(span, message));
        return None;
    }
    let config = check_config(config, labels, place, problems);
    Some(Layers { base, layers, config, line })
}

/// About how long the Dockerfile of these layers is: with files of their own, each platform has all lines.
fn bytes(layers: &[Layer], platforms: &[Platform]) -> usize {
    let of_paths = |paths: &[LayerPath]| paths.iter().map(|path| path.path.len() + AROUND).sum::<usize>();
    let of_layer = |layer: &Layer| match &layer.paths {
        Paths::Common(paths) => of_paths(paths) + layer.to.len() + AROUND,
        Paths::Apart(by_platform) => by_platform.values().map(|paths| of_paths(paths)).sum::<usize>() + layer.to.len(),
    };
    let stages = if layers.iter().any(Layer::is_apart) { platforms.len() } else { 1 };
    layers.iter().map(of_layer).sum::<usize>().saturating_mul(stages)
}

fn check_layer(
    mut table: Table<'_>,
    platforms: &[Platform],
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Layer> {
    let (name, span) = table.place();
    let (name, line) = (name.to_owned(), place.line(&span));
    let mut missing = |key: &str| {
        let problem = Problem::new(span.clone(), format!("`{name}`: `{key}` is missing"));
        problems.report(problem.with_help("write `{ paths = [\"bin\"], to = \"/usr\" }`"));
    };
    let (paths, to) = (table.take("paths"), table.take("to"));
    [(&paths, "paths"), (&to, "to")].into_iter().filter(|(value, _)| value.is_none()).for_each(|(_, key)| missing(key));
    let paths = paths.and_then(|value| check_paths(value, platforms, place, problems));
    let to = to.and_then(|value| value.text(problems)).and_then(|text| problems.keep(in_image(&text)));
    let owner = table.take("owner").and_then(|value| value.text(problems));
    let owner = owner.and_then(|text| problems.keep(owner_of(&text))).unwrap_or_default();
    let mode = table.take("mode").and_then(|value| value.text(problems)).and_then(|text| problems.keep(mode(&text)));
    table.finish(problems);
    Some(Layer { paths: paths?, to: to?, owner, mode, line })
}

fn check_paths(value: Value<'_>, platforms: &[Platform], place: Place<'_>, problems: &mut Problems) -> Option<Paths> {
    if !matches!(value.value(), DeValue::Table(_)) {
        return list(value, place, problems).map(Paths::Common);
    }
    let (span, name) = (value.span(), value.name().to_owned());
    let mut found = BTreeMap::new();
    for (key, value) in value.table(problems).into_iter().flat_map(Table::into_entries) {
        let platform = key.text.parse::<Platform>().map_err(|error| key.problem(error));
        let Some(platform) = problems.keep(platform) else { continue };
        if !platforms.contains(&platform) {
            let message = format!("`{platform}` is none of the image's platforms");
            problems.report(key.problem(message).with_help("add it to the image's `platforms`"));
        }
        if found.contains_key(&platform) {
            problems.report(key.problem(format!("`{platform}` is listed already")));
        }
        found.insert(platform, list(value, place, problems)?);
    }
    for platform in platforms.iter().filter(|platform| !found.contains_key(platform)) {
        let message = format!("`{name}` has no paths for {platform}, which the image is made for");
        problems.report(Problem::new(span.clone(), message));
    }
    Some(Paths::Apart(found))
}

/// The paths of a list, no two of which may end up under one name.
fn list(value: Value<'_>, place: Place<'_>, problems: &mut Problems) -> Option<Vec<LayerPath>> {
    if matches!(value.value(), DeValue::Array(items) if items.is_empty()) {
        let message = format!("`{}` is empty, expected at least one path", value.name());
        problems.report(Problem::new(value.span(), message));
    }
    let mut names = BTreeSet::new();
    let mut found: Vec<LayerPath> = Vec::new();
    for text in value.texts(problems) {
        let Some(path) = problems.keep(in_context(&text)).map(|(path, is_content)| LayerPath {
            path,
            is_content,
            line: place.line(&text.span),
        }) else {
            continue;
        };
        if !path.is_content && !names.insert(path.name().to_owned()) {
            let message = format!("`{}` would end up in the place of another `{}`", text.shown(), shown(path.name()));
            problems.report(text.problem(message).with_help("give one of them a layer of its own"));
        }
        found.push(path);
    }
    Some(found)
}

fn owner_of(text: &Text<'_>) -> Result<(u32, u32), Problem> {
    let number = |digits: &str| {
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|number| is_plain && *number < u32::MAX)
    };
    let owner = text.text.split_once(':').and_then(|(user, group)| Some((number(user)?, number(group)?)));
    owner.ok_or_else(|| {
        let problem = text.problem(format!("`{}` is no owner, expected two numbers, `USER:GROUP`", text.shown()));
        problem.with_help("names mean something in the image only that has them")
    })
}

/// Three octal digits.
fn mode(text: &Text<'_>) -> Result<u16, Problem> {
    let digits = text.text.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(text.text);
    let is_octal = digits.len() == 3 && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    u16::from_str_radix(digits, 8).ok().filter(|_| is_octal).ok_or_else(|| {
        text.problem(format!("`{}` is no mode, expected three octal digits, such as `\"0644\"`", text.shown()))
    })
}
