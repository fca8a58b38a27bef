//! What of a recorded build a manifest can take over, and what is said of the rest.
//!
//! Each value is tried by the manifest's own reader, so that what comes out is read again; a value that has a password in
//! it is neither shown nor written.

use std::collections::BTreeMap;

use super::build::{RecordedBuild, shown_key};
use super::note::{Note, has_credentials};
use super::output::LayerCompression;
use super::pairs::put_pairs;
use super::table::{Entry, Table};
use crate::http::without_user;
use crate::platform::Platform;

/// Attributes that say nothing of the image.
const SILENT: [&str; 8] = [
    "filename",
    "target",
    "platform",
    "multi-platform",
    "no-cache",
    "image-resolve-mode",
    "frontend.caps",
    "requestid",
];
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What is here, where the manifest will stand.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The context directory, relative to the manifest.
    pub context: &'a str,
    /// The Dockerfile, relative to the manifest.
    pub dockerfile: &'a str,
    /// The bytes of that Dockerfile.
    pub dockerfile_text: &'a [u8],
    /// Whether its RUN seems to need the network.
    pub run_needs_network: bool,
}

/// A manifest's image, and what it does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// The keys of the image's table.
    pub table: Table,
    /// What was not told, or not carried over, sorted and each once.
    pub notes: Vec<Note>,
}

/// Makes a manifest's image of a recorded build.
pub fn carry(build: &RecordedBuild, here: &Surroundings<'_>) -> Carried {
    let mut carrying = Carrying { build, table: Table::default(), notes: build.notes.iter().cloned().collect() };
    carrying.table.put("context", Entry::Text(here.context.to_owned()));
    carrying.table.put("dockerfile", Entry::Text(here.dockerfile.to_owned()));
    carrying.dockerfile(here);
    carrying.context();
    carrying.target();
    carrying.platforms();
    carrying.epoch();
    carrying.pairs("args", "build-arg:");
    carrying.pairs("labels", "label:");
    carrying.contexts();
    carrying.ids();
    carrying.network(here);
    carrying.others();
    carrying.output();
    carrying.untold();
    let Carrying { table, mut notes, .. } = carrying;
    notes.sort();
    notes.dedup();
    Carried { table, notes }
}

struct Carrying<'a> {
    build: &'a RecordedBuild,
    table: Table,
    notes: Vec<Note>,
}

