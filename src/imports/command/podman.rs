//! `podman build` and `buildah build`: options of both, those of versions newer than podman 4 among them.

use super::flag::{ATTEST, CACHE, Flag, LIMIT, MACHINE, Meaning, RUN, SURROUNDINGS, switch, value};
use super::reader::{Reader, local_context};
use super::values;
use super::variables::Variables;
use super::words;
use crate::imports::requested::{RequestError, RequestedBuild};
use Meaning::{Left, Refused, Silent};

const HELP: &str = "`repro init --help` tells what can be imported";
const CONFIG: &str = "changes the image's config: write it in the Dockerfile";
const LAYERS: &str = "`repro` makes one layer an instruction, as BuildKit does: not carried over";
const REGISTRY: &str = "how registries are reached belongs to a machine: docs/config.md";

/// Options of `podman` and `buildah` before the command.
const PROGRAM: &[Flag] = &[
    value("cgroup-manager", Left(MACHINE)),
    value("config", Left(MACHINE)),
    value("conmon", Left(MACHINE)),
    value("connection", Left(MACHINE)).or('c'),
    value("events-backend", Left(MACHINE)),
    switch("help", Refused(HELP)).or('h'),
    value("hooks-dir", Left(MACHINE)),
    value("identity", Left(MACHINE)),
    value("imagestore", Left(MACHINE)),
    value("log-level", Silent),
    value("module", Left(MACHINE)),
    value("namespace", Left(MACHINE)),
    value("network-cmd-path", Left(MACHINE)),
    value("network-config-dir", Left(MACHINE)),
    switch("noout", Silent),
    value("out", Silent),
    value("registries-conf", Left(REGISTRY)),
    value("registries-conf-dir", Left(REGISTRY)),
    switch("remote", Left(MACHINE)).or('r'),
    value("root", Left(MACHINE)),
    value("runroot", Left(MACHINE)),
    value("runtime", Left(MACHINE)),
    value("runtime-flag", Left(MACHINE)),
    value("short-name-alias-conf", Left(REGISTRY)),
    value("ssh", Left(MACHINE)),
    value("storage-driver", Left(MACHINE)),
    value("storage-opt", Left(MACHINE)),
    switch("syslog", Silent),
    value("tmpdir", Left(MACHINE)),
    switch("transient-store", Left(MACHINE)),
    value("url", Left(MACHINE)),
    value("userns-gid-map", Left(MACHINE)),
    value("userns-uid-map", Left(MACHINE)),
    switch("version", Refused(HELP)).or('v'),
    value("volumepath", Left(MACHINE)),
];

