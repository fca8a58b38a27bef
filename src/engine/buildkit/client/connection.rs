//! What a client is asked, and its way to one daemon.

use std::collections::BTreeMap;
use std::path::Path;

use super::scoped_logins::SeveralLogins;
use crate::build::{Plan, Surroundings};
use crate::engine::buildkit::daemon::Control;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::input::Staged;
use crate::limits::Limits;
use crate::platform::Platform;
use crate::process::Command;
use crate::status::Failure;
use crate::tape::Door;

/// A program that reaches BuildKit.
pub trait Client: Send + Sync {
    /// The name by which users ask for it.
    fn name(&self) -> &'static str;

    /// Refuses, before any work, what the program can't be told, and a machine that lacks what it needs.
    fn check(&self, plan: &Plan) -> Result<(), BuildKitError>;

    /// Whether its daemon runs without root, which some base images can't be built upon.
    fn is_rootless(&self) -> bool {
        false
    }

    /// A way to a daemon that serves `plan`, which is started if need be; files go into the directory `work`.
    fn connect<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Connection + 'a>, Failure>;

    /// The same way, but nothing is started; and the commands that would make it first.
    fn describe<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Box<dyn Connection + 'a>, Vec<Command>), Failure>;
}

/// A client's way to one daemon.
pub trait Connection: Sync {
    /// The client's name.
    fn engine(&self) -> &'static str;

    /// How the daemon is asked.
    fn control(&self) -> &Control;

    /// Whether the daemon can reach this machine's loopback.
    fn reaches_loopback(&self) -> bool;

    /// The registries for which the images of the build need different logins.
    fn several_logins(&self) -> &[SeveralLogins];

    /// Whether somebody else started the daemon, so that others may use it.
    fn is_shared(&self) -> bool;

    /// Variables that the client is given by `repro` and not by the user, as a shell must set them.
    fn own_variables(&self) -> &'static [&'static str];

    /// The name under which the local context `name`, staged in `directory`, is offered to the daemon.
    fn local_name(&self, name: &str, directory: &Path) -> String;

    /// The command that builds what is staged under `policy`, on a daemon whose platform is `builder`.
    fn build_command(&self, plan: &Plan, staged: &Staged, policy: &Path, builder: Option<&Platform>) -> Command;

    /// The daemon's only way out, if it has one.
    fn door(&self) -> Option<&Door> {
        None
    }

    /// How often each URL that begins with `base` was led to since this was asked last; nothing where the daemon does not
    /// tell.
    fn led(&self, _base: &str) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// The name of the build that was run last, in the daemon's history.
    fn reference(&self, staged: &Staged, limits: &Limits) -> String;
}
