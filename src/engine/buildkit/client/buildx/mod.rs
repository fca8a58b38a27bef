//! The engine that goes through `docker buildx`, with a builder of its own that runs the locked image.

mod builder;
mod docker_config;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::Deserialize;

use self::builder::{Builder, Clients};
use crate::build::{Built, Engine, Plan, Surroundings};
use crate::engine::buildkit::daemon::history::Control;
use crate::engine::buildkit::daemon::probe::probe;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::{Host, ask, follow_build};
use crate::engine::buildkit::input::copies::build_with_copies;
use crate::engine::buildkit::input::defects;
use crate::engine::buildkit::input::injected::check_version;
use crate::engine::buildkit::input::redirects::Redirects;
use crate::engine::buildkit::input::request;
use crate::engine::buildkit::input::staged::{Named, Staged};
use crate::engine::buildkit::outcome::{Outcome, finish};
use crate::escape;
use crate::json;
use crate::lockfile::BuildkitPin;
use crate::platform::Platform;
use crate::process::{Command, shell_word};
use crate::status::Failure;

const NAME: &str = "buildx";
/// The first buildx that reads policies of its own, which must be switched off.
const OWN_POLICIES: Version = Version::new(0, 31, 0);
/// The first buildx that takes a source policy.
const OLDEST: Version = Version::new(0, 14, 0);

/// BuildKit through `docker buildx`.
pub struct Buildx {
    host: Host,
    version: VersionReq,
    image: Option<BuildkitPin>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "buildx.build.ref")]
    reference: Option<String>,
}

impl Buildx {
    /// The engine whose builder runs the locked `image`, which must be of a `version` that fits.
    pub fn new(host: Host, version: VersionReq, image: Option<BuildkitPin>) -> Self {
        Self { host, version, image }
    }

    fn image(&self) -> Result<&BuildkitPin, BuildKitError> {
        self.image.as_ref().ok_or_else(|| BuildKitError::Missing {
            engine: NAME,
            lacks: "the lockfile pins no BuildKit image".to_owned(),
            mend: "name one in the manifest, `image = \"moby/buildkit:v0.32.2\"` in `[buildkit]`, then `repro lock`"
                .to_owned(),
        })
    }

    fn command(
        &self,
        clients: &Clients,
        plan: &Plan,
        staged: &Staged,
        version: &Version,
        redirects: &Redirects,
    ) -> Result<Command, BuildKitError> {
        let builder = Builder::new(&self.host, plan, self.image()?);
        let policy = staged.write_policy(plan, redirects, |name, _| local_name(name))?;
        let mut command = clients.buildx.clone().args(arguments(plan, staged, &builder.name, version));
        command.environment.insert("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY".into(), policy.into());
        Ok(command)
    }
}