/// Options of a build.
const BUILD: &[Flag] = &[
    value("add-host", Left("names that RUN could look up: not carried over")),
    switch("all-platforms", Left("which platforms that is the base image says: name them in `platforms`")),
    value("annotation", Meaning::Annotation),
    value("arch", Meaning::PlatformPart),
    value("authfile", Left(REGISTRY)),
    value("blob-cache", Left(CACHE)),
    value("build-arg", Meaning::Argument),
    value("build-arg-file", Left("its arguments are not read: put them into `args`")),
    value("build-context", Meaning::Context),
    value("cache-from", Left(CACHE)),
    value("cache-to", Left(CACHE)),
    value("cache-ttl", Left(CACHE)),
    value("cap-add", Left(SURROUNDINGS)),
    value("cap-drop", Left(SURROUNDINGS)),
    value("cert-dir", Left(REGISTRY)),
    value("cgroup-parent", Left(LIMIT)),
    value("cgroupns", Left(SURROUNDINGS)),
    switch("compat-volumes", Left("BuildKit keeps what RUN writes below a VOLUME: not carried over")),
    switch("compress", Silent),
    value("cpp-flag", Left("the Dockerfile is read as it is: not carried over")),
    value("cpu-period", Left(LIMIT)),
    value("cpu-quota", Left(LIMIT)),
    value("cpu-shares", Left(LIMIT)).or('c'),
    value("cpuset-cpus", Left(LIMIT)),
    value("cpuset-mems", Left(LIMIT)),
    switch("created-annotation", Left("an annotation with the time: not carried over")).on(),
    value("creds", Left(REGISTRY)),
    value("cw", Left("an image for confidential computing: not carried over")),
    value("decryption-key", Left("encrypted images can't be read: not carried over")),
    value("device", Left(SURROUNDINGS)),
    switch("disable-compression", Left("of intermediate layers: `output.compression` says how layers are compressed"))
        .or('D')
        .on(),
    switch("disable-content-trust", Silent),
    value("dns", Left(SURROUNDINGS)),
    value("dns-option", Left(SURROUNDINGS)),
    value("dns-search", Left(SURROUNDINGS)),
    value("env", Left(CONFIG)),
    value("file", Meaning::File).or('f'),
    switch("force-rm", Silent).on(),
    value("format", Meaning::Format),
    value("from", Left("replaces the first FROM: write it in the Dockerfile, or name a stage in `contexts`")),
    value("group-add", Left(SURROUNDINGS)),
    switch("help", Refused(HELP)).or('h'),
    value("hooks-dir", Left(MACHINE)),
    switch("http-proxy", Left("proxies belong to a machine: RUN sees none of it")).on(),
    switch("identity-label", Left("the label `io.buildah.version` is not added")).on(),
    value("ignorefile", Left("the ignore file is `DOCKERFILE.dockerignore`, or the context's `.dockerignore`")),
    value("iidfile", Left(RUN)),
    switch("inherit-annotations", Left("annotations of a base are never taken over")).on(),
    switch("inherit-labels", Left("labels of a base are always taken over, as BuildKit does")).on(),
    value("ipc", Left(SURROUNDINGS)),
    value("isolation", Left(SURROUNDINGS)),
    value("jobs", Left(RUN)),
    value("label", Meaning::Label),
    value("layer-label", Left(LAYERS)),
    switch("layers", Left(LAYERS)).on(),
    value("logfile", Left(RUN)),
    switch("logsplit", Left(RUN)),
    value("manifest", Left("an index is made of all `platforms` of an image: not carried over")),
    value("memory", Left(LIMIT)).or('m'),
    value("memory-swap", Left(LIMIT)),
    value("metadata-file", Left(RUN)),
    value("mount", Left(SURROUNDINGS)),
    value("network", Meaning::Network),
    value("net", Meaning::Network),
    switch("no-cache", Left(CACHE)),
    switch("no-hostname", Left(SURROUNDINGS)),
    switch("no-hosts", Left(SURROUNDINGS)),
    switch("no-pivot", Left(MACHINE)),
    switch("omit-history", Left("history is always written, as BuildKit does")),
    value("os", Meaning::PlatformPart),
    value("os-feature", Left(CONFIG)),
    value("os-version", Left(CONFIG)),
    value("output", Meaning::Output).or('o'),
    value("pid", Left(SURROUNDINGS)),
    value("platform", Meaning::Platform),
    value("pull", Left("belongs to a run: `repro lock --update` asks for what tags mean now")).attached(),
    switch("pull-always", Left("belongs to a run: `repro lock --update` asks for what tags mean now")),
    switch("pull-never", Left("belongs to a run: `repro build --offline` asks no host")),
    switch("quiet", Silent).or('q'),
    value("retry", Left(RUN)),
    value("retry-delay", Left(RUN)),
    switch("rewrite-timestamp", Silent),
    switch("rm", Silent).on(),
    value("runtime", Left(MACHINE)),
    value("runtime-flag", Left(MACHINE)),
    value("rusage-logfile", Left(RUN)),
    switch("log-rusage", Silent),
    value("save-stages", Left(RUN)).attached(),
    value("sbom", Left(ATTEST)),
    value("sbom-image-output", Left(ATTEST)),
    value("sbom-image-purl-output", Left(ATTEST)),
    value("sbom-merge-strategy", Left(ATTEST)),
    value("sbom-output", Left(ATTEST)),
    value("sbom-purl-output", Left(ATTEST)),
    value("sbom-scanner-command", Left(ATTEST)),
    value("sbom-scanner-image", Left(ATTEST)),
    value("secret", Meaning::Secret),
    value("security-opt", Left(SURROUNDINGS)),
    value("shm-size", Left(LIMIT)),
    value("sign-by", Left(ATTEST)),
    value("signature-policy", Left(REGISTRY)),
    switch("skip-unused-stages", Left("stages that the image doesn't need are never built")).on(),
    value("source-date-epoch", Meaning::Epoch),
    value("source-policy-file", Left("a source policy: `repro policy --import FILE` takes its pins")),
    switch("squash", Left(LAYERS)),
    switch("squash-all", Left(LAYERS)),
    value("ssh", Meaning::Agent),
    switch("stdin", Left(SURROUNDINGS)),
    value("tag", Meaning::Name).or('t'),
    value("target", Meaning::Target),
    value("timestamp", Meaning::Epoch),
    switch("tls-verify", Left(REGISTRY)).on(),
    value("transient-run-mounts", Left(SURROUNDINGS)).attached(),
    value("ulimit", Left(LIMIT)),
    value("unsetannotation", Left("annotations of a base are never taken over")),
    value("unsetenv", Left(CONFIG)),
    value("unsetlabel", Left(CONFIG)),
    value("userns", Left(SURROUNDINGS)),
    value("userns-gid-map", Left(SURROUNDINGS)),
    value("userns-gid-map-group", Left(SURROUNDINGS)),
    value("userns-uid-map", Left(SURROUNDINGS)),
    value("userns-uid-map-user", Left(SURROUNDINGS)),
    value("uts", Left(SURROUNDINGS)),
    value("variant", Meaning::PlatformPart),
    value("volume", Left(SURROUNDINGS)).or('v'),
];

