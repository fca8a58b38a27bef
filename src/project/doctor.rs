//! What is here: engines, the configuration in force, the cache. Nothing is built, and nothing is started but for a question.

use std::path::PathBuf;

use super::engines::host;
use super::machine::Machine;
use super::online;
use crate::build::WorkDirectories;
use crate::engine::buildkit::{DaemonAddress, examine};
use crate::engine::examined::Examined;
use crate::status::Failure;
use crate::store::CacheUse;

/// What was found.
pub struct Health {
    /// The engines, in the order in which `auto` tries them.
    pub engines: Vec<Examined>,
    /// The user's configuration, if there is a place for one.
    pub configuration: Option<Configuration>,
    /// The cache's directory.
    pub cache: PathBuf,
    /// What it holds.
    pub usage: CacheUse,
}

/// The user's configuration.
pub struct Configuration {
    /// Its file.
    pub file: PathBuf,
    /// Whether that is there.
    pub is_there: bool,
    /// Registries that it says something of.
    pub registries: Vec<String>,
    /// Addresses of files that are asked elsewhere.
    pub mirrors: Vec<String>,
}

/// Looks at the machine; a daemon at `address` is asked what it is.
pub fn doctor(machine: &Machine, address: Option<&DaemonAddress>) -> Result<Health, Failure> {
    let config = online::config(machine)?;
    let host = host(machine)?;
    // Programs that are asked write nothing.
    let work = PathBuf::from("/");
    let mut native = Examined::new("native");
    native.found("repro", env!("CARGO_PKG_VERSION"));
    native.can("Dockerfiles without RUN and `# syntax=`, and images of layers, for every platform");
    let runs = cfg!(all(target_os = "linux", target_arch = "x86_64")) && rustix::process::geteuid().is_root();
    if runs {
        native.can("RUN without a network, asked for by name (`--engine native`), where the kernel has overlayfs and name spaces for it");
    } else {
        native.cannot("RUN, which takes root on Linux and x86-64");
    }
    native.cannot("tapes, and RUN with a network");
    let mut engines = vec![native];
    engines.extend(examine(&host, address, &work, &machine.around(&work as &dyn WorkDirectories)));
    let cache = machine.cache()?;
    Ok(Health {
        engines,
        configuration: online::config_file(machine).map(|(file, _)| Configuration {
            is_there: file.exists(),
            file,
            registries: config.registries.keys().cloned().collect(),
            mirrors: config.mirrors.keys().cloned().collect(),
        }),
        cache: machine.cache_directory()?,
        usage: cache.usage()?.0,
    })
}
