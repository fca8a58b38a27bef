//! A Dockerfile and flags in place of a manifest, so that the tool can be tried before it is adopted.

use std::collections::BTreeMap;
use std::path::Path;

use toml_writer::TomlStringBuilder;

use super::arguments::Question;
use super::project::pairs;
use super::session::Session;
use crate::manifest::{
    Buildkit, EpochSource, Image, Manifest, ManifestErrors, NamedContext, Network, Output, name_from,
};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};

/// The manifest that the flags stand for: one image, named after the context's folder.
pub fn manifest(
    session: &Session,
    question: &Question,
    dockerfile: &Path,
    context: &Path,
) -> Result<Manifest, Failure> {
    let mut platforms: Vec<Platform> = Vec::new();
    for platform in &question.platforms {
        if !platforms.contains(platform) {
            platforms.push(platform.clone());
        }
    }
    if platforms.is_empty() {
        platforms.push(Platform::new("linux", "amd64", None));
    }
    let image = Image {
        context: context.to_owned(),
        dockerfile: dockerfile.to_owned(),
        target: question.target.clone().filter(|target| !target.is_empty()),
        platforms,
        build_platform: question.build_platform.clone(),
        source_date_epoch: EpochSource::Commit,
        args: pairs(&question.build_args),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        index_annotations: BTreeMap::new(),
        contexts: contexts(session, &question.build_contexts)?,
        include: Vec::new(),
        network: Network::None,
        run_env: BTreeMap::new(),
        scrub: Vec::new(),
        secrets: Vec::new(),
        ssh: Vec::new(),
        allow: Vec::new(),
        repository: None,
        tags: Vec::new(),
        tape: None,
        output: Output::default(),
    };
    let version = semver::VersionReq::parse(">=0.26").unwrap_or(semver::VersionReq::STAR);
    Ok(Manifest {
        root: session.directory.clone(),
        buildkit: Buildkit { version, image: None },
        images: BTreeMap::from([(name_from(context), image)]),
    })
}

/// Named contexts, spelled and checked as in a manifest.
fn contexts(session: &Session, given: &[(String, String)]) -> Result<BTreeMap<String, NamedContext>, Failure> {
    let image = as_in_manifest(session, "--build-context", "contexts", &pairs(given))?;
    Ok(image.map(|image| image.contexts).unwrap_or_default())
}

/// Refuses build arguments that a manifest may not have, before anything is built with them.
pub fn check_arguments(session: &Session, arguments: &BTreeMap<String, String>) -> Result<(), Failure> {
    as_in_manifest(session, "--build-arg", "args", arguments).map(drop)
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
    session: &Session,
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
    let manifest = Manifest::parse(&text, &session.directory.join(flag), Path::new("/"))
        .map_err(|errors| InvalidFlag::new(flag, table, &errors))?;
    Ok(manifest.images.into_values().next())
}

fn quoted(text: &str) -> String {
    use toml_writer::ToTomlValue;
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}
