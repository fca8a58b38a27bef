//! Metadata files of builds, raw responses of exporters, and predicates by platform.

use serde_json::{Map, Value};

use super::build::{RecordedBuild, unite};
use super::build_info;
use super::error::ImportError;
use super::provenance::{platform_of, predicate};
use crate::escape;
use crate::limits::Limits;
use crate::platform::Platform;

const PROVENANCE: &str = "buildx.build.provenance";
const BUILD_INFO: &str = "containerimage.buildinfo";
const DESCRIPTOR: &str = "containerimage.descriptor";
/// Prefixes of the keys of a metadata file.
const KNOWN: [&str; 3] = ["containerimage.", "buildx.build.", "image.name"];
/// Names that a message tells.
const MOST_NAMES: usize = 10;

/// Reads a metadata file, also of `bake`, or a response; none if it is none.
pub(super) fn metadata(value: &Value, limits: &Limits) -> Option<Result<RecordedBuild, ImportError>> {
    let members = value.as_object()?;
    if let Some(inner) = members.get("ExporterResponse").and_then(Value::as_object) {
        return Some(file(inner, limits));
    }
    let is_file =
        |members: &Map<String, Value>| members.keys().any(|key| KNOWN.iter().any(|known| key.starts_with(known)));
    if is_file(members) && members.keys().any(|key| key != "buildx.build.warnings") {
        let targets: Vec<&String> = targets(members, is_file).collect();
        if targets.is_empty() {
            return Some(file(members, limits));
        }
    }
    let targets: Vec<&String> = targets(members, is_file).collect();
    match targets[..] {
        [] => None,
        [target] => members.get(target).and_then(Value::as_object).map(|inner| file(inner, limits)),
        _ => {
            let known = targets.iter().take(MOST_NAMES).map(|name| escape::text(name).into_owned()).collect();
            Some(Err(ImportError::Several { count: targets.len(), known }))
        }
    }
}

/// The targets of a file that `bake` wrote.
fn targets<'a>(
    members: &'a Map<String, Value>,
    is_file: impl Fn(&Map<String, Value>) -> bool + 'a,
) -> impl Iterator<Item = &'a String> {
    let inner = members.iter().filter(|(key, _)| !KNOWN.iter().any(|known| key.starts_with(known)));
    inner.filter(move |(_, value)| value.as_object().is_some_and(&is_file)).map(|(key, _)| key)
}

fn file(members: &Map<String, Value>, limits: &Limits) -> Result<RecordedBuild, ImportError> {
    let mut builds = Vec::new();
    for (key, value) in members {
        let (form, platform) =
            key.split_once('/').map_or((key.as_str(), None), |(form, platform)| (form, Some(platform)));
        let mut build = match form {
            PROVENANCE => predicate(value)
                .unwrap_or_else(|| Err(ImportError::malformed(PROVENANCE, "it is no provenance of BuildKit")))?,
            BUILD_INFO => build_info::encoded(value, limits)?,
            _ => continue,
        };
        if let Some(platform) = platform.map_or_else(|| described(members), |text| platform_of(text).map(Some))? {
            build.platforms = [platform].into();
        }
        builds.push(build);
    }
    if builds.is_empty() {
        let nothing = "the metadata has digests only: neither provenance nor build info";
        return Err(ImportError::Nothing(nothing.to_owned()));
    }
    Ok(unite(builds))
}

/// The platform of the descriptor, which an index has not.
fn described(members: &Map<String, Value>) -> Result<Option<Platform>, ImportError> {
    let Some(platform) = members.get(DESCRIPTOR).and_then(|descriptor| descriptor.get("platform")) else {
        return Ok(None);
    };
    let part = |name: &str| platform.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(Platform::named(part("os"), part("architecture"), part("variant")))
}

/// Reads what `buildx imagetools inspect` prints of provenance: one predicate, or one a platform; none if it is neither.
pub(super) fn by_platform(value: &Value) -> Option<Result<RecordedBuild, ImportError>> {
    let members = value.as_object()?;
    if let Some(inner) = members.get("SLSA") {
        return predicate(inner);
    }
    let are_all = !members.is_empty() && members.values().all(|inner| inner.get("SLSA").is_some());
    are_all.then(|| {
        let mut builds = Vec::new();
        for (platform, inner) in members {
            let read = inner.get("SLSA").and_then(predicate);
            let mut build =
                read.unwrap_or_else(|| Err(ImportError::malformed(platform, "it is no provenance of BuildKit")))?;
            build.platforms = [platform_of(platform)?].into();
            builds.push(build);
        }
        Ok(unite(builds))
    })
}
