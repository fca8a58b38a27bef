//! `docker buildx`, with a builder of its own that runs the locked image, or with one of the user's.

mod builder;
mod existing;
mod programs;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use semver::Version;
use serde::Deserialize;

pub use self::programs::find_buildx;

use self::builder::Builder;
use self::existing::Existing;
use self::programs::Programs;
use super::connection::{Client, Connection};
use super::docker_config;
use super::scoped_logins::SeveralLogins;
use crate::build::{Plan, Surroundings};
use crate::engine::buildkit::command::ask;
use crate::engine::buildkit::daemon::Control;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::engine::buildkit::input::{Named, Staged, options};
use crate::engine::sources::Sources;
use crate::escape;
use crate::json;
use crate::limits::Limits;
use crate::lockfile::BuildkitPin;
use crate::platform::Platform;
use crate::process::Command;
use crate::status::Failure;

const NAME: &str = "buildx";
/// The first buildx that reads policies of its own, which must be switched off.
const OWN_POLICIES: Version = Version::new(0, 31, 0);
/// The first buildx that takes a source policy.
const OLDEST: Version = Version::new(0, 14, 0);
/// Names the file of the source policy.
const POLICY: &str = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

/// `docker buildx`, and the image that its builder runs.
pub struct Buildx {
    host: Host,
    sources: Arc<dyn Sources>,
    image: Option<BuildkitPin>,
    /// The user's own builder, by name.
    own: Option<String>,
}

/// The builder that a build goes to.
enum Chosen {
    /// It runs the locked image and nothing else.
    Ours(Builder),
    /// It is there already, and others may use it.
    Users(Existing),
}

impl Chosen {
    fn name(&self) -> &str {
        match self {
            Self::Ours(builder) => &builder.name,
            Self::Users(existing) => existing.name(),
        }
    }
}

impl Buildx {
    /// The client of the user's builder `own`, or else of one that runs the locked `image`.
    pub fn new(host: Host, sources: Arc<dyn Sources>, image: Option<BuildkitPin>, own: Option<String>) -> Self {
        Self { host, sources, image, own }
    }

    fn users(&self, limits: &Limits) -> Result<Option<Existing>, BuildKitError> {
        let Some(name) = &self.own else { return Ok(None) };
        let directory = existing::directory(&self.host).unwrap_or_default();
        Existing::read(&directory, name, limits).map(Some)
    }

    fn image(&self) -> Result<&BuildkitPin, BuildKitError> {
        self.image.as_ref().ok_or_else(|| BuildKitError::Missing {
            engine: NAME,
            lacks: "the lockfile pins no BuildKit image".to_owned(),
            fix: "name one in the manifest, `image = \"moby/buildkit:v0.34.2\"` in `[buildkit]`, then `repro lock`"
                .to_owned(),
        })
    }

    /// The way to the builder that serves `plan`, whether it is there or not.
    fn way(&self, plan: &Plan, work: &Path, surroundings: &Surroundings<'_>) -> Result<AtBuilder, Failure> {
        let (docker_config, several_logins) = docker_config::write(&self.host, plan, work, surroundings.limits)?;
        let mut programs = Programs::find(&self.host, &docker_config, work)?;
        let version = version_of(&programs, surroundings)?;
        let (builder, control, shares_network) = match self.users(surroundings.limits)? {
            Some(existing) => {
                programs.use_state_of_user(existing::directory(&self.host).unwrap_or_default());
                let control = existing.control(&programs, &self.host, &plan.platform)?;
                let shares_network = existing.shares_network(&plan.platform);
                (Chosen::Users(existing), control, shares_network)
            }
            None => {
                let builder = Builder::new(&self.host, plan, self.image()?, !several_logins.is_empty());
                let control = Control(programs.docker.clone().args(["exec", &builder.container(), "buildctl"]));
                let shares_network = builder.host_network;
                (Chosen::Ours(builder), control, shares_network)
            }
        };
        Ok(AtBuilder { programs, version, builder, control, several_logins, shares_network })
    }
}

impl Client for Buildx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, plan: &Plan) -> Result<(), BuildKitError> {
        if let Some(name) = plan.inputs.contexts.keys().find(|name| name.contains("::")) {
            return Err(BuildKitError::Unusable {
                message: format!("buildx takes no context for one platform: `{}`", escape::text(name)),
                fix: "`--engine buildctl` takes it, and `--engine native` where there is no RUN".to_owned(),
            });
        }
        match &self.own {
            None => drop(self.image()?),
            Some(_) => drop(self.users(&Limits::default())?),
        }
        if let (Some(name), Some(_)) = (&self.own, &plan.run.tape) {
            let name = escape::text(name);
            return Err(BuildKitError::Unusable {
                message: format!(
                    "the builder `{name}` can't be told to confine RUN to the tape: buildx has no option for it"
                ),
                fix: format!(
                    "`--engine buildctl --addr docker-container://buildx_buildkit_{name}0`, or `--engine buildx` without `--builder`"
                ),
            });
        }
        Programs::find(&self.host, Path::new("/"), Path::new("/"))?;
        Ok(())
    }

    fn connect<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Connection + 'a>, Failure> {
        let way = self.way(plan, work, surroundings)?;
        match &way.builder {
            Chosen::Ours(builder) => builder.ensure(&way.programs, (&self.host, &self.sources), work, surroundings)?,
            Chosen::Users(existing) => {
                existing.start(&way.programs, &self.host, &plan.platform, surroundings)?;
            }
        }
        Ok(Box::new(way))
    }

    fn describe<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Box<dyn Connection + 'a>, Vec<Command>), Failure> {
        let way = self.way(plan, work, surroundings)?;
        let first = match &way.builder {
            Chosen::Ours(builder) => {
                vec![builder.create(&way.programs, work, &builder.first_image(&self.host.config))?]
            }
            Chosen::Users(_) => Vec::new(),
        };
        Ok((Box::new(way), first))
    }
}

