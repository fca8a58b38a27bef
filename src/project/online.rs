//! What a command needs to reach sources: the user's configuration, logins, mirrors, the cache.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files::read_text;
use super::machine::Machine;
use super::open::Project;
use crate::config::Config;
use crate::http::{Client, Offline, Proxies, Retry, Secret, Settings, Timeouts};
use crate::manifest::{Image, NamedContext};
use crate::process::{Environment, Programs};
use crate::registry::{Logins, Registry};
use crate::resolve::{Git, Resolver};
use crate::source::Reader;
use crate::status::Failure;
use crate::store::Cache;

/// The user's configuration; empty if there is no file.
pub fn config(machine: &Machine) -> Result<Config, Failure> {
    let Some((path, named)) = config_file(machine) else { return Ok(Config::default()) };
    if !named && !path.exists() {
        return Ok(Config::default());
    }
    let text = read_text(&path, machine.limits.manifest_file)?;
    Ok(Config::parse(&text, &path)?)
}

/// The configuration's path, and whether the user named it.
pub(super) fn config_file(machine: &Machine) -> Option<(PathBuf, bool)> {
    if let Some(path) = machine.variable("REPRO_CONFIG") {
        return Some((machine.resolve(Path::new(path)), true));
    }
    let directory = machine
        .variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| machine.variable("HOME").map(|home| Path::new(home).join(".config")))?;
    Some((directory.join("repro").join("config.toml"), false))
}

/// The programs of `PATH`.
pub fn programs(machine: &Machine) -> Programs {
    Programs::from_path(machine.variable("PATH").unwrap_or(OsStr::new("")))
}

/// The environment as children get parts of it.
pub fn environment(machine: &Machine) -> Environment {
    Environment::new(machine.environment.clone())
}

/// The user's logins.
pub fn logins(machine: &Machine) -> Logins {
    let user = rustix::process::getuid().as_raw();
    Logins::from_variables(|name| machine.variable(name).map(OsStr::to_owned), user, programs(machine))
}

/// A client of all registries, with the user's logins and mirrors.
pub fn registry(machine: &Machine) -> Result<Registry, Failure> {
    Ok(Registry::new(client(machine)?, logins(machine)))
}

/// A client that tries one login, which is not kept yet.
pub fn registry_with_login(machine: &Machine, host: &str, user: &str, password: &Secret) -> Result<Registry, Failure> {
    Ok(Registry::new(client(machine)?, Logins::of_one(host, user, password)))
}

fn client(machine: &Machine) -> Result<Client, Failure> {
    let variable = |name: &str| machine.variable(name).map(|value| value.to_string_lossy().into_owned());
    let settings = Settings {
        config: Arc::new(config(machine)?),
        proxies: Proxies::from_variables(variable),
        limits: machine.limits.clone(),
        timeouts: Timeouts {
            connect: Duration::from_secs(machine.limits.connect_time),
            response: Duration::from_secs(machine.limits.response_time),
            idle: Duration::from_secs(machine.limits.idle_time),
        },
        retry: Retry::default(),
        cancel: machine.cancel.clone(),
        progress: machine.progress.clone(),
        offline: match &machine.vendor {
            Some(vendor) if vendor.is_only => Offline::Vendored,
            _ if machine.offline => Offline::Asked,
            _ => Offline::No,
        },
    };
    Ok(Client::new(settings))
}

/// Reads images, wherever they are; without `registries` no host is asked.
pub fn reader<'a>(machine: &'a Machine, registries: Option<(&'a Registry, &'a Cache)>) -> Reader<'a> {
    Reader {
        registries,
        programs: programs(machine),
        environment: environment(machine),
        directory: &machine.directory,
        limits: &machine.limits,
        cancel: &machine.cancel,
    }
}

/// Resolves and fetches the sources of a project's images.
pub fn resolver(machine: &Machine, project: &Project, ages: bool) -> Result<Resolver, Failure> {
    Ok(Resolver {
        registry: registry(machine)?,
        cache: machine.cache()?,
        git: Git::find(&programs(machine), &environment(machine)),
        layouts: layouts(project),
        bundles: machine.vendor.as_ref().map(|vendor| vendor.folder.bundles().clone()).unwrap_or_default(),
        ages,
    })
}

/// The same for questions that no host is asked for: without a directory for the cache, nothing is at hand.
pub fn offline_resolver(machine: &Machine, project: &Project) -> Result<Option<Resolver>, Failure> {
    match machine.cache_directory() {
        Ok(_) => resolver(&machine.without_network(), project, false).map(Some),
        Err(_) => Ok(None),
    }
}

/// The layouts of all images, by the name of their context.
fn layouts(project: &Project) -> BTreeMap<String, PathBuf> {
    let of_image = |image: &Image| {
        let contexts = image.files.contexts.clone().into_iter();
        contexts.filter_map(|(name, context)| match context {
            NamedContext::Layout { path, .. } => Some((name, project.manifest.root.join(path))),
            _ => None,
        })
    };
    project.manifest.images.values().flat_map(of_image).collect()
}
