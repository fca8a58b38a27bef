//! RUN: a step in a sandbox over the trees of the build, and what it leaves, as a layer in memory.
//!
//! The way of a step: `command` and `variables` say what is run, `account` by whom, `mounts` with what beside. `places`
//! knows where the trees are on disk, and writes those that are not there yet (`write`; base images once, into the user's
//! store). The sandbox runs the step in an overlay on top, and `upper` reads what it left there back into memory, where
//! `diff` makes a layer of it as of any other instruction's. `times` keeps apart what is of a moment of the build.

mod account;
mod command;
mod mounts;
mod places;
mod times;
mod upper;
mod variables;
mod write;

use std::path::Path;
use std::time::{Duration, Instant};

use account::Account;
use command::{CommandWords, SCRIPTS};
use mounts::{Caches, Mounting};
use places::Places;
pub(super) use variables::Variables;
use write::writing;

use super::filesystem::{Filesystem, Tree};
use super::problem::{Problem, failed};
use crate::build::{Plan, Surroundings};
use crate::digest::DiffId;
use crate::dockerfile::mount::Mount;
use crate::dockerfile::quote::quote;
use crate::dockerfile::target::RunStep;
use crate::image::config::RunConfig;
use crate::process::readable;
use crate::sandbox::{Confined, Layers, Mounted, SandboxError, Source, Watched, Writable};
use crate::status::{ExitStatus, Status};

/// The host's name, as BuildKit's steps find it.
const HOST_NAME: &str = "buildkitsandbox";

/// What a verdict is told where steps ran and files have set-user-id or capabilities.
pub(super) const GAINS_NOTHING: &str = "RUN ran in the native engine's sandbox, where programs with set-user-id or file capabilities gain no rights \
     as they do with BuildKit, and files of the build have them: an image whose steps start one may differ";

/// Build arguments that are the machine's proxies: each sets a variable in both spellings.
const PROXIES: [&str; 5] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/// One step, with the trees that it looks into.
pub(super) struct Asked<'a> {
    pub(super) step: &'a RunStep,
    /// The tree that it changes.
    pub(super) lower: Option<Tree>,
    /// Where each of its mounts comes from.
    pub(super) sources: &'a [Option<Option<Tree>>],
    /// The stage's config so far.
    pub(super) config: &'a RunConfig,
    /// The stage's variables so far.
    pub(super) variables: &'a Variables,
}

/// What a step made.
pub(super) struct Done {
    /// The tree afterwards.
    pub(super) tree: Tree,
    /// The history's text.
    pub(super) created_by: Vec<u8>,
}

/// Runs the steps of one build.
pub(super) struct Runner {
    places: Places,
    caches: Caches,
}

impl Runner {
    /// A runner whose base images are in `store`, and everything else in `work`.
    pub(super) fn new(store: &Path, work: &Path) -> Result<Self, Problem> {
        Ok(Self { places: Places::new(store, work)?, caches: Caches::default() })
    }

    /// `upper` was made of `lower`.
    pub(super) fn know(&mut self, upper: Tree, lower: Option<Tree>) {
        self.places.know(upper, lower);
    }

    /// `tree` is the base image of these layers.
    pub(super) fn know_base(&mut self, tree: Tree, diff_ids: &[DiffId]) {
        self.places.know_base(tree, diff_ids);
    }

    /// Runs a step.
    pub(super) fn run(
        &mut self,
        files: &mut Filesystem,
        asked: &Asked<'_>,
        plan: &Plan,
        surroundings: &Surroundings<'_>,
    ) -> Result<Done, Problem> {
        let command = CommandWords::of(asked.step, &asked.config.shell)?;
        let line = quote(&command.line());
        let unsuccessful = |why: &str| format!("process {line} did not complete successfully: {why}");
        let account = Account::find(files, asked.lower, &asked.config.user).map_err(|problem| match problem {
            Problem::Failed(message) => Problem::Failed(unsuccessful(&message)),
            problem => problem,
        })?;
        if account.identity.uid != 0
            && let Some(program) = command.gains_rights()
        {
            let program = String::from_utf8_lossy(program);
            return Err(Problem::Unproven(format!("`{program}` as a user gains no rights in this engine's sandbox")));
        }
        let directory = match asked.config.working_dir.as_slice() {
            b"" => b"/".to_vec(),
            directory => directory.to_vec(),
        };
        let mut variables = variables_of(asked.variables, plan);
        let mounts = self.mounts(files, asked, plan, surroundings, (&directory, &mut variables), &command)?;
        variables.set_default(b"HOME", &account.home);
        let lower = self.places.layers(files, asked.lower, &surroundings.cancel)?;
        let writable = self.writable()?;
        let upper = writable.upper.clone();
        let confined = Confined {
            arguments: command.words.clone(),
            environment: variables.environment(),
            directory,
            identity: account.identity,
            root: Layers { lower: lower.clone(), upper: Some(writable) },
            mounts,
            host_name: HOST_NAME.to_owned(),
        };
        let name = command.heading();
        let tell = |line: &str| {
            surroundings.progress.log(line);
            if let Some(line) = readable(line) {
                surroundings.progress.state(&name, &line);
            }
        };
        let time = Duration::from_secs(surroundings.limits.build_time);
        surroundings.progress.step(&name, 0, None);
        let started = Instant::now();
        let ended =
            confined.run(&self.places.directory("step")?, &Watched { cancel: &surroundings.cancel, time, tell: &tell });
        let is_good = ended.as_ref().is_ok_and(|ended| ended.status == 0);
        let how = if is_good { format!("{:.1}s", started.elapsed().as_secs_f32()) } else { "ERROR".to_owned() };
        surroundings.progress.finished(&name, &how);
        let ended = ended.map_err(broken)?;
        if ended.status != 0 {
            let log: String = ended.last_lines.iter().map(|line| format!("\n  | {line}")).collect();
            return failed(unsuccessful(&format!("exit code: {}{log}", ended.status)));
        }
        let tree = upper::read_back(files, asked.lower, &upper, &self.places.times, surroundings.bounds())?;
        self.places.know_layer(tree, lower, upper);
        Ok(Done { tree, created_by: command.history(asked.variables) })
    }

