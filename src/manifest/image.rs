//! One `[image.NAME]` table, key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::contexts::check_contexts;
use super::layers::check_layers;
use super::path::{Place, default_dockerfile, inside};
use super::problem::Problem;
use super::table::{Problems, Table, Text, Value, closest, quoted_list};
use super::values::{many, one, pairs, text};
use super::{
    Allow, BUILTIN, Compression, EpochSource, Files, Frontend, Image, MediaTypes, Metadata, Network, Output,
    Publication, Recipe, Run, grammar, scrub,
};
use crate::epoch::Epoch;
use crate::platform::Platform;

const DEFAULT_PLATFORM: (&str, &str) = ("linux", "amd64");
/// What `allow` may name besides `device=NAME`.
const ALLOWED: [&str; 3] = ["network.host", "security.insecure", "device"];

/// Checks one image; nothing if a part without default is unusable.
pub(super) fn check_image(mut table: Table<'_>, place: Place<'_>, problems: &mut Problems) -> Option<Image> {
    let context = path(table.take("context"), place, problems).unwrap_or_else(|| PathBuf::from("."));
    let platforms = platforms(table.take("platforms"), problems);
    let mut labels = pairs(table.take("labels"), grammar::label_key, problems);
    let recipe = match check_layers(&mut table, &platforms, &mut labels, place, problems) {
        Some(layers) => Recipe::Layers(Box::new(layers)),
        None => Recipe::Dockerfile(dockerfile(&mut table, &context, place, problems).unwrap_or_default()),
    };
    let image = Image {
        target: one(table.take("target"), grammar::stage, problems),
        platforms,
        build_platform: text(table.take("build-platform"), problems).and_then(|text| problems.keep(platform(&text))),
        source_date_epoch: source_date_epoch(table.take("source-date-epoch"), problems),
        frontend: one(table.take("frontend"), grammar::frontend, problems).map(|text| match text.as_str() {
            BUILTIN => Frontend::Builtin,
            _ => Frontend::Image(text),
        }),
        args: arguments(table.take("args"), problems),
        metadata: Metadata {
            labels,
            annotations: pairs(table.take("annotations"), grammar::annotation_key, problems),
            index_annotations: pairs(table.take("index-annotations"), grammar::annotation_key, problems),
        },
        files: Files {
            contexts: check_contexts(table.take("contexts"), place, problems),
            include: many(table.take("include"), grammar::pattern, problems),
            context,
            recipe,
        },
        run: Run {
            network: choice(table.take("network"), &NETWORKS, problems),
            env: pairs(table.take("run-env"), grammar::variable, problems),
            secrets: many(table.take("secrets"), grammar::id, problems),
            ssh: many(table.take("ssh"), grammar::id, problems),
            allow: allow(table.take("allow"), problems),
        },
        scrub: scrub_rules(table.take("scrub"), problems),
        publication: Publication {
            repository: one(table.take("repository"), grammar::repository, problems),
            tags: many(table.take("tags"), grammar::tag, problems),
            tape: one(table.take("tape"), grammar::repository, problems),
        },
        output: output(table.take("output"), problems),
    };
    table.finish(problems);
    Some(image)
}

const NETWORKS: [(&str, Network); 3] = [("locked", Network::Locked), ("none", Network::None), ("open", Network::Open)];

fn arguments(value: Option<Value<'_>>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in value.and_then(|value| value.table(problems)).into_iter().flat_map(Table::into_entries) {
        problems.keep(argument_name(&key));
        if let Some(text) = value.text(problems) {
            problems.keep(grammar::free_text(text.text).map_err(|message| text.problem(message)));
            found.insert(key.text.to_owned(), text.text.to_owned());
        }
    }
    found
}

/// Arguments that steer the builder are refused: each would change the result behind the lockfile's back.
fn argument_name(key: &Text<'_>) -> Result<(), Problem> {
    grammar::variable(key.text).map_err(|message| key.problem(message))?;
    let help = match key.text {
        "SOURCE_DATE_EPOCH" => "set the key `source-date-epoch` of the image",
        "BUILDKIT_SYNTAX" => "set the key `frontend` of the image",
        name if name.starts_with("BUILDKIT_") => "leave it out: it steers the builder, which `repro` does itself",
        _ => return Ok(()),
    };
    Err(key.problem(format!("`{}` is refused as a build argument", key.text)).with_help(help))
}

/// The Dockerfile, whether it is named or not.
fn dockerfile(table: &mut Table<'_>, context: &Path, place: Place<'_>, problems: &mut Problems) -> Option<PathBuf> {
    match table.take("dockerfile") {
        Some(value) => path(Some(value), place, problems),
        None => default_dockerfile(table, context, place, problems),
    }
}

fn path(value: Option<Value<'_>>, place: Place<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let text = text(value, problems)?;
    problems.keep(inside(&text, text.text, place))
}

fn platform(text: &Text<'_>) -> Result<Platform, Problem> {
    text.text.parse().map_err(|error| text.problem(error))
}