/// buildx with the builder that it uses.
struct AtBuilder {
    programs: Programs,
    version: Version,
    builder: Chosen,
    control: Control,
    several_logins: Vec<SeveralLogins>,
    shares_network: bool,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "buildx.build.ref")]
    reference: Option<String>,
}

impl Connection for AtBuilder {
    fn engine(&self) -> &'static str {
        NAME
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn reaches_loopback(&self) -> bool {
        self.shares_network
    }

    fn several_logins(&self) -> &[SeveralLogins] {
        &self.several_logins
    }

    fn is_shared(&self) -> bool {
        matches!(self.builder, Chosen::Users(_))
    }

    fn own_variables(&self) -> &'static [&'static str] {
        &["DOCKER_CONFIG", "BUILDX_CONFIG", POLICY]
    }

    /// buildx keeps the names of the main context and of the Dockerfile's directory for itself.
    fn local_name(&self, name: &str, _directory: &Path) -> String {
        if name == "context" || name == "dockerfile" { format!("_{name}") } else { name.to_owned() }
    }

    /// What `BUILDPLATFORM` is says the client, which runs on this machine.
    fn build_command(&self, plan: &Plan, staged: &Staged, policy: &Path, _builder: Option<&Platform>) -> Command {
        let mut command =
            self.programs.buildx.clone().args(arguments(plan, staged, self.builder.name(), &self.version));
        command.environment.insert(POLICY.into(), policy.into());
        command
    }

    /// The last part of `builder/node/name`.
    fn reference(&self, staged: &Staged, limits: &Limits) -> String {
        let bytes = fs::read(staged.metadata()).unwrap_or_default();
        let metadata: Option<Metadata> = json::parse(&bytes, limits).ok();
        let whole = metadata.and_then(|metadata| metadata.reference).unwrap_or_default();
        whole.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// Asks buildx for its version: `github.com/docker/buildx v0.36.1 …`.
fn version_of(programs: &Programs, surroundings: &Surroundings<'_>) -> Result<Version, BuildKitError> {
    let response = ask(&programs.buildx.clone().arg("version"), surroundings)?;
    let response = String::from_utf8_lossy(&response);
    let word = response.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('v');
    let numbers = word.split(['-', '+']).next().and_then(|numbers| Version::parse(numbers).ok());
    match numbers {
        Some(version) if version >= OLDEST => Ok(version),
        _ => Err(BuildKitError::Unusable {
            message: format!("buildx is `{}`, expected v{OLDEST} or newer", escape::text(word)),
            fix: "install a newer buildx: https://github.com/docker/buildx/releases".to_owned(),
        }),
    }
}

fn arguments(plan: &Plan, staged: &Staged, builder: &str, version: &Version) -> Vec<OsString> {
    let fixed = ["build", "--builder", builder, "--progress=plain", "--provenance=false", "--sbom=false"];
    let mut arguments: Vec<OsString> = fixed.map(Into::into).into();
    let mut add = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    if *version >= OWN_POLICIES {
        add("--policy", "disabled=true".into());
    }
    add("--platform", plan.platform.to_string().into());
    if let Some(target) = &plan.parameters.target {
        add("--target", target.into());
    }
    for (name, value) in options::build_args(plan, Some(&Platform::of_this_machine())) {
        add("--build-arg", format!("{name}={value}").into());
    }
    for (name, value) in &plan.form.labels {
        add("--label", format!("{name}={value}").into());
    }
    for (name, named) in &staged.named {
        let source = match named {
            Named::Local(directory) => directory.to_string_lossy().into_owned(),
            Named::Layout(directory, digest) => format!("oci-layout://{}@{digest}", directory.display()),
            Named::Remote(source) => source.clone(),
        };
        add("--build-context", format!("{name}={source}").into());
    }
    if let Some(network) = options::network(plan) {
        add("--network", network.into());
    }
    if let Some(entry) = options::host_entry(plan) {
        add("--add-host", entry.into());
    }
    for entitlement in options::entitlements(plan) {
        add("--allow", entitlement.into());
    }
    for (id, path) in plan.run.secrets.iter().chain(&staged.secrets) {
        add("--secret", options::secret(id, &path.to_string_lossy()).into());
    }
    for id in &plan.run.ssh {
        add("--ssh", id.into());
    }
    add("--file", staged.dockerfile.join("Dockerfile").into());
    add("--output", options::output(&staged.image().to_string_lossy()).into());
    add("--metadata-file", staged.metadata().into());
    if plan.no_cache {
        arguments.push("--no-cache".into());
    }
    arguments.extend(["--".into(), staged.context.clone().into()]);
    arguments
}
