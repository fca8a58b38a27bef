//! `repro-build build`: its options and variables, as its version of June 2026 has them, but for what crashes it.

use super::argparse::{self, Choice, Parsed};
use super::flag::MACHINE;
use super::reader::{Reader, local_context};
use super::values;
use super::variables::Variables;
use crate::epoch::Epoch;
use crate::imports::requested::{RequestError, RequestedBuild};
use crate::reference::Reference;

/// What it builds with unless told otherwise.
const BUILDKIT: &str = "moby/buildkit:v0.19.0@sha256:14aa1b4dd92ea0a4cd03a54d0c6079046ea98cd0c0ae6176bdd7036ba370cbbe";
const BUILDKIT_ROOTLESS: &str =
    "moby/buildkit:v0.19.0-rootless@sha256:e901cffdad753892a7c3afb8b9972549fca02c73888cf340c91ed801fdd96d71";
/// The oldest BuildKit that a manifest asks for unless it says otherwise.
const OLDEST: semver::Version = semver::Version::new(0, 26, 0);

const CHOICES: &[Choice] = &[
    option(&["--runtime"]),
    option(&["--datetime"]),
    option(&["--buildkit-image"]),
    option(&["--source-date-epoch", "--sde"]),
    switch(&["--no-cache"]),
    switch(&["--rootless"]),
    option(&["--file", "-f"]),
    option(&["--output", "-o"]),
    option(&["--tag", "-t"]),
    option(&["--build-arg"]),
    option(&["--annotation"]),
    option(&["--platform"]),
    option(&["--buildkit-args"]),
    option(&["--buildx-args"]),
    switch(&["--dry"]),
    switch(&["--help", "-h"]),
];

const fn option(names: &'static [&'static str]) -> Choice {
    Choice { names, has_value: true }
}

const fn switch(names: &'static [&'static str]) -> Choice {
    Choice { names, has_value: false }
}

/// Reads what stands behind `repro-build`, whose name may stand there too.
pub(super) fn read(words: &[String], variables: &Variables<'_>, now: u64) -> Result<RequestedBuild, RequestError> {
    let is_name = |word: &str| matches!(word.rsplit('/').next(), Some("repro-build" | "repro-build.py"));
    let words = match words {
        [first, rest @ ..] if is_name(first) => rest,
        words => words,
    };
    let words = match words.split_first() {
        Some((command, rest)) if command == "build" => rest,
        Some((command, _)) if command == "analyze" => {
            return Err(RequestError::new("`repro-build analyze` builds nothing")
                .with_hint("`repro analyze FILE --expected-image-digest DIGEST` does that"));
        }
        _ => {
            return Err(RequestError::new("expected `build` as repro-build's first word")
                .with_hint("for example `repro init --from-repro-build -- build --sde 1700000000 .`"));
        }
    };
    let parsed = argparse::parse(words, CHOICES)?;
    if parsed.last("--help").is_some() {
        return Err(RequestError::new("`--help` asks for something else than a build"));
    }
    let mut reader = Reader::new("repro-build", now);
    let [context] = parsed.operands.as_slice() else {
        return Err(RequestError::new(format!(
            "{} contexts are given: expected one directory as CONTEXT",
            parsed.operands.len()
        )));
    };
    local_context(context)?;
    reader.build.context.clone_from(context);
    reader.build.dockerfile.path = parsed.last("--file").map(str::to_owned);
    reader.build.media_types = Some("docker");
    image(&mut reader, &parsed)?;
    machine(&mut reader, &parsed, variables)?;
    reader.build.epoch = Some(epoch(&mut reader, &parsed, variables)?);
    Ok(reader.build)
}

/// What is said of the image itself.
fn image(reader: &mut Reader<'_>, parsed: &Parsed) -> Result<(), RequestError> {
    for text in parsed.all("--build-arg") {
        reader.argument(text)?;
    }
    for text in parsed.all("--annotation") {
        values::annotation(&mut reader.build, text)?;
    }
    if let Some(text) = parsed.last("--platform") {
        values::platforms("--platform", text, &mut reader.build.platforms)?;
    }
    if let Some(text) = parsed.last("--tag") {
        reader.build.names.push(values::name("--tag", text)?);
    }
    Ok(())
}

