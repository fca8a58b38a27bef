//! `docker build` and `docker buildx build`: options of buildx, of the classic builder, and of the programs themselves.

use super::flag::{ATTEST, CACHE, Flag, LIMIT, MACHINE, Meaning, RUN, SURROUNDINGS, switch, value};
use super::reader::{Reader, local_context};
use super::values;
use super::variables::Variables;
use super::words;
use crate::imports::requested::{RequestError, RequestedBuild};
use Meaning::{Left, Refused, Silent};

const HELP: &str = "`repro init --help` tells what can be imported";
const ENTITLEMENT: &str = "an entitlement: `allow` in repro.toml has to name it, with its reason";

/// Options of `docker`.
const DOCKER: &[Flag] = &[
    value("config", Left(MACHINE)),
    value("context", Left(MACHINE)).or('c'),
    value("host", Left(MACHINE)).or('H'),
    value("log-level", Silent).or('l'),
    switch("debug", Silent).or('D'),
    switch("tls", Left(MACHINE)),
    value("tlscacert", Left(MACHINE)),
    value("tlscert", Left(MACHINE)),
    value("tlskey", Left(MACHINE)),
    switch("tlsverify", Left(MACHINE)),
    switch("version", Refused(HELP)).or('v'),
    switch("help", Refused(HELP)).or('h'),
];

/// Options of `docker buildx`.
const BUILDX: &[Flag] =
    &[value("builder", Left(MACHINE)), switch("debug", Silent).or('D'), switch("help", Refused(HELP)).or('h')];

/// Options of a build, those that buildx hides among them.
const BUILD: &[Flag] = &[
    value("add-host", Left("names that RUN could look up: not carried over")),
    value("allow", Left(ENTITLEMENT)),
    value("annotation", Meaning::Annotation),
    value("attest", Left(ATTEST)),
    value("build-arg", Meaning::Argument),
    value("build-context", Meaning::Context),
    value("cache-from", Left(CACHE)),
    value("cache-to", Left(CACHE)),
    value("call", Meaning::Call),
    value("cgroup-parent", Left(LIMIT)),
    value("check", Meaning::Call).attached(),
    switch("compress", Silent),
    value("cpu-period", Left(LIMIT)),
    value("cpu-quota", Left(LIMIT)),
    value("cpu-shares", Left(LIMIT)).or('c'),
    value("cpuset-cpus", Left(LIMIT)),
    value("cpuset-mems", Left(LIMIT)),
    switch("detach", Left(RUN)),
    switch("disable-content-trust", Left("signatures of tags: `repro lock` pins digests instead")).on(),
    value("file", Meaning::File).or('f'),
    switch("force-rm", Silent),
    value("iidfile", Left(RUN)),
    value("invoke", Left(RUN)),
    value("isolation", Left("of the classic builder on Windows: not carried over")),
    value("label", Meaning::Label),
    switch("load", Left("belongs to a run: `repro build -o FILE --archive docker`, then `docker load`")),
    value("memory", Left(LIMIT)).or('m'),
    value("memory-swap", Left(LIMIT)),
    value("metadata-file", Left(RUN)),
    value("network", Meaning::Network),
    switch("no-cache", Left(CACHE)),
    value("no-cache-filter", Left(CACHE)),
    value("output", Meaning::Output).or('o'),
    value("platform", Meaning::Platform),
    value("print", Meaning::Call),
    value("policy", Left("a policy of buildx: what a build may take stands in repro.lock")),
    value("progress", Silent),
    value("provenance", Left(ATTEST)),
    switch("pull", Left("belongs to a run: `repro lock --update` asks for what tags mean now")),
    switch("push", Left("`repro` pushes no images: `repro build -o FILE`, then for example `crane push`")),
    switch("quiet", Silent).or('q'),
    value("resource", Left(LIMIT)),
    switch("rm", Silent).on(),
    value("root", Left(MACHINE)),
    value("sbom", Left(ATTEST)),
    value("secret", Meaning::Secret),
    value("security-opt", Left(SURROUNDINGS)),
    value("server-config", Left(MACHINE)),
    value("shm-size", Left(LIMIT)),
    switch("squash", Left("layers are never squashed: a stage that copies all files makes one layer")),
    value("ssh", Meaning::Agent),
    switch("stream", Left(RUN)),
    value("tag", Meaning::Name).or('t'),
    value("target", Meaning::Target),
    value("ulimit", Left(LIMIT)),
];

