//! Which bodies of a tape nobody else can get.

use std::collections::BTreeMap;

use super::super::locked::LockedProject;
use super::publish::artifact;
use super::pushed;
use crate::digest::Digest;
use crate::escape;
use crate::manifest::Image;
use crate::reference::Reference;
use crate::tape::Tape;

/// Bodies shown in a message.
const SHOWN: usize = 20;

/// Says, once something is recorded, which bodies nobody else can get from this machine, and how they could.
pub fn say_private(locked: &LockedProject<'_>, image: &Image, name: &str, tape: &Tape) {
    let machine = locked.machine;
    let artifact = artifact(tape);
    let place = image
        .publication
        .tape
        .as_ref()
        .or(image.publication.repository.as_ref())
        .and_then(|place| place.parse::<Reference>().ok());
    let repository = place.as_ref().map(Reference::name);
    if artifact.files.is_empty() || pushed::is_known(machine, artifact.digest(), repository.as_deref()) {
        return;
    }
    if let (Some(place), Some(repository), false) = (&place, &repository, machine.offline) {
        let has = |digest| locked.resolver.registry.has_manifest(&place.clone().with_digest(digest));
        // A registry may have taken the bodies in one form only.
        let there = has(artifact.digest()).and_then(|there| Ok(there || has(artifact.as_an_image().digest())?));
        match there {
            Ok(true) => return pushed::remember(machine, artifact.digest(), repository),
            Ok(false) => {}
            Err(error) => machine.progress.log(&format!("not known whether the tape was pushed: {error}")),
        }
    }
    let mut bodies: BTreeMap<Digest, &str> = BTreeMap::new();
    for (request, recorded) in tape.platforms.values().flatten().filter(|(_, recorded)| recorded.size > 0) {
        bodies.entry(recorded.digest).or_insert(&request.url);
    }
    let mut lines: Vec<String> =
        bodies.iter().map(|(digest, url)| format!("  {} {digest}", escape::text(url))).collect();
    lines.sort();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("  and {more} more: `repro tape show {name}`"));
    }
    let target = if place.is_some() { "" } else { " REGISTRY/REPOSITORY" };
    machine.progress.note(&format!(
        "of what RUN of `{name}` downloads, {} bodies ({} bytes) are in no registry, only in this machine's cache, and at their URLs as long as these last; \
         `repro tape push {name}{target}` publishes them:\n{}",
        bodies.len(),
        artifact.bytes(),
        lines.join("\n")
    ));
}
