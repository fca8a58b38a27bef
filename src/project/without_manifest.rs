//! A Dockerfile and flags in place of a manifest, so that the tool can be tried before it is adopted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_writer::TomlStringBuilder;

use super::error::ProjectError;
use super::files::shown;
use super::machine::Machine;
use crate::epoch::Epoch;
use crate::manifest::{
    Buildkit, EpochSource, Files, Image, Manifest, ManifestErrors, Metadata, NamedContext, Output, Publication, Recipe,
    Run, name_from,
};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};

/// What flags tell of the one image.
#[derive(Clone, Debug, Default)]
pub struct DockerfileFlags {
    /// The Dockerfile.
    pub dockerfile: PathBuf,
    /// The context; none for the Dockerfile's directory.
    pub context: Option<PathBuf>,
    /// Build stage; none or empty for the last.
    pub target: Option<String>,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Named contexts, spelled as in a manifest.
    pub build_contexts: BTreeMap<String, String>,
    /// The platforms; none for linux/amd64.
    pub platforms: Vec<Platform>,
    /// What `BUILDPLATFORM` means; none for this machine's.
    pub build_platform: Option<Platform>,
    /// The epoch as it was typed; none for that of the environment, or the commit's time.
    pub epoch: Option<String>,
}

/// The manifest that the flags stand for: one image, named after the context's directory.
pub fn manifest(machine: &Machine, flags: &DockerfileFlags) -> Result<Manifest, Failure> {
    let dockerfile = machine.resolve(&flags.dockerfile);
    if leads_out(&dockerfile) {
        return Err(ProjectError::Outside(shown(&machine.near(&dockerfile))).into());
    }
    let directory = dockerfile.parent().unwrap_or(&machine.directory);
    let context = flags.context.as_ref().map_or_else(|| directory.to_owned(), |path| machine.resolve(path));
    let mut platforms: Vec<Platform> = Vec::new();
    for platform in &flags.platforms {
        if !platforms.contains(platform) {
            platforms.push(platform.clone());
        }
    }
    if platforms.is_empty() {
        platforms.push(Platform::new("linux", "amd64", None));
    }
    let contexts = contexts(machine, &flags.build_contexts)?;
    let image = Image {
        files: Files {
            context: context.clone(),
            recipe: Recipe::Dockerfile(dockerfile),
            contexts,
            include: Vec::new(),
        },
        target: flags.target.clone().filter(|target| !target.is_empty()),
        platforms,
        build_platform: flags.build_platform.clone(),
        source_date_epoch: epoch(machine, flags.epoch.as_deref())?,
        frontend: None,
        args: flags.build_args.clone(),
        run: Run::default(),
        metadata: Metadata::default(),
        scrub: Vec::new(),
        output: Output::default(),
        publication: Publication::default(),
    };
    let version = semver::VersionReq::parse(">=0.26").unwrap_or(semver::VersionReq::STAR);
    Ok(Manifest {
        root: machine.directory.clone(),
        buildkit: Buildkit { version, image: None },
        images: BTreeMap::from([(name_from(&context), image)]),
        lint: Vec::new(),
    })
}

