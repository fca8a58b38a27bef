//! What a bug report should say of the program and of what it works with, without anything that is the user's own: no
//! names of hosts, no addresses, no paths.

use std::fs::File;
use std::io;
use std::path::Path;

use super::doctor::doctor;
use super::machine::Machine;
use super::record::FORM;
use crate::digest::{Digest, Hashing};
use crate::lockfile;
use crate::status::Failure;

/// What is told.
pub struct SelfReport {
    /// The program's version.
    pub version: &'static str,
    /// What it was compiled for.
    pub target: String,
    /// How it was compiled and linked.
    pub build: &'static str,
    /// Of the program's file, if that can be read.
    pub program: Option<Digest>,
    /// The image form that it writes.
    pub form: u32,
    /// The lockfile version that it writes.
    pub lockfile: u32,
    /// The engines, in the order in which `auto` tries them.
    pub engines: Vec<EngineVersions>,
    /// None where there is no configuration.
    pub configuration: Option<Counts>,
}

/// One engine.
pub struct EngineVersions {
    /// Its name.
    pub name: &'static str,
    /// Whether nothing is missing.
    pub is_usable: bool,
    /// Programs and daemons, each with what it says of itself.
    pub found: Vec<String>,
}

/// How much a configuration says.
pub struct Counts {
    /// Registries.
    pub registries: usize,
    /// Mirrors of files.
    pub mirrors: usize,
}

/// Looks at the machine and at the file `program`.
pub fn self_report(machine: &Machine, program: Option<&Path>) -> Result<SelfReport, Failure> {
    let health = doctor(machine, None)?;
    let engines = health.engines.into_iter().map(|engine| EngineVersions {
        name: engine.engine,
        is_usable: engine.missing.is_empty(),
        // Where a daemon is asked is the user's own.
        found: engine
            .found
            .into_iter()
            .filter(|(what, _)| what != "daemon" && what != "platforms" && what != "repro")
            .map(|(what, value)| format!("{what} {value}"))
            .collect(),
    });
    let configuration = health.configuration.filter(|configuration| configuration.is_there);
    Ok(SelfReport {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        build: match (cfg!(debug_assertions), cfg!(target_feature = "crt-static")) {
            (true, true) => "debug, static",
            (true, false) => "debug",
            (false, true) => "static",
            (false, false) => "dynamic",
        },
        program: program.and_then(|path| digest(path).ok()),
        form: FORM,
        lockfile: lockfile::VERSION,
        engines: engines.collect(),
        configuration: configuration
            .map(|found| Counts { registries: found.registries.len(), mirrors: found.mirrors.len() }),
    })
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut hashing = Hashing::new(io::sink());
    io::copy(&mut File::open(path)?, &mut hashing)?;
    let (_, hasher) = hashing.into_parts();
    Ok(hasher.digest())
}