impl Engine for Buildx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, plan: &Plan) -> Result<(), Failure> {
        if let Some(name) = plan.contexts.keys().find(|name| name.contains("::")) {
            return Err(BuildKitError::Unusable {
                message: format!("buildx takes no context for one platform: `{}`", crate::escape::text(name)),
                mend: "`--engine buildctl` takes it, and `--engine native` where there is no RUN".to_owned(),
            }
            .into());
        }
        self.image()?;
        Clients::find(&self.host, Path::new("/"), Path::new("/"))?;
        request::check(plan, &self.host)?;
        Ok(defects::check(plan)?)
    }

    fn build(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Built, Failure> {
        self.check(plan)?;
        let work = surroundings.work.folder()?;
        request::warn(plan, surroundings);
        let docker_config = docker_config::write(&self.host, &work, surroundings.limits)?;
        let clients = Clients::find(&self.host, &docker_config, &work)?;
        let version = buildx_version(&clients, surroundings)?;
        let builder = Builder::new(&self.host, plan, self.image()?);
        builder.ensure(&clients, &self.host, &work, surroundings)?;
        let control = Control(clients.docker.clone().args(["exec", &builder.container(), "buildctl"]));
        let worker = control.worker(surroundings)?;
        worker.check(&self.version)?;
        check_version(plan, &worker.version)?;
        let certificate = match &plan.tape {
            Some(tape) => {
                worker.check_tape()?;
                probe(&control.0, plan, &tape.route, surroundings)?
            }
            None => None,
        };
        let staged = Staged::write(plan, certificate.as_deref(), surroundings)?;
        Ok(build_with_copies(plan, &self.host, builder.host_network, surroundings, |redirects| {
            let command = self.command(&clients, plan, &staged, &version, redirects)?;
            let finished = follow_build(&command, plan, surroundings)?;
            let reference = reference(&staged, surroundings);
            let (worker, control) = (&worker, &control);
            let outcome = Outcome { engine: NAME, plan, staged: &staged, worker, control, reference, redirects };
            finish(outcome, &finished, surroundings)
        })?)
    }

    fn commands(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure> {
        let work = surroundings.work.folder()?;
        let docker_config = docker_config::write(&self.host, &work, surroundings.limits)?;
        let clients = Clients::find(&self.host, &docker_config, &work)?;
        let version = buildx_version(&clients, surroundings)?;
        let staged = Staged::write(plan, None, surroundings)?;
        let builder = Builder::new(&self.host, plan, self.image()?);
        let image = builder.images(&self.host.config).into_iter().next().unwrap_or_default();
        let create = builder.create(&clients, &work, &image)?;
        let build = self.command(&clients, plan, &staged, &version, &request::redirects(&self.host))?;
        let mut lines = vec![format!("cd {}", shell_word(&staged.folder))];
        for name in ["DOCKER_CONFIG", "BUILDX_CONFIG", "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"] {
            let value = build.environment.get(std::ffi::OsStr::new(name));
            lines.extend(value.map(|value| format!("export {name}={}", shell_word(value))));
        }
        lines.extend([create.shell_line(), build.shell_line()]);
        Ok(lines)
    }
}

/// The build's name in the daemon's history: the last part of `builder/node/name`.
fn reference(staged: &Staged, surroundings: &Surroundings<'_>) -> String {
    let bytes = fs::read(staged.metadata()).unwrap_or_default();
    let metadata: Option<Metadata> = json::parse(&bytes, surroundings.limits).ok();
    let whole = metadata.and_then(|metadata| metadata.reference).unwrap_or_default();
    whole.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Asks buildx for its version: `github.com/docker/buildx v0.36.1 …`.
fn buildx_version(clients: &Clients, surroundings: &Surroundings<'_>) -> Result<Version, BuildKitError> {
    let answer = ask(&clients.buildx.clone().arg("version"), surroundings)?;
    let answer = String::from_utf8_lossy(&answer);
    let word = answer.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('v');
    let numbers = word.split(['-', '+']).next().and_then(|numbers| Version::parse(numbers).ok());
    match numbers {
        Some(version) if version >= OLDEST => Ok(version),
        _ => Err(BuildKitError::Unusable {
            message: format!("buildx is `{}`, expected v{OLDEST} or newer", escape::text(word)),
            mend: "install a newer buildx: https://github.com/docker/buildx/releases".to_owned(),
        }),
    }
}

/// The name under which buildx offers a named local context.
fn local_name(name: &str) -> String {
    if name == "context" || name == "dockerfile" { format!("_{name}") } else { name.to_owned() }
}

fn arguments(plan: &Plan, staged: &Staged, builder: &str, version: &Version) -> Vec<OsString> {
    let fixed = ["build", "--builder", builder, "--progress=plain", "--provenance=false", "--sbom=false"];
    let mut arguments: Vec<OsString> = fixed.map(Into::into).into();
    let mut add = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    if *version >= OWN_POLICIES {
        add("--policy", "disabled=true".into());
    }
    add("--platform", plan.platform.to_string().into());
    if let Some(target) = &plan.target {
        add("--target", target.into());
    }
    for (name, value) in request::build_args(plan, Some(&Platform::of_this_machine())) {
        add("--build-arg", format!("{name}={value}").into());
    }
    for (name, value) in &plan.labels {
        add("--label", format!("{name}={value}").into());
    }
    for (name, named) in &staged.named {
        let source = match named {
            Named::Local(folder) => folder.to_string_lossy().into_owned(),
            Named::Layout(folder, digest) => format!("oci-layout://{}@{digest}", folder.display()),
            Named::Remote(source) => source.clone(),
        };
        add("--build-context", format!("{name}={source}").into());
    }
    if let Some(network) = request::network(plan) {
        add("--network", network.into());
    }
    if let Some(entry) = request::host_entry(plan) {
        add("--add-host", entry.into());
    }
    for entitlement in request::entitlements(plan) {
        add("--allow", entitlement.into());
    }
    for (id, path) in plan.secrets.iter().chain(&staged.secrets) {
        add("--secret", request::secret(id, &path.to_string_lossy()).into());
    }
    for id in &plan.ssh {
        add("--ssh", id.into());
    }
    add("--file", staged.dockerfile.join("Dockerfile").into());
    add("--output", request::output(&staged.image().to_string_lossy()).into());
    add("--metadata-file", staged.metadata().into());
    if plan.no_cache {
        arguments.push("--no-cache".into());
    }
    arguments.extend(["--".into(), staged.context.clone().into()]);
    arguments
}
