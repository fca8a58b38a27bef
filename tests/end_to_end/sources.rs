//! Where engines that are called without a project take locked bytes from: the rig's registry and servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use repro::parts::cancel::Cancel;
use repro::parts::config::Config;
use repro::parts::engine::native::Sources;
use repro::parts::http::{Client, Offline, Proxies, Retry, Settings, Timeouts};
use repro::parts::limits::Limits;
use repro::parts::process::{Environment, Programs};
use repro::parts::progress::Silent;
use repro::parts::registry::{Logins, Registry};
use repro::parts::resolve::{Git, Resolver};
use repro::parts::store::Cache;

/// The user's configuration that the rig wrote.
pub fn config() -> Config {
    let path = std::env::var("REPRO_CONFIG").unwrap();
    Config::parse(&fs::read_to_string(&path).unwrap(), Path::new(&path)).unwrap()
}

/// A resolver with the rig's mirrors that keeps what it reads in `cache` and knows these layouts by name.
pub fn sources(cache: &Path, layouts: &[(&str, PathBuf)]) -> Arc<dyn Sources> {
    let settings = Settings {
        config: Arc::new(config()),
        proxies: Proxies::default(),
        limits: Limits::default(),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            response: Duration::from_secs(30),
            idle: Duration::from_secs(30),
        },
        retry: Retry::default(),
        offline: Offline::No,
        cancel: Cancel::default(),
        progress: Arc::new(Silent),
    };
    let programs = Programs::from_path(&std::env::var_os("PATH").unwrap());
    Arc::new(Resolver {
        registry: Registry::new(Client::new(settings), Logins::default()),
        cache: Cache::new(cache),
        git: Git::find(&programs, &Environment::new(std::env::vars_os())),
        layouts: layouts.iter().map(|(name, path)| ((*name).to_owned(), path.clone())).collect(),
        bundles: Default::default(),
        ages: false,
    })
}
