//! What `repro build --self-check` tells of two builds.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::Presence;
use crate::escape;
use crate::explain::{ExplainedLayer, Fix};
use crate::project::Checked;

/// What two builds of one platform showed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SelfCheckDocument {
    /// Whether they are equal bit for bit.
    pub reproducible: bool,
    /// Whether RUN could reach everything, so that equal builds prove nothing about what it fetched.
    pub open_network: bool,
    /// The first level that differs: `manifest`, `config`, `layer N` (1-based).
    pub level: Option<String>,
    /// Digest of the second build's image manifest.
    pub second: String,
    /// The layers that differ.
    pub layers: Vec<DifferingLayerDocument>,
    /// Scrub profiles that make differences go away, as repro.toml takes them: tried on both builds.
    pub scrub: Vec<String>,
    /// Whether both builds are equal with these profiles.
    pub mended: bool,
}

/// A layer that two builds do not have in the same way.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DifferingLayerDocument {
    /// Its number, 1-based, base first.
    pub number: usize,
    /// What made it, as the config's history words it.
    pub created_by: String,
    /// Entries of the first build's layer.
    pub entries: u64,
    /// How many paths differ; 0 if only the order or the form of entries does.
    pub differing: u64,
    /// Differing paths, a thousand at most: first those that no profile fixes.
    pub paths: Vec<DifferingPathDocument>,
}

/// A path that two builds do not have in the same way.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DifferingPathDocument {
    /// Absolute.
    pub path: String,
    /// Which builds have it: `both`, `first`, `second`.
    pub builds: String,
    /// What differs: `kind`, `content`, `target`, `device`, `mode`, `owner`, `mtime`, `attributes`.
    pub differs: Vec<String>,
    /// The codes of its causes, the worst first; `docs/diff.md` lists all.
    pub codes: Vec<String>,
    /// What would fix it, best first.
    #[serde(rename = "mends")]
    pub fixes: Vec<FixDocument>,
}

/// One change that makes, or may make, a path the same in every build.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FixDocument {
    /// `scrub` (proved by trying it on both builds), `run-env` or `dockerfile`.
    pub kind: String,
    /// A scrub profile, `NAME = "VALUE"` for `run-env`, or what to change.
    pub change: String,
}

impl SelfCheckDocument {
    /// The document of a check.
    pub fn of(Checked { check, has_open_network, .. }: &Checked) -> Self {
        Self {
            reproducible: check.level.is_none(),
            open_network: *has_open_network,
            level: check.level.map(|level| level.to_string()),
            second: check.second.manifest.to_string(),
            layers: check.layers.iter().map(layer_document).collect(),
            scrub: check.profiles.iter().map(ToString::to_string).collect(),
            mended: check.is_fixed,
        }
    }
}

fn layer_document(layer: &ExplainedLayer) -> DifferingLayerDocument {
    let paths = layer.paths.iter().map(|path| DifferingPathDocument {
        path: format!("/{}", escape::bytes(&path.path)),
        builds: match path.difference.presence {
            Presence::Both => "both",
            Presence::First => "first",
            Presence::Second => "second",
        }
        .to_owned(),
        differs: path.difference.aspects.iter().map(|aspect| aspect.name().to_owned()).collect(),
        codes: path.causes.iter().map(|cause| cause.code.to_owned()).collect(),
        fixes: path.fixes.iter().map(fix_document).collect(),
    });
    let entries = layer.difference.entries.as_ref();
    DifferingLayerDocument {
        number: layer.difference.number,
        created_by: layer.created_by.clone(),
        entries: entries.map_or(0, |differing| differing.entries),
        differing: entries.map_or(0, |differing| differing.count),
        paths: paths.collect(),
    }
}

fn fix_document(fix: &Fix) -> FixDocument {
    let (kind, change) = match fix {
        Fix::Scrub(profile) => ("scrub", (*profile).to_owned()),
        Fix::RunEnv { name, value, .. } => ("run-env", format!("{name} = \"{value}\"")),
        Fix::Dockerfile(change) => ("dockerfile", (*change).to_owned()),
    };
    FixDocument { kind: kind.to_owned(), change }
}
