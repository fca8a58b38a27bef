//! From text to a validated manifest: the file, `[buildkit]` and the images.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::grammar;
use super::image::check_image;
use super::lint::check_lint;
use super::path::Place;
use super::problem::{ManifestErrors, Problem};
use super::table::{Problems, Table, Value, shown};
use super::{Buildkit, Manifest};
use crate::limits::{LimitExceeded, Limits};

/// The version of the format that is read here.
const VERSION: &str = "1";
/// What a BuildKit daemon must report when the manifest doesn't say.
pub(super) const DEFAULT_BUILDKIT: &str = ">=0.26";
/// Syntax errors that are reported; later ones mostly follow from the first.
const SYNTAX_ERRORS: usize = 5;

/// Reads and checks a manifest's text.
pub(super) fn check(text: &str, file: &Path, place: Place<'_>, limits: &Limits) -> Result<Manifest, ManifestErrors> {
    if text.len() as u64 > limits.manifest_file {
        let object = crate::escape::bytes(file.as_os_str().as_encoded_bytes());
        let exceeded = LimitExceeded { name: "manifest-file", limit: limits.manifest_file, object };
        return Err(ManifestErrors::too_large(file, exceeded));
    }
    let (document, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let problems = syntax.iter().take(SYNTAX_ERRORS).map(|error| syntax_problem(error, text)).collect();
        return Err(ManifestErrors::new(file, text, problems));
    }
    let mut problems = Problems::default();
    let manifest = check_document(Table::document(&document), place, &mut problems);
    match (manifest, problems.into_list()) {
        (Some(manifest), problems) if problems.is_empty() => Ok(manifest),
        (_, problems) => Err(ManifestErrors::new(file, text, problems)),
    }
}

fn syntax_problem(error: &toml::de::Error, text: &str) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let message = match (error.message(), text.get(span.clone())) {
        ("duplicate key", Some(key)) => format!("the key `{}` is given twice", shown(key)),
        (message, _) => shown(message),
    };
    Problem::new(span, message)
}

fn check_document(mut file: Table<'_>, place: Place<'_>, problems: &mut Problems) -> Option<Manifest> {
    match file.take("version") {
        Some(version) => problems.keep(check_version(&version))?,
        None => problems.report(
            Problem::new(0..0, "`version` is missing").with_help(format!("write `version = {VERSION}` at the top")),
        ),
    }
    let buildkit = match file.take("buildkit") {
        Some(value) => value.table(problems).and_then(|table| check_buildkit(table, problems)),
        None => problems.keep(default_buildkit()),
    };
    let mut images = BTreeMap::new();
    let tables = file.take("image").and_then(|value| value.table(problems));
    let named = tables.is_some();
    for (name, value) in tables.into_iter().flat_map(Table::into_entries) {
        let known = problems.keep(grammar::image_name(name.text).map_err(|message| name.problem(message)));
        let image = value.table(problems).and_then(|table| check_image(table, place, problems));
        if let (Some(()), Some(image)) = (known, image) {
            images.insert(name.text.to_owned(), image);
        }
    }
    if !named {
        problems.report(
            Problem::new(0..0, "no image: expected at least one table `[image.NAME]`")
                .with_help("`repro init` writes one for the Dockerfile that is here"),
        );
    }
    let lint = check_lint(file.take("lint"), problems);
    file.finish(problems);
    Some(Manifest { root: place.directory.to_owned(), buildkit: buildkit?, images, lint })
}

fn check_version(version: &Value<'_>) -> Result<(), Problem> {
    match version.value() {
        DeValue::Integer(number) if number.radix() == 10 && number.as_str() == VERSION => Ok(()),
        DeValue::Integer(number) => {
            let message = format!("`version` is {}, this program reads {VERSION}", shown(number.as_str()));
            Err(Problem::new(version.span(), message).with_help("a newer `repro` may read it"))
        }
        _ => Err(version.wrong_kind(&format!("the number {VERSION}"))),
    }
}

fn default_buildkit() -> Result<Buildkit, Problem> {
    Ok(Buildkit {
        version: version_requirement(DEFAULT_BUILDKIT).map_err(|error| Problem::new(0..0, error))?,
        image: None,
    })
}

fn check_buildkit(mut table: Table<'_>, problems: &mut Problems) -> Option<Buildkit> {
    let version = match table.take("version").and_then(|value| value.text(problems)) {
        Some(text) => problems.keep(version_requirement(text.text).map_err(|message| {
            text.problem(message).with_help(format!("for example `\"{DEFAULT_BUILDKIT}\"` or `\"=0.34.2\"`"))
        })),
        None => problems.keep(default_buildkit()).map(|default| default.version),
    };
    let image = table.take("image").and_then(|value| value.text(problems)).and_then(|text| {
        let parsed = grammar::reference(text.text).map_err(|message| text.problem(message));
        problems.keep(parsed).map(|_| text.text.to_owned())
    });
    table.finish(problems);
    Some(Buildkit { version: version?, image })
}

fn version_requirement(text: &str) -> Result<semver::VersionReq, String> {
    semver::VersionReq::parse(text).map_err(|error| format!("`{}` is no version requirement: {error}", shown(text)))
}