/// Reads what stands behind `docker`.
pub(super) fn read(words: &[String], variables: &Variables<'_>, now: u64) -> Result<RequestedBuild, RequestError> {
    let mut reader = Reader::new("docker", now);
    let (options, command, rest) = words::command(words, &[DOCKER])?;
    take(&mut reader, options)?;
    match command {
        Some("build") => build(reader, rest, &[BUILD, BUILDX, DOCKER], variables),
        Some("image" | "builder") => match words::command(rest, &[DOCKER])? {
            (_, Some("build"), rest) => build(reader, rest, &[BUILD, BUILDX, DOCKER], variables),
            (_, found, _) => {
                Err(other(&format!("docker {} {}", command.unwrap_or_default(), found.unwrap_or_default())))
            }
        },
        Some("buildx") => buildx(reader, rest, variables),
        found => Err(other(&format!("docker {}", found.unwrap_or_default()))),
    }
}

/// Reads what stands behind `docker-buildx`.
pub(super) fn read_buildx(
    words: &[String],
    variables: &Variables<'_>,
    now: u64,
) -> Result<RequestedBuild, RequestError> {
    buildx(Reader::new("docker", now), words, variables)
}

fn buildx(mut reader: Reader<'_>, words: &[String], variables: &Variables<'_>) -> Result<RequestedBuild, RequestError> {
    let (options, command, rest) = words::command(words, &[BUILDX])?;
    take(&mut reader, options)?;
    match command {
        Some("build" | "b") => build(reader, rest, &[BUILD, BUILDX], variables),
        found => Err(other(&format!("docker buildx {}", found.unwrap_or_default()))),
    }
}

fn take(reader: &mut Reader<'_>, options: Vec<words::Given>) -> Result<(), RequestError> {
    options.into_iter().try_for_each(|given| reader.take(given))
}

/// The complaint about a command that builds nothing, or several images.
fn other(command: &str) -> RequestError {
    let command = command.trim_end();
    let hint = match command {
        "docker buildx bake" => {
            "`repro init --from-bake FILE` reads the file, `docker buildx bake --print` shows it whole"
        }
        "docker compose" => "`repro init --from-compose FILE` reads the file",
        _ => "expected `docker build`, `docker buildx build`, `podman build` or `buildah build`",
    };
    RequestError::new(format!("`{command}` is no command that builds one image")).with_hint(hint)
}

fn build(
    mut reader: Reader<'_>,
    words: &[String],
    tables: &[&'static [Flag]],
    variables: &Variables<'_>,
) -> Result<RequestedBuild, RequestError> {
    let line = words::line(words, tables)?;
    take(&mut reader, line.options)?;
    let [context] = line.operands.as_slice() else {
        return Err(RequestError::new(format!(
            "{} contexts are given: expected one, the directory (PATH) to build",
            line.operands.len()
        )));
    };
    local_context(context)?;
    reader.build.context.clone_from(context);
    // The last counts.
    if let Some(file) = reader.files.pop() {
        if file == "-" {
            return Err(RequestError::new(
                "the Dockerfile comes from standard input: expected a file in the repository",
            ));
        }
        reader.build.dockerfile.path = Some(file).filter(|file| !file.is_empty());
    }
    surroundings(&mut reader, variables)?;
    reader.finish()?;
    Ok(reader.build)
}

/// What the environment adds.
fn surroundings(reader: &mut Reader<'_>, variables: &Variables<'_>) -> Result<(), RequestError> {
    let of_line = reader.epoch()?;
    let of_environment = variables.get("SOURCE_DATE_EPOCH");
    reader.build.epoch = match (of_line, of_environment) {
        (Some(epoch), of_environment) => {
            if of_environment.is_some_and(|text| text != epoch.to_string()) {
                reader.build.note("SOURCE_DATE_EPOCH", "the environment has another one: the command line counts");
            }
            Some(epoch)
        }
        (None, Some(text)) => {
            reader
                .build
                .note("SOURCE_DATE_EPOCH", "of the environment, which buildx takes: it stands in the manifest now");
            Some(values::epoch("SOURCE_DATE_EPOCH of the environment", &text, reader.now)?)
        }
        (None, None) => None,
    };
    if let Some(text) = variables.get("DOCKER_DEFAULT_PLATFORM") {
        let why = match reader.build.platforms.is_empty() {
            true => "of the environment: it stands in the manifest now",
            false => "of the environment: the command line counts",
        };
        reader.build.note("DOCKER_DEFAULT_PLATFORM", why);
        if reader.build.platforms.is_empty() {
            values::platforms("DOCKER_DEFAULT_PLATFORM", &text, &mut reader.build.platforms)?;
        }
    }
    for (name, why) in [
        ("DOCKER_BUILDKIT", "which builder builds belongs to a machine: `repro` builds with BuildKit, or itself"),
        ("BUILDX_BUILDER", MACHINE),
        ("BUILDX_GIT_LABELS", "buildx adds labels about the commit, which change with each: not carried over"),
        ("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", "a source policy: `repro policy --import FILE` takes its pins"),
        ("BUILDKIT_SYNTAX", "no variable of buildx: write `# syntax=` in the Dockerfile"),
    ] {
        if variables.get(name).is_some() {
            reader.build.note(name, why);
        }
    }
    Ok(())
}