/// What belongs to a machine or a run.
fn machine(reader: &mut Reader<'_>, parsed: &Parsed, variables: &Variables<'_>) -> Result<(), RequestError> {
    let runtime = runtime(reader, parsed, variables)?;
    let is_flag = parsed.last("--rootless").is_some();
    let is_rootless = is_flag || number(variables, "REPRO_ROOTLESS")?.is_some_and(|is_set| is_set);
    if is_rootless {
        if runtime.as_deref() == Some("docker") {
            return Err(RequestError::new("rootless builds are podman's: docker has none in repro-build"));
        }
        reader.build.note("rootless", MACHINE);
    }
    for (name, other, belongs) in [("--buildkit-args", "docker", "podman"), ("--buildx-args", "podman", "docker")] {
        let Some(_) = parsed.last(name).filter(|text| !text.is_empty()) else { continue };
        if runtime.as_deref() == Some(other) {
            return Err(RequestError::new(format!("`{name}` belongs to {belongs}, the runtime is {other}")));
        }
        reader.build.note(name, "options of the builder itself, which can change the result: not carried over");
    }
    if parsed.last("--no-cache").is_some() || number(variables, "REPRO_CACHE")? == Some(false) {
        reader.build.note(
            "cache",
            "whether a cache serves belongs to a run: `repro build --no-cache`, and `repro verify` always",
        );
    }
    if let Some(path) = parsed.last("--output") {
        reader.build.note(
            "--output",
            format!("{path}: where a result goes belongs to a run: `repro build -o FILE --archive docker`"),
        );
    }
    if parsed.last("--dry").is_some() {
        reader.build.note("--dry", "`repro build --dry-run` shows what a build would run");
    }
    buildkit(reader, parsed, variables, is_rootless)
}

/// The runtime that is named: the flag, else the variable.
fn runtime(
    reader: &mut Reader<'_>,
    parsed: &Parsed,
    variables: &Variables<'_>,
) -> Result<Option<String>, RequestError> {
    let flag = parsed.last("--runtime");
    if let Some(runtime) = flag.filter(|runtime| !matches!(*runtime, "docker" | "podman")) {
        return Err(RequestError::new(format!("`--runtime`: `{runtime}` is neither docker nor podman")));
    }
    let variable = variables.get("REPRO_RUNTIME");
    if variable.is_some() {
        let why = if flag.is_some() { "`--runtime` counts, as there" } else { MACHINE };
        reader.build.note("REPRO_RUNTIME", why);
    }
    let runtime = flag.map(str::to_owned).or(variable);
    if let Some(runtime) = &runtime {
        reader
            .build
            .note("runtime", format!("{runtime}: {MACHINE}; `--engine` chooses, for example `--engine buildx`"));
    }
    Ok(runtime)
}

/// The image of BuildKit: the flag, else the variable, else its own.
fn buildkit(
    reader: &mut Reader<'_>,
    parsed: &Parsed,
    variables: &Variables<'_>,
    is_rootless: bool,
) -> Result<(), RequestError> {
    let flag = parsed.last("--buildkit-image").filter(|image| !image.is_empty());
    let variable = variables.get("REPRO_BUILDKIT_IMAGE");
    if flag.is_some() && variable.is_some() {
        reader.build.note("REPRO_BUILDKIT_IMAGE", "`--buildkit-image` counts");
    }
    let Some(image) = flag.map(str::to_owned).or(variable) else {
        let image = if is_rootless { BUILDKIT_ROOTLESS } else { BUILDKIT };
        reader
            .build
            .note("buildkit", format!("repro-build builds with {image}: another version may give another digest"));
        return Ok(());
    };
    let parsed: Reference =
        image.parse().map_err(|error| RequestError::new(format!("the image of BuildKit: {error}")))?;
    let version = parsed.tag().and_then(|tag| {
        let number = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
        semver::Version::parse(number).ok()
    });
    match version {
        Some(version) if version < OLDEST => reader.build.note(
            "buildkit",
            format!("{image} is older than v{OLDEST}, the oldest that `repro` builds with: another version may give another digest"),
        ),
        _ => {
            reader.build.note("buildkit", format!("{image}: another version may give another digest"));
            reader.build.buildkit = Some(image);
        }
    }
    Ok(())
}