/// The epoch that is typed, or else that of a variable of repro-build.
fn epoch(machine: &Machine, typed: Option<&str>) -> Result<EpochSource, Failure> {
    let variable = |name| Some((name, machine.variable(name)?.to_string_lossy().into_owned()));
    let named = ["REPRO_SOURCE_DATE_EPOCH", "REPRO_DATETIME"].map(variable);
    let wrong = |message: String| InvalidFlag { message, status: Status::Usage, hint: None };
    let (what, text) = match (typed, named) {
        (Some(text), _) => ("--epoch", text.to_owned()),
        (None, [Some(_), Some(_)]) => {
            return Err(
                wrong("both REPRO_SOURCE_DATE_EPOCH and REPRO_DATETIME are set: expected one".to_owned()).into()
            );
        }
        (None, [Some(given), None] | [None, Some(given)]) => given,
        (None, [None, None]) => return Ok(EpochSource::Commit),
    };
    if text == "commit" {
        return Ok(EpochSource::Commit);
    }
    let (epoch, is_assumed) = match text.parse::<Epoch>() {
        Ok(epoch) => (epoch, false),
        Err(_) => Epoch::of_date(&text).map_err(|error| wrong(format!("`{what}`: {error}")))?,
    };
    if epoch.seconds() > machine.now {
        return Err(wrong(format!("`{what}`: the epoch {} lies in the future", epoch.rfc3339())).into());
    }
    if is_assumed {
        machine.progress.note(&format!("`{what}` has no zone: {} is taken", epoch.rfc3339()));
    }
    Ok(EpochSource::Fixed(epoch))
}

/// Named contexts, spelled and checked as in a manifest.
fn contexts(machine: &Machine, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, NamedContext>, Failure> {
    let image = as_in_manifest(machine, "--build-context", "contexts", given)?;
    Ok(image.map(|image| image.files.contexts).unwrap_or_default())
}

/// Refuses build arguments that a manifest may not have, before anything is built with them.
pub fn check_arguments(machine: &Machine, arguments: &BTreeMap<String, String>) -> Result<(), Failure> {
    as_in_manifest(machine, "--build-arg", "args", arguments).map(drop)
}

/// A flag's values are none that a manifest may have.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct InvalidFlag {
    message: String,
    status: Status,
    hint: Option<String>,
}

impl InvalidFlag {
    /// What is wrong with `[image.flags.TABLE]`, said of the flag.
    fn new(flag: &str, table: &str, errors: &ManifestErrors) -> Self {
        let (status, problems) = (errors.status(), errors.problems());
        // A key's problem starts with the table, a value's with the key in it.
        let (of_key, of_value) = (format!("`image.flags.{table}`: "), format!("`image.flags.{table}."));
        let messages = problems.iter().map(|problem| {
            let message = match (problem.message.strip_prefix(&of_key), problem.message.strip_prefix(&of_value)) {
                (Some(rest), _) => rest.to_owned(),
                (None, Some(rest)) => format!("`{rest}"),
                (None, None) => problem.message.clone(),
            };
            format!("`{flag}`: {message}")
        });
        let message = match problems {
            // All values together are too long for a manifest.
            [] => format!("`{flag}`: {errors}"),
            _ => messages.collect::<Vec<_>>().join("\n"),
        };
        Self { message, status, hint: problems.iter().find_map(|problem| problem.help.clone()) }
    }
}

impl ExitStatus for InvalidFlag {
    fn status(&self) -> Status {
        self.status
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// The image of a manifest that has these pairs in `table`; none if there are none.
fn as_in_manifest(
    machine: &Machine,
    flag: &str,
    table: &str,
    pairs: &BTreeMap<String, String>,
) -> Result<Option<Image>, Failure> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut text = format!("version = 1\n[image.flags.{table}]\n");
    for (name, value) in pairs {
        text.push_str(&quoted(name));
        text.push_str(" = ");
        text.push_str(&quoted(value));
        text.push('\n');
    }
    let manifest = Manifest::parse(&text, &machine.directory.join(flag), Path::new("/"))
        .map_err(|errors| InvalidFlag::new(flag, table, &errors))?;
    Ok(manifest.images.into_values().next())
}

fn quoted(text: &str) -> String {
    use toml_writer::ToTomlValue;
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

/// Whether a file of a repository is a link to a file elsewhere, whose text is not the repository's to show.
fn leads_out(file: &Path) -> bool {
    let Some(directory) = file.parent().and_then(|directory| directory.canonicalize().ok()) else { return false };
    let Some(root) = directory.ancestors().find(|directory| directory.join(".git").exists()) else { return false };
    file.canonicalize().is_ok_and(|target| !target.starts_with(root))
}
