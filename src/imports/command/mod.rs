//! Command lines of other builders, read as those programs read them.
//!
//! `read` finds the builder and hands its words to the file of its dialect: `repro_build` (whose parser is `argparse`),
//! `docker` and `podman`, which are tables of options (`flag`) that `words` reads as those programs' own library does and
//! `reader` makes a build of. `values` reads what stands in a value, `variables` what the environment adds. What comes out is a [`RequestedBuild`]: what is asked for, and what of it belongs to a machine or to one run.

mod argparse;
mod docker;
mod flag;
mod podman;
mod reader;
mod repro_build;
pub(super) mod values;
mod variables;
mod words;

pub(super) use reader::local_context;
pub use variables::Variables;

use super::requested::{RequestError, RequestedBuild};

/// Whose command line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builder {
    /// `repro-build`, without its name.
    ReproBuild,
    /// `docker build`, `docker buildx build`, `podman build` or `buildah build`, the program's name first.
    Docker,
}

/// Reads a command line; `now` is seconds since 1970, which no epoch may be after.
pub fn read_command(
    builder: Builder,
    words: &[String],
    variables: &Variables<'_>,
    now: u64,
) -> Result<RequestedBuild, RequestError> {
    match builder {
        Builder::ReproBuild => repro_build::read(words, variables, now),
        Builder::Docker => program(words, variables, now),
    }
}

fn program(words: &[String], variables: &Variables<'_>, now: u64) -> Result<RequestedBuild, RequestError> {
    let assigned = words.iter().take_while(|word| variables::assignment(word).is_some()).count();
    let variables = &variables.with(&words[..assigned]);
    let Some((program, words)) = words[assigned..].split_first() else {
        return Err(RequestError::new("no command line is given")
            .with_hint("for example `repro init --from-docker-build -- docker build -t registry.example/app:1 .`"));
    };
    match program.rsplit('/').next().unwrap_or(program) {
        "docker" => docker::read(words, variables, now),
        "docker-buildx" | "buildx" => docker::read_buildx(words, variables, now),
        "podman" => podman::read("podman", words, variables, now),
        "buildah" => podman::read("buildah", words, variables, now),
        other => {
            Err(RequestError::new(format!("`{other}` is no builder that is known: expected docker, podman or buildah"))
                .with_hint("the program's name comes first: `-- docker build .`"))
        }
    }
}
