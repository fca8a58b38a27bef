//! What BuildKit v0.10 and v0.11 wrote of a build, for programs that read that: frontend, attributes, and each source with
//! what it stood for, in the form of a metadata file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::machine::Machine;
use super::ready::ReadyImage;
use super::rebuilt::Rebuilt;
use crate::digest::Digest;
use crate::lockfile::Pin;
use crate::manifest::{NamedContext, Network};
use crate::platform::Platform;
use crate::status::Failure;
use crate::store::replace_file;

const KEY: &str = "containerimage.buildinfo";

/// The metadata of one image that was built.
pub fn build_info(ready: &ReadyImage<'_>, rebuilt: &Rebuilt) -> Value {
    let mut members = Map::new();
    let platforms = &rebuilt.assembled.platforms;
    for built in platforms {
        let info = of_platform(ready, &built.platform);
        let key = if platforms.len() == 1 { KEY.to_owned() } else { format!("{KEY}/{}", built.platform) };
        members.insert(key, info);
    }
    match (&rebuilt.assembled.index, &platforms[..]) {
        (Some(index), _) => {
            members.insert("containerimage.digest".to_owned(), Digest::of(index).to_string().into());
        }
        (None, [built]) => {
            let facts = built.facts();
            members.insert("containerimage.digest".to_owned(), facts.manifest.to_string().into());
            members.insert("containerimage.config.digest".to_owned(), facts.config.to_string().into());
        }
        (None, _) => {}
    }
    Value::Object(members)
}

/// Writes the metadata of one image as it is, of several by their names, as `bake` does.
pub fn write(machine: &Machine, path: &Path, mut infos: Vec<(&str, Value)>) -> Result<(), Failure> {
    let value = match (infos.len(), infos.pop()) {
        (1, Some((_, only))) => only,
        (_, last) => infos.into_iter().chain(last).map(|(name, info)| (name.to_owned(), info)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    replace_file(&machine.resolve(path), text.as_bytes())?;
    Ok(())
}

fn of_platform(ready: &ReadyImage<'_>, platform: &Platform) -> Value {
    let mut sources: Vec<Value> = ready.pins_of(platform).iter().map(source).collect();
    sources.sort_by_key(|source| source["ref"].as_str().map(str::to_owned));
    let syntax = ready.surveyed.dockerfile.syntax.clone();
    let kind = if syntax.is_some() { "gateway.v0" } else { "dockerfile.v0" };
    json!({"frontend": kind, "attrs": attributes(ready, platform, syntax), "sources": sources})
}

fn source(pin: &Pin) -> Value {
    let kind = match pin {
        Pin::Image { .. } => "docker-image",
        Pin::Layout { .. } => "oci-layout",
        Pin::Http { .. } => "http",
        Pin::Git { .. } => "git",
    };
    json!({"type": kind, "ref": pin.request(), "pin": pin.result()})
}

/// The frontend's attributes, as BuildKit spells them. Values of secrets and arguments of RUN are none of them.
fn attributes(ready: &ReadyImage<'_>, platform: &Platform, syntax: Option<String>) -> BTreeMap<String, String> {
    let image = ready.surveyed.image;
    let mut attributes = BTreeMap::new();
    let mut put = |key: String, value: String| {
        attributes.insert(key, value);
    };
    let file =
        image.files.dockerfile().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    put("filename".to_owned(), file.unwrap_or_else(|| "Dockerfile".to_owned()));
    put("platform".to_owned(), platform.to_string());
    put("build-arg:SOURCE_DATE_EPOCH".to_owned(), ready.epoch.to_string());
    for (name, value) in &image.args {
        put(format!("build-arg:{name}"), value.clone());
    }
    for (name, value) in &image.metadata.labels {
        put(format!("label:{name}"), value.clone());
    }
    for (name, context) in &image.files.contexts {
        put(format!("context:{name}"), context_of(name, context));
    }
    if let Some(target) = &image.target {
        put("target".to_owned(), target.clone());
    }
    if image.run.network == Network::None {
        put("force-network-mode".to_owned(), "none".to_owned());
    }
    if let Some(syntax) = syntax {
        put("source".to_owned(), syntax);
    }
    attributes
}

fn context_of(name: &str, context: &NamedContext) -> String {
    match context {
        NamedContext::Local(_) => format!("local:{name}"),
        NamedContext::Image(reference) => format!("docker-image://{reference}"),
        NamedContext::Layout { selector, .. } => match selector {
            Some(selector) => format!("oci-layout://{name}@{selector}"),
            None => format!("oci-layout://{name}"),
        },
        NamedContext::Http(url) | NamedContext::Git(url) => url.clone(),
    }
}