fn platforms(value: Option<Value<'_>>, problems: &mut Problems) -> Vec<Platform> {
    let default = vec![Platform::new(DEFAULT_PLATFORM.0, DEFAULT_PLATFORM.1, None)];
    let Some(value) = value else { return default };
    let empty = matches!(value.value(), DeValue::Array(items) if items.is_empty())
        .then(|| Problem::new(value.span(), format!("`{}` is empty, expected at least one platform", value.name())));
    let mut found = Vec::new();
    for text in value.texts(problems) {
        let Some(platform) = problems.keep(platform(&text)) else { continue };
        if found.contains(&platform) {
            problems.report(text.problem(format!("`{}` is `{platform}`, which is listed already", text.shown())));
        } else {
            found.push(platform);
        }
    }
    problems.keep(empty.map_or(Ok(()), Err));
    if found.is_empty() { default } else { found }
}

fn source_date_epoch(value: Option<Value<'_>>, problems: &mut Problems) -> EpochSource {
    let Some(value) = value else { return EpochSource::Commit };
    let text = match value.value() {
        DeValue::String(text) if text == "commit" => return EpochSource::Commit,
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(seconds) if seconds.radix() == 10 => seconds.as_str().to_owned(),
        DeValue::Datetime(date) => date.to_string(),
        _ => {
            problems.report(value.wrong_kind("`\"commit\"`, seconds since 1970 or an RFC 3339 date-time"));
            return EpochSource::Commit;
        }
    };
    match text.parse::<Epoch>() {
        Ok(epoch) => EpochSource::Fixed(epoch),
        Err(error) => {
            let problem = Problem::new(value.span(), format!("`{}`: {error}", value.name()));
            problems.report(problem.with_help("`\"commit\"` takes the time of the commit"));
            EpochSource::Commit
        }
    }
}

fn choice<T: Copy + Default>(value: Option<Value<'_>>, choices: &[(&'static str, T)], problems: &mut Problems) -> T {
    let Some(text) = text(value, problems) else { return T::default() };
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text.text) {
        return *choice;
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let problem = text.problem(format!("`{}` is unknown, expected one of {}", text.shown(), quoted_list(&names)));
    problems.report(match closest(text.text, &names) {
        Some(guess) => problem.with_help(format!("did you mean `{guess}`?")),
        None => problem,
    });
    T::default()
}

fn scrub_rules(value: Option<Value<'_>>, problems: &mut Problems) -> Vec<String> {
    let texts = value.map(|value| value.texts(problems)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for text in &texts {
        let known = scrub::check_rule(text.text).map_err(|refused| {
            let problem = text.problem(refused);
            match closest(text.text, &scrub::names()) {
                _ if text.text.starts_with('/') => problem,
                Some(guess) => problem.with_help(format!("did you mean `{guess}`?")),
                None => problem.with_help("`repro scrub list` shows the profiles".to_owned()),
            }
        });
        problems.keep(known);
        if !seen.insert(text.text) {
            problems.report(text.problem(format!("`{}` is listed twice", text.shown())));
        }
    }
    texts.iter().map(|text| text.text.to_owned()).collect()
}

fn allow(value: Option<Value<'_>>, problems: &mut Problems) -> Vec<Allow> {
    let mut found: Vec<Allow> = Vec::new();
    for mut table in value.map(|value| value.tables(problems)).unwrap_or_default() {
        let (name, span) = table.place();
        let missing = |key: &str| {
            Problem::new(span.clone(), format!("`{name}`: `{key}` is missing"))
                .with_help("write `{ what = \"network.host\", reason = \"…\" }`")
        };
        let (no_what, no_reason) = (missing("what"), missing("reason"));
        let what = match table.take("what") {
            Some(value) => value.text(problems).and_then(|text| {
                problems.keep(allowed(&text))?;
                if found.iter().any(|allow| allow.what == text.text) {
                    problems.report(text.problem(format!("`{}` is listed twice", text.shown())));
                }
                Some(text.text.to_owned())
            }),
            None => problems.keep(Err(no_what)),
        };
        let reason = match table.take("reason") {
            Some(value) => one(Some(value), grammar::line, problems),
            None => problems.keep(Err(no_reason)),
        };
        table.finish(problems);
        if let (Some(what), Some(reason)) = (what, reason) {
            found.push(Allow { what, reason });
        }
    }
    found
}

fn allowed(text: &Text<'_>) -> Result<(), Problem> {
    let device = text.text.strip_prefix("device=");
    let named = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_=-".contains(&byte))
            && !name.starts_with('-')
    };
    if ALLOWED.contains(&text.text) || device.is_some_and(named) {
        return Ok(());
    }
    let known = format!("{}, `device=NAME`", quoted_list(&ALLOWED));
    Err(text.problem(format!("`{}` can't be allowed, expected one of {known}", text.shown())))
}

fn output(value: Option<Value<'_>>, problems: &mut Problems) -> Output {
    let Some(mut table) = value.and_then(|value| value.table(problems)) else { return Output::default() };
    let media_types = [("oci", MediaTypes::Oci), ("docker", MediaTypes::Docker)];
    let compression = [("gzip", Compression::Gzip), ("uncompressed", Compression::Uncompressed)];
    let output = Output {
        media_types: choice(table.take("media-types"), &media_types, problems),
        compression: choice(table.take("compression"), &compression, problems),
    };
    table.finish(problems);
    output
}