/// The epoch: of flags, which count, or else of variables.
fn epoch(reader: &mut Reader<'_>, parsed: &Parsed, variables: &Variables<'_>) -> Result<Epoch, RequestError> {
    let now = reader.now;
    let mut flags = Vec::new();
    if let Some(text) = parsed.last("--source-date-epoch") {
        flags.push(values::epoch("--source-date-epoch", text, now)?);
    }
    if let Some(text) = parsed.last("--datetime") {
        if !flags.is_empty() {
            return Err(RequestError::new(
                "both an epoch (`--source-date-epoch`) and a date (`--datetime`) are given: expected one",
            ));
        }
        flags.push(date(reader, "--datetime", text)?);
    }
    let named = ["REPRO_SOURCE_DATE_EPOCH", "REPRO_DATETIME"].map(|name| variables.set(name));
    if let Some(epoch) = flags.first() {
        for (name, _) in
            ["REPRO_SOURCE_DATE_EPOCH", "REPRO_DATETIME"].iter().zip(&named).filter(|(_, set)| set.is_some())
        {
            reader.build.note(name, "the command line counts; repro-build takes the variable, or stops");
        }
        reader.epochs.insert(*epoch);
    } else {
        let epoch = match named {
            [Some(_), Some(_)] => {
                return Err(RequestError::new(
                    "both REPRO_SOURCE_DATE_EPOCH and REPRO_DATETIME are set: expected one epoch or date",
                ));
            }
            [Some(text), None] => values::epoch("REPRO_SOURCE_DATE_EPOCH", &text, now)?,
            [None, Some(text)] => date(reader, "REPRO_DATETIME", &text)?,
            [None, None] => match reader.epoch()? {
                Some(epoch) => epoch,
                None => {
                    return Err(RequestError::new(
                        "no epoch is given: expected `--sde SECONDS`, `--datetime DATE`, or one of their variables",
                    ));
                }
            },
        };
        if flags.is_empty() && variables.set("REPRO_SOURCE_DATE_EPOCH").or(variables.set("REPRO_DATETIME")).is_some() {
            reader.build.note("source-date-epoch", "from a variable of the environment: it stands in the manifest now");
        }
        reader.epochs.insert(epoch);
    }
    reader.epoch()?.ok_or_else(|| RequestError::new("no epoch is given"))
}

/// The epoch of a date; one without a zone is UTC, and said.
fn date(reader: &mut Reader<'_>, what: &str, text: &str) -> Result<Epoch, RequestError> {
    let (epoch, is_assumed) = Epoch::of_date(text).map_err(|error| RequestError::new(format!("{what}: {error}")))?;
    if is_assumed {
        reader.build.note("source-date-epoch", format!("{what} has no zone: it is taken as UTC"));
    }
    values::not_after(what, epoch, reader.now)
}

/// A variable that is a number there: whether it is not 0.
fn number(variables: &Variables<'_>, name: &str) -> Result<Option<bool>, RequestError> {
    // A directory is what the variable of this name means to `repro` itself.
    let Some(text) = variables.set(name).filter(|text| !(name == "REPRO_CACHE" && text.starts_with('/'))) else {
        return Ok(None);
    };
    let digits = text.trim();
    let digits = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RequestError::new(format!("`{name}`: `{text}` is no number: expected 0 or 1")));
    }
    Ok(Some(digits.bytes().any(|byte| byte != b'0')))
}
