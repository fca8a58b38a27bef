//! The document of `repro doctor`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::engine::examined::Examined;
use crate::project::{Health, shown};

/// What `repro doctor` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DoctorDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The engines, in the order in which `auto` tries them.
    pub engines: Vec<EngineDocument>,
    /// The user's configuration; null where there is no place for one.
    pub configuration: Option<ConfigurationDocument>,
    /// The cache; null on failure.
    pub cache: Option<CacheSize>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One engine.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EngineDocument {
    /// Its name, as `--engine` takes it.
    pub engine: String,
    /// Whether nothing is missing.
    pub usable: bool,
    /// Programs and daemons, with what they say of themselves.
    pub found: Vec<FoundDocument>,
    /// What it builds here.
    pub can: Vec<String>,
    /// What it does not.
    pub cannot: Vec<String>,
    /// What is missing, with what mends it.
    pub missing: Vec<MissingDocument>,
}

/// Something that was found.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FoundDocument {
    /// What.
    pub what: String,
    /// Its version, address or kind.
    pub value: String,
}

/// Something that is missing.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MissingDocument {
    /// What.
    pub what: String,
    /// The command, page or setting that mends it.
    pub fix: String,
}

/// The configuration in force.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ConfigurationDocument {
    /// Its file.
    pub file: String,
    /// Whether that is there.
    pub exists: bool,
    /// Registries that it says something of.
    pub registries: Vec<String>,
    /// Addresses of files that are asked elsewhere.
    pub mirrors: Vec<String>,
}

/// What the cache holds.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheSize {
    /// Its directory.
    pub directory: String,
    /// Blobs in it.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl DoctorDocument {
    /// The document of a failure, but for the failure.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, engines: Vec::new(), configuration: None, cache: None, error: None }
    }

    /// The document of what was found.
    pub fn of(health: &Health) -> Self {
        let configuration = health.configuration.as_ref().map(|configuration| ConfigurationDocument {
            file: shown(&configuration.file),
            exists: configuration.is_there,
            registries: configuration.registries.clone(),
            mirrors: configuration.mirrors.clone(),
        });
        let cache = CacheSize { directory: shown(&health.cache), blobs: health.usage.blobs, bytes: health.usage.bytes };
        let engines = health.engines.iter().map(EngineDocument::of).collect();
        Self { engines, configuration, cache: Some(cache), ..Self::empty() }
    }
}

impl EngineDocument {
    fn of(examined: &Examined) -> Self {
        let found =
            examined.found.iter().map(|(what, value)| FoundDocument { what: what.clone(), value: value.clone() });
        let missing =
            examined.missing.iter().map(|one| MissingDocument { what: one.what.clone(), fix: one.fix.clone() });
        Self {
            engine: examined.engine.to_owned(),
            usable: examined.missing.is_empty(),
            found: found.collect(),
            can: examined.can.clone(),
            cannot: examined.cannot.clone(),
            missing: missing.collect(),
        }
    }
}
