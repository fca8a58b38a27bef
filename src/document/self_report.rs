//! The document of `repro self-report`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::SelfReport;

/// What `repro self-report` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SelfReportDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The program that runs; null on failure.
    pub program: Option<ProgramDocument>,
    /// The engines, in the order in which `auto` tries them.
    pub engines: Vec<EngineVersions>,
    /// How much the user's configuration says; null where there is none.
    pub configuration: Option<ConfigurationCounts>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// The program that runs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ProgramDocument {
    /// Its version.
    pub version: String,
    /// What it was compiled for, as `x86_64-linux`.
    pub target: String,
    /// How it was compiled and linked.
    pub build: String,
    /// Of its file; null where that can't be read.
    pub digest: Option<String>,
    /// The image form that it writes.
    pub form: u32,
    /// The lockfile version that it writes.
    pub lockfile: u32,
}

/// One engine.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EngineVersions {
    /// Its name, as `--engine` takes it.
    pub engine: String,
    /// Whether nothing is missing.
    pub usable: bool,
    /// Programs and daemons with their versions, no addresses.
    pub found: Vec<String>,
}

/// How much a configuration says; its names are the user's own.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ConfigurationCounts {
    /// Registries.
    pub registries: u64,
    /// Mirrors of files.
    pub mirrors: u64,
}

impl SelfReportDocument {
    /// The document of a failure, but for the failure.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, program: None, engines: Vec::new(), configuration: None, error: None }
    }

    /// The document of what is told.
    pub fn of(told: &SelfReport) -> Self {
        let program = ProgramDocument {
            version: told.version.to_owned(),
            target: told.target.clone(),
            build: told.build.to_owned(),
            digest: told.program.as_ref().map(ToString::to_string),
            form: told.form,
            lockfile: told.lockfile,
        };
        let engines = told.engines.iter().map(|engine| EngineVersions {
            engine: engine.name.to_owned(),
            usable: engine.is_usable,
            found: engine.found.clone(),
        });
        let configuration = told
            .configuration
            .as_ref()
            .map(|counts| ConfigurationCounts { registries: counts.registries as u64, mirrors: counts.mirrors as u64 });
        Self { program: Some(program), engines: engines.collect(), configuration, ..Self::empty() }
    }
}
