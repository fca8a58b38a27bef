//! What of a requested build a manifest can take over, and the manifest of one or several of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::carry::Carried;
use super::note::{Note, has_credentials};
use super::pairs::put_pairs;
use super::requested::{RequestedBuild, RequestedNetwork};
use super::table::{Entry, Table, quoted};
use crate::platform::Platform;

/// Where the files of a requested build are.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The context directory, relative to the manifest.
    pub context: String,
    /// The Dockerfile, relative to the manifest.
    pub dockerfile: String,
    /// Named contexts that are directories or layouts, relative to the manifest; an error says why one can't be.
    pub contexts: BTreeMap<String, Result<String, String>>,
    /// Whether RUN of the Dockerfile seems to need the network.
    pub run_needs_network: bool,
}

/// One image of a manifest.
pub struct Asked {
    /// Its name.
    pub name: String,
    /// What it holds, and what it does not.
    pub carried: Carried,
}

/// Makes a manifest's image of a requested build.
pub fn carry_request(build: &RequestedBuild, place: &Place) -> Carried {
    let mut table = Table::default();
    let mut notes: Vec<Note> = build.notes.iter().cloned().collect();
    table.put("context", Entry::Text(place.context.clone()));
    table.put("dockerfile", Entry::Text(place.dockerfile.clone()));
    let put = |table: &mut Table, notes: &mut Vec<Note>, key: &str, entry: Entry| match Table::of(key, entry.clone())
        .check()
    {
        Ok(()) => table.put(key, entry),
        Err(problem) => notes.push(Note::new(key, format!("not carried over: {problem}"))),
    };
    if let Some(target) = &build.target {
        put(&mut table, &mut notes, "target", Entry::Text(target.clone()));
    }
    if !build.platforms.is_empty() {
        let platforms = build.platforms.iter().map(Platform::to_string).collect();
        put(&mut table, &mut notes, "platforms", Entry::List(platforms));
    }
    match build.epoch {
        Some(epoch) => table.put("source-date-epoch", Entry::Number(epoch.seconds())),
        None => notes.push(Note::new("source-date-epoch", "no epoch is given: the commit's time is taken")),
    }
    for (key, pairs) in [
        ("args", &build.args),
        ("labels", &build.labels),
        ("annotations", &build.annotations),
        ("index-annotations", &build.index_annotations),
    ] {
        put_pairs(&mut table, &mut notes, key, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }
    contexts(build, place, &mut table, &mut notes);
    for (key, ids, option) in [("secrets", &build.secrets, "--secret"), ("ssh", &build.ssh, "--ssh")] {
        if !ids.is_empty() {
            put(&mut table, &mut notes, key, Entry::List(ids.iter().cloned().collect()));
            notes.push(Note::new(key, format!("the ids alone are carried over: `{option}` gives what they stand for")));
        }
    }
    match build.network {
        RequestedNetwork::None => table.put("network", Entry::Text("none".to_owned())),
        RequestedNetwork::Other => {
            notes.push(Note::new("network", "RUN had a network of the host: `allow` has to say so, with its reason"));
        }
        RequestedNetwork::Default if place.run_needs_network => {
            let why = "RUN could reach everything: with `locked` it gets what `repro lock` saw, and nothing else";
            notes.push(Note::new("network", why));
        }
        RequestedNetwork::Default => {}
    }
    if build.network != RequestedNetwork::None && place.run_needs_network {
        table.put("network", Entry::Text("locked".to_owned()));
    }
    names(build, &mut table, &mut notes);
    let mut output = BTreeMap::new();
    if let Some(media_types) = build.media_types {
        output.insert("media-types".to_owned(), media_types.to_owned());
    }
    if build.is_uncompressed {
        output.insert("compression".to_owned(), "uncompressed".to_owned());
    }
    if !output.is_empty() {
        table.put("output", Entry::Pairs(output));
    }
    notes.sort();
    notes.dedup();
    Carried { table, notes }
}

fn contexts(build: &RequestedBuild, place: &Place, table: &mut Table, notes: &mut Vec<Note>) {
    let mut kept = BTreeMap::new();
    for (name, value) in &build.contexts {
        let shown = format!("contexts.{name}");
        if has_credentials(value) {
            notes.push(Note::new(shown, "its address has credentials: not carried over, and not shown"));
            continue;
        }
        // Where a directory is was looked up already: only the name is left to be read.
        let (value, tried) = match place.contexts.get(name) {
            Some(Err(why)) => {
                notes.push(Note::new(shown, format!("not carried over: {why}")));
                continue;
            }
            Some(Ok(path)) => (path.as_str(), "."),
            None => (value.as_str(), value.as_str()),
        };
        match Table::of("contexts", Entry::Pairs(BTreeMap::from([(name.clone(), tried.to_owned())]))).check() {
            Ok(()) => drop(kept.insert(name.clone(), value.to_owned())),
            Err(problem) => notes.push(Note::new(shown, format!("not carried over: {problem}"))),
        }
    }
    if !kept.is_empty() {
        table.put("contexts", Entry::Pairs(kept));
    }
}

/// One repository has all tags; names of another one are told.
fn names(build: &RequestedBuild, table: &mut Table, notes: &mut Vec<Note>) {
    let Some((repository, _)) = build.names.first() else { return };
    let mut tags: Vec<String> = Vec::new();
    for (other, tag) in &build.names {
        if other != repository {
            notes.push(Note::new("tags", format!("{other}:{tag}: an image has one repository: not carried over")));
        } else if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    table.put("repository", Entry::Text(repository.clone()));
    table.put("tags", Entry::List(tags));
}

/// The manifest of all images.
pub fn manifest_text(images: &[Asked], from: &str, buildkit: Option<&str>) -> String {
    let mut text = format!("# Imported from {}.\nversion = 1\n", crate::escape::text(from));
    if let Some(image) = buildkit {
        let _ = write!(text, "\n[buildkit]\nimage = {}\n", quoted(image));
    }
    for Asked { name, carried } in images {
        text.push('\n');
        carried.table.write(&mut text, name, &carried.notes);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::Epoch;
    use crate::manifest::Manifest;
    use std::path::Path;

    #[test]
    fn a_request_becomes_a_manifest_that_is_read_again() {
        let mut build =
            RequestedBuild { epoch: Epoch::from_seconds(7).ok(), is_uncompressed: true, ..Default::default() };
        build.args.insert("A".to_owned(), "1\n\"2".to_owned());
        build.args.insert("https_proxy".to_owned(), "http://u:hunter2@proxy.example".to_owned());
        build.names = ["1", "2"].map(|tag| ("registry.example/app".to_owned(), tag.to_owned())).to_vec();
        build.names.push(("other.example/app".to_owned(), "1".to_owned()));
        build.contexts.insert("docs".to_owned(), "../docs".to_owned());
        build.contexts.insert("far".to_owned(), "https://u:hunter2@far.example/x.git".to_owned());
        let place = Place {
            context: ".".to_owned(),
            dockerfile: "Dockerfile".to_owned(),
            contexts: BTreeMap::from([("docs".to_owned(), Ok("docs".to_owned()))]),
            run_needs_network: true,
        };
        let carried = carry_request(&build, &place);
        let told: Vec<&str> = carried.notes.iter().map(|note| note.what.as_str()).collect();
        assert_eq!(told, ["args.https_proxy", "contexts.far", "network", "tags"]);
        let text = manifest_text(&[Asked { name: "app".to_owned(), carried }], "a test", Some("moby/buildkit:v0.34.2"));
        assert!(!text.contains("hunter2"), "{text}");
        let manifest = Manifest::parse(&text, Path::new("/r/repro.toml"), Path::new("/r")).unwrap();
        let image = &manifest.images["app"];
        assert_eq!(image.args.len(), 1);
        assert_eq!(image.publication.tags, ["1", "2"]);
        assert_eq!(manifest.buildkit.image.as_deref(), Some("moby/buildkit:v0.34.2"));
    }
}
