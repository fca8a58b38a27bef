//! What a command needs to reach sources: the user's configuration, logins, mirrors, the cache.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::project::{Project, read_text};
use super::session::Session;
use crate::config::Config;
use crate::http::{Client, Proxies, Retry, Settings, Timeouts};
use crate::manifest::{Image, NamedContext};
use crate::process::{Environment, Programs};
use crate::registry::{Logins, Registry};
use crate::resolve::{Git, Resolver};
use crate::status::Failure;

/// The user's configuration; empty if there is no file.
pub fn config(session: &Session) -> Result<Config, Failure> {
    let Some((path, named)) = config_file(session) else { return Ok(Config::default()) };
    if !named && !path.exists() {
        return Ok(Config::default());
    }
    let text = read_text(&path, session.limits.manifest_file)?;
    Ok(Config::parse(&text, &path)?)
}

/// The configuration's path, and whether the user named it.
fn config_file(session: &Session) -> Option<(PathBuf, bool)> {
    if let Some(path) = session.variable("REPRO_CONFIG") {
        return Some((session.resolve(Path::new(path)), true));
    }
    let folder = session
        .variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| session.variable("HOME").map(|home| Path::new(home).join(".config")))?;
    Some((folder.join("repro").join("config.toml"), false))
}

/// The programs of `PATH`.
pub fn programs(session: &Session) -> Programs {
    Programs::from_path(session.variable("PATH").unwrap_or(OsStr::new("")))
}

/// The environment as children get parts of it.
pub fn environment(session: &Session) -> Environment {
    Environment::new(session.environment.clone())
}

/// A client of all registries, with the user's logins and mirrors.
pub fn registry(session: &Session) -> Result<Registry, Failure> {
    let variable = |name: &str| session.variable(name).map(|value| value.to_string_lossy().into_owned());
    let settings = Settings {
        config: Arc::new(config(session)?),
        proxies: Proxies::from_variables(variable),
        limits: session.limits.clone(),
        timeouts: Timeouts {
            connect: Duration::from_secs(session.limits.connect_time),
            answer: Duration::from_secs(session.limits.answer_time),
            idle: Duration::from_secs(session.limits.idle_time),
        },
        retry: Retry::default(),
        cancel: session.cancel.clone(),
        progress: session.progress.clone(),
        offline: session.offline,
    };
    let user = rustix::process::getuid().as_raw();
    let logins = Logins::from_variables(|name| session.variable(name).map(OsStr::to_owned), user, programs(session));
    Ok(Registry::new(Client::new(settings), logins))
}

/// Resolves and fetches the sources of a project's images.
pub fn resolver(session: &Session, project: &Project, ages: bool) -> Result<Resolver, Failure> {
    Ok(Resolver {
        registry: registry(session)?,
        cache: session.cache()?,
        git: Git::find(&programs(session), &environment(session)),
        layouts: layouts(project),
        ages,
    })
}

/// The same for questions that no host is asked for: without a folder for the cache, nothing is at hand.
pub fn offline_resolver(session: &Session, project: &Project) -> Result<Option<Resolver>, Failure> {
    match session.cache_folder() {
        Ok(_) => resolver(&session.without_network(), project, false).map(Some),
        Err(_) => Ok(None),
    }
}

/// The layouts of all images, by the name of their context.
fn layouts(project: &Project) -> BTreeMap<String, PathBuf> {
    let of_image = |image: &Image| {
        let contexts = image.contexts.clone().into_iter();
        contexts.filter_map(|(name, context)| match context {
            NamedContext::Layout { path, .. } => Some((name, project.manifest.root.join(path))),
            _ => None,
        })
    };
    project.manifest.images.values().flat_map(of_image).collect()
}