/// Reads what stands behind `program`.
pub(super) fn read(
    program: &str,
    words: &[String],
    variables: &Variables<'_>,
    now: u64,
) -> Result<RequestedBuild, RequestError> {
    let mut reader = Reader::new(program, now);
    let (options, command, mut rest) = words::command(words, &[PROGRAM])?;
    options.into_iter().try_for_each(|given| reader.take(given))?;
    let mut command = command.unwrap_or_default().to_owned();
    if program == "podman" && matches!(command.as_str(), "image" | "buildx") {
        let (_, inner, after) = words::command(rest, &[PROGRAM])?;
        command = match inner {
            Some("build") => "build".to_owned(),
            other => format!("{command} {}", other.unwrap_or_default()),
        };
        rest = after;
    }
    let is_build =
        command == "build" || program == "buildah" && matches!(command.as_str(), "bud" | "build-using-dockerfile");
    if !is_build {
        let command = format!("{program} {command}");
        return Err(RequestError::new(format!("`{}` is no command that builds one image", command.trim_end()))
            .with_hint("expected `docker build`, `docker buildx build`, `podman build` or `buildah build`"));
    }
    build(reader, rest, variables)
}

fn build(mut reader: Reader<'_>, words: &[String], variables: &Variables<'_>) -> Result<RequestedBuild, RequestError> {
    let line = words::line(words, &[BUILD, PROGRAM])?;
    line.options.into_iter().try_for_each(|given| reader.take(given))?;
    let context = match line.operands.as_slice() {
        [] => None,
        [context] => Some(context.clone()),
        all => return Err(RequestError::new(format!("{} contexts are given: expected one at most", all.len()))),
    };
    if reader.files.len() > 1 {
        return Err(RequestError::new("several Dockerfiles are given, which are put together: expected one"));
    }
    let file = reader.files.pop().filter(|file| !file.is_empty());
    if let Some(file) = &file {
        if file == "-" || file == "/dev/stdin" {
            return Err(RequestError::new(
                "the Dockerfile comes from standard input: expected a file in the repository",
            ));
        }
        if file.contains("://") {
            let shown = crate::http::without_user(file);
            return Err(RequestError::new(format!(
                "the Dockerfile is the URL `{shown}`: expected a file in the repository"
            )));
        }
        if file.ends_with(".in") {
            reader.build.note(
                "dockerfile",
                "its name ends with `.in`: the C preprocessor reads it first, `repro` reads it as it is",
            );
        }
    }
    // podman takes the Dockerfile's directory, buildah where the user stands.
    let directory_of = |file: &str| file.rsplit_once('/').map_or(".", |(directory, _)| directory).to_owned();
    let own = match &file {
        Some(file) if reader.program == "podman" => directory_of(file),
        _ => ".".to_owned(),
    };
    reader.build.context = context.unwrap_or(own);
    local_context(&reader.build.context)?;
    reader.build.dockerfile.path = file;
    reader.build.dockerfile.may_be_in_context = true;
    reader.build.dockerfile.may_be_containerfile = true;
    surroundings(&mut reader, variables)?;
    reader.finish()?;
    let program = reader.program;
    reader.build.note(
        "builder",
        format!(
            "{program} makes other bytes of the same instructions than BuildKit: no digest of {program} comes out again"
        ),
    );
    Ok(reader.build)
}

/// What the environment adds.
fn surroundings(reader: &mut Reader<'_>, variables: &Variables<'_>) -> Result<(), RequestError> {
    reader.build.epoch = reader.epoch()?;
    if let Some(text) = variables.get("SOURCE_DATE_EPOCH") {
        if reader.build.epoch.is_none() {
            reader.build.epoch = Some(values::epoch("SOURCE_DATE_EPOCH of the environment", &text, reader.now)?);
            reader.build.note(
                "SOURCE_DATE_EPOCH",
                "of the environment, which buildah 1.41 and newer take: it stands in the manifest now",
            );
        } else {
            reader.build.note("SOURCE_DATE_EPOCH", "of the environment: the command line counts");
        }
    }
    if let Some(format) = variables.get("BUILDAH_FORMAT") {
        match format.as_str() {
            _ if reader.build.media_types.is_some() => {
                reader.build.note("BUILDAH_FORMAT", "of the environment: the command line counts");
            }
            "docker" => {
                reader.build.media_types = Some("docker");
                reader.build.note("BUILDAH_FORMAT", "of the environment: it stands in the manifest now");
            }
            _ => reader.build.note("BUILDAH_FORMAT", "of the environment: oci is taken"),
        }
    }
    for name in ["BUILDAH_ISOLATION", "BUILDAH_LAYERS", "BUILDAH_RUNTIME", "CONTAINER_HOST", "CONTAINER_CONNECTION"] {
        if variables.get(name).is_some() {
            reader.build.note(name, MACHINE);
        }
    }
    Ok(())
}