impl Carrying<'_> {
    fn note(&mut self, what: impl AsRef<str>, why: impl AsRef<str>) {
        self.notes.push(Note::new(what, why));
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.build.attributes.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Puts a value in, unless the manifest's reader refuses it.
    fn put(&mut self, key: &str, entry: Entry) {
        match Table::of(key, entry.clone()).check() {
            Ok(()) => self.table.put(key, entry),
            Err(problem) => self.note(key, format!("not carried over: {problem}")),
        }
    }

    fn dockerfile(&mut self, here: &Surroundings<'_>) {
        match &self.build.dockerfile_text {
            Some(text) if text != here.dockerfile_text => {
                self.note(
                    "dockerfile",
                    format!("`{}` here is not the one that the image was built from", here.dockerfile),
                );
            }
            Some(_) => {}
            None if self.build.told != super::build::Told::default() => {
                self.note("dockerfile", "its text is not told: whether it is the one that is here was not checked");
            }
            None => {}
        }
    }

    fn context(&mut self) {
        let of_attribute =
            || self.attribute("context").filter(|context| context.contains(':') && !context.starts_with("local:"));
        let remote = self.build.context.as_deref().or_else(of_attribute).map(without_user);
        let text = match (remote, &self.build.revision) {
            (Some(remote), _) => {
                let digest =
                    self.build.context_digest.as_ref().map(|digest| format!(" at {digest}")).unwrap_or_default();
                format!(
                    "the context came from {remote}{digest}: a manifest stands in the files themselves, so check them out here"
                )
            }
            (None, Some(revision)) => format!("local files, which are not told; the work tree was at {revision}"),
            (None, None) => "local files, which are not told: those that are here are taken".to_owned(),
        };
        self.note("context", text);
    }

    fn target(&mut self) {
        if let Some(target) = self.attribute("target").map(str::to_owned) {
            self.put("target", Entry::Text(target));
        }
    }

    fn platforms(&mut self) {
        let asked = self.attribute("platform").map(str::to_owned);
        let mut platforms: Vec<Platform> = Vec::new();
        for text in asked.iter().flat_map(|list| list.split(',')) {
            match text.trim().parse() {
                Ok(platform) if !platforms.contains(&platform) => platforms.push(platform),
                Ok(_) => {}
                Err(error) => self.note("platforms", error.to_string()),
            }
        }
        if platforms.is_empty() {
            platforms.extend(self.build.platforms.iter().cloned());
        }
        if platforms.is_empty() && self.build.source_platforms.len() == 1 {
            platforms.extend(self.build.source_platforms.iter().cloned());
        }
        if platforms.is_empty() {
            return self.note("platforms", "not told: linux/amd64 is taken");
        }
        self.put("platforms", Entry::List(platforms.iter().map(Platform::to_string).collect()));
    }

    fn epoch(&mut self) {
        let epoch = self.attribute(&format!("build-arg:{EPOCH}")).map(str::to_owned);
        match epoch.as_deref().map(str::parse::<u64>) {
            Some(Ok(seconds)) => self.put("source-date-epoch", Entry::Number(seconds)),
            Some(Err(_)) => {
                self.note("source-date-epoch", format!("{EPOCH} was no number: the commit's time is taken"))
            }
            None if self.build.told.arguments => {
                let why =
                    format!("there was no {EPOCH}: the image has the times of its build, so no rebuild can be equal");
                self.note("source-date-epoch", why);
            }
            None => self.note("source-date-epoch", format!("{EPOCH} is not told: the commit's time is taken")),
        }
    }

    /// Arguments or labels.
    fn pairs(&mut self, table: &str, prefix: &str) {
        let pairs = self.build.attributes.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
        let pairs = pairs.filter(|(name, _)| *name != EPOCH).map(|(name, value)| (name, value.as_str()));
        put_pairs(&mut self.table, &mut self.notes, table, pairs);
    }

    fn contexts(&mut self) {
        let mut kept = BTreeMap::new();
        for (key, value) in &self.build.attributes {
            let Some(name) = key.strip_prefix("context:") else { continue };
            let place = shown_key(key);
            if has_credentials(value) {
                self.note(place, "its address has credentials: not carried over, and not shown");
                continue;
            }
            let value = match value.split_once(':') {
                Some(("local", directory)) => {
                    self.note(&place, format!("a local directory whose path is not told: `{directory}` is taken"));
                    directory
                }
                Some(("input", _)) => {
                    self.note(place, "an input from another build: not carried over");
                    continue;
                }
                Some(("oci-layout", _)) => {
                    self.note(place, "an OCI layout whose directory is not told: not carried over");
                    continue;
                }
                _ => value.as_str(),
            };
            let pair = Entry::Pairs(BTreeMap::from([(name.to_owned(), value.to_owned())]));
            match Table::of("contexts", pair).check() {
                Ok(()) => {
                    kept.insert(name.to_owned(), value.to_owned());
                }
                Err(problem) => self.note(place, format!("not carried over: {problem}")),
            }
        }
        if !kept.is_empty() {
            self.table.put("contexts", Entry::Pairs(kept));
        }
    }

    fn ids(&mut self) {
        for (key, ids, option) in [("secrets", &self.build.secrets, "--secret"), ("ssh", &self.build.ssh, "--ssh")] {
            let ids: Vec<String> = ids.iter().map(|id| id.id.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            self.put(key, Entry::List(ids.clone()));
            let ids = ids.join(", ");
            self.note(key, format!("the ids alone are told ({ids}), never values: `{option}` gives them"));
        }
    }

    fn network(&mut self, here: &Surroundings<'_>) {
        match self.attribute("force-network-mode") {
            Some("none") => return self.table.put("network", Entry::Text("none".to_owned())),
            Some("host") => {
                self.note("network", "RUN had the network of the host: `allow` has to say so, with its reason")
            }
            _ if self.build.told.request => {
                self.note("network", "RUN could reach everything, and what it fetched is not told");
            }
            _ => self.note("network", "what RUN could reach, and what it fetched, is not told"),
        }
        if here.run_needs_network {
            self.table.put("network", Entry::Text("locked".to_owned()));
        }
    }

    /// Attributes that nothing above looked at: named, never with their values.
    fn others(&mut self) {
        let known = ["build-arg:", "label:", "context:", "sharedkey:", "local-session", "attest:", "vcs:", "cache-"];
        let mut notes = Vec::new();
        for key in self.build.attributes.keys() {
            let is_known = known.iter().any(|prefix| key.starts_with(prefix)) || SILENT.contains(&key.as_str());
            match key.as_str() {
                _ if is_known => {}
                "context" | "force-network-mode" => {}
                "source" | "cmdline" => {
                    notes.push((
                        "frontend".to_owned(),
                        "its image is what the Dockerfile's `# syntax=` says, which is taken",
                    ));
                }
                "add-hosts" => notes.push((key.clone(), "names that RUN could look up: not carried over")),
                _ => notes.push((key.clone(), "an option of the build that no manifest has: not carried over")),
            }
        }
        for (what, why) in notes {
            self.note(what, why);
        }
    }

    fn untold(&mut self) {
        let told = self.build.told;
        if !told.request {
            self.note("target", "not told: the last stage is taken");
            self.note("contexts", "named contexts are not told");
        }
        if !told.arguments {
            self.note("args", "build arguments are not told");
            self.note("labels", "labels that the build added are not told");
        }
        if !told.secrets {
            self.note("secrets", "ids of secrets and of ssh agents are not told");
        }
        if !told.sources {
            self.note("pins", "the sources are not told: `repro lock` takes what they are now");
        }
        let version = self.build.frontend_version.as_ref();
        let version = version.map(|version| format!(", but for its frontend's, {version}")).unwrap_or_default();
        self.note("buildkit", format!("the version of the engine is not told{version}"));
    }

    /// Media types and compression, where the image or its exporter shows them; nothing tells of rewritten times.
    fn output(&mut self) {
        let seen = &self.build.output;
        let only = |is_docker: bool| seen.is_docker.len() == 1 && seen.is_docker.contains(&is_docker);
        let (docker, oci) = (only(true), only(false));
        let mut keys = BTreeMap::new();
        if docker {
            keys.insert("media-types".to_owned(), "docker".to_owned());
        }
        let compression: Vec<LayerCompression> = seen.compression.iter().copied().collect();
        match compression[..] {
            [LayerCompression::Uncompressed] => {
                keys.insert("compression".to_owned(), "uncompressed".to_owned());
            }
            [] | [LayerCompression::Gzip] => {}
            _ => self.note("output", "its layers are neither all compressed with gzip nor all uncompressed, which `output.compression` has to say: not carried over"),
        }
        if !keys.is_empty() {
            self.put("output", Entry::Pairs(keys));
        }
        let untold = match (docker || oci, compression.is_empty()) {
            (true, false) => "whether times were rewritten is not told",
            (true, true) => "whether times were rewritten and how layers were compressed is not told",
            (false, false) => "whether times were rewritten and which media types the image has is not told",
            (false, true) => {
                "whether times were rewritten, how layers were compressed and which media types they have is not told"
            }
        };
        self.note("output", untold);
    }
}