    fn writable(&mut self) -> Result<Writable, Problem> {
        let upper = self.places.directory("upper")?;
        // A new layer's root is 0755, whatever is below.
        rustix::fs::chmod(&upper, rustix::fs::Mode::from_raw_mode(0o755)).map_err(writing(&upper))?;
        Ok(Writable { upper, work: self.places.directory("work")? })
    }

    fn mounts(
        &mut self,
        files: &mut Filesystem,
        asked: &Asked<'_>,
        plan: &Plan,
        surroundings: &Surroundings<'_>,
        (directory, variables): (&[u8], &mut Variables),
        command: &CommandWords,
    ) -> Result<Vec<Mounted>, Problem> {
        let mut mounting = Mounting {
            files,
            places: &mut self.places,
            caches: &mut self.caches,
            surroundings: &plan.run,
            cancel: &surroundings.cancel,
            directory,
            variables,
            agents: 0,
            made: Vec::new(),
        };
        for (mount, from) in asked.step.mounts.iter().zip(asked.sources) {
            mounting.add(&mount.mount, *from)?;
        }
        if let Some((name, body)) = &command.script {
            let at = mounting.places.directory("script")?;
            let file = at.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
            std::fs::write(&file, body).map_err(writing(&file))?;
            for path in [&at, &file] {
                rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(0o755)).map_err(writing(path))?;
            }
            let target = path_of_scripts();
            mounting.made.push(Mounted { target, source: Source::Path(at), read_only: true, is_inert: false });
        }
        Ok(mounting.finish())
    }
}

fn path_of_scripts() -> Vec<u8> {
    SCRIPTS.trim_end_matches('/').as_bytes().to_vec()
}

/// What the manifest gives to RUN beyond the Dockerfile's own.
fn variables_of(stage: &Variables, plan: &Plan) -> Variables {
    let mut variables = stage.clone();
    for (name, value) in &plan.parameters.args {
        if PROXIES.contains(&name.to_lowercase().as_str()) {
            variables.set(name.to_uppercase().as_bytes(), value.as_bytes());
            variables.set(name.to_lowercase().as_bytes(), value.as_bytes());
        }
    }
    for (name, value) in &plan.run.variables {
        variables.set(name.as_bytes(), value.as_bytes());
    }
    variables
}

fn broken(error: SandboxError) -> Problem {
    match error {
        SandboxError::Directory(source) => Problem::Io { what: "the sandbox's directory".to_owned(), source },
        SandboxError::Process(crate::process::ProcessError::Cancelled(cancelled)) => Problem::Cancelled(cancelled),
        error if error.status() == Status::Build => Problem::Failed(error.to_string()),
        error => Problem::Io { what: "running a step".to_owned(), source: std::io::Error::other(error.to_string()) },
    }
}

/// The right that a step asks for and the manifest does not allow, as BuildKit calls it.
pub(super) fn not_allowed(step: &RunStep, plan: &Plan) -> Option<&'static str> {
    let asked = match step.network {
        _ if step.insecure => "security.insecure",
        crate::dockerfile::syntax::Network::Host => "network.host",
        _ => return None,
    };
    let is_allowed = plan.run.allow.iter().any(|allow| allow.what == asked);
    (!is_allowed).then_some(asked)
}

/// What this engine can't give a step as BuildKit does; said before anything runs.
pub(super) fn unproven(step: &RunStep, plan: &Plan) -> Option<&'static str> {
    use crate::dockerfile::mount::MountKind;
    use crate::dockerfile::syntax::Network;
    let is_agent = |mount: &Mount| mount.kind == MountKind::Ssh;
    match step.network {
        Network::None => {}
        Network::Host => return Some("the builder's own network"),
        Network::Default if plan.run.network != crate::manifest::Network::None => {
            return Some("a network, which only a tape that BuildKit plays can give it");
        }
        Network::Default => {}
    }
    if step.insecure {
        return Some("the rights of the whole machine");
    }
    if !plan.run.ssh.is_empty() && step.mounts.iter().any(|mount| is_agent(&mount.mount)) {
        return Some("an ssh agent");
    }
    None
}
