//! A manifest's image as request facts (`docs/formats.md`, "Request facts").

use std::collections::BTreeMap;
use std::path::Path;

use crate::lockfile::{Fact, ImageLock, Request, fact_key};
use crate::manifest::{Compression, EpochSource, Image, MediaTypes, NamedContext, Network, locked_rule};
use crate::platform::Platform;

const BUILD_PLATFORM: &str = "build-platform";

/// What `BUILDPLATFORM` means for an image: the manifest's word, else what was locked, else the machine's own platform.
pub fn build_platform(image: &Image, locked: Option<&ImageLock>, machine: &Platform) -> Platform {
    let locked = || match locked?.request.facts.get(BUILD_PLATFORM)? {
        Fact::Text(text) => text.parse().ok(),
        Fact::List(_) => None,
    };
    image.build_platform.clone().or_else(locked).unwrap_or_else(|| machine.clone())
}

/// The facts that an image's pins must have been made for, defaults left out.
///
/// `build_platform` is given if the target uses it (see [`build_platform()`]). Repository, tags and tape are no facts.
pub fn expected_request(image: &Image, build_platform: Option<&Platform>) -> Request {
    let mut facts = Facts(BTreeMap::new());
    facts.list("allow", image.run.allow.iter().map(|allow| allow.what.clone()));
    facts.group("annotations", &image.metadata.annotations);
    facts.group("args", &image.args);
    facts.text(BUILD_PLATFORM, build_platform.map(Platform::to_string));
    facts.text("context", path_unless(&image.files.context, Path::new(".")));
    for (name, context) in &image.files.contexts {
        facts.text(&fact_key("contexts", name), Some(spelled(context)));
    }
    let default = image.files.context.join("Dockerfile");
    let default = default.strip_prefix(".").unwrap_or(&default);
    facts.text("dockerfile", image.files.dockerfile().and_then(|dockerfile| path_unless(dockerfile, default)));
    facts.text("frontend", image.frontend.as_ref().map(ToString::to_string));
    facts.list("include", image.files.include.iter().cloned());
    facts.group("index-annotations", &image.metadata.index_annotations);
    facts.group("labels", &image.metadata.labels);
    facts.text(
        "network",
        match image.run.network {
            Network::None => None,
            Network::Locked => Some("locked".to_owned()),
            Network::Open => Some("open".to_owned()),
        },
    );
    facts.text(
        "output.compression",
        match image.output.compression {
            Compression::Gzip => None,
            Compression::Uncompressed => Some("uncompressed".to_owned()),
        },
    );
    facts.text(
        "output.media-types",
        match image.output.media_types {
            MediaTypes::Oci => None,
            MediaTypes::Docker => Some("docker".to_owned()),
        },
    );
    if image.platforms != [Platform::new("linux", "amd64", None)] {
        facts.list("platforms", image.platforms.iter().map(Platform::to_string));
    }
    facts.group("run-env", &image.run.env);
    facts.list("scrub", image.scrub.iter().map(|rule| locked_rule(rule)));
    facts.list("secrets", image.run.secrets.iter().cloned());
    facts.text(
        "source-date-epoch",
        match image.source_date_epoch {
            EpochSource::Commit => None,
            EpochSource::Fixed(epoch) => Some(epoch.to_string()),
        },
    );
    facts.list("ssh", image.run.ssh.iter().cloned());
    facts.text("target", image.target.clone());
    Request { facts: facts.0 }
}

struct Facts(BTreeMap<String, Fact>);

impl Facts {
    fn text(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), Fact::Text(value));
        }
    }

    fn list(&mut self, key: &str, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.collect();
        if !values.is_empty() {
            self.0.insert(key.to_owned(), Fact::List(values));
        }
    }

    fn group(&mut self, group: &str, values: &BTreeMap<String, String>) {
        for (name, value) in values {
            self.0.insert(fact_key(group, name), Fact::Text(value.clone()));
        }
    }
}

fn path_unless(path: &Path, default: &Path) -> Option<String> {
    (path != default).then(|| path.to_string_lossy().into_owned())
}

fn spelled(context: &NamedContext) -> String {
    match context {
        NamedContext::Local(path) => path.to_string_lossy().into_owned(),
        NamedContext::Image(reference) => format!("docker-image://{reference}"),
        NamedContext::Layout { path, selector } => {
            let path = path.to_string_lossy();
            match selector {
                None => format!("oci-layout://{path}"),
                Some(digest) if digest.starts_with("sha256:") => format!("oci-layout://{path}@{digest}"),
                Some(tag) => format!("oci-layout://{path}:{tag}"),
            }
        }
        NamedContext::Http(url) | NamedContext::Git(url) => url.clone(),
    }
}
