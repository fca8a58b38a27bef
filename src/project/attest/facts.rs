//! What a build or a verification gave, in the words of statements.

use std::collections::BTreeMap;

use super::super::build::BuiltImage;
use super::super::machine::Machine;
use super::super::tape_file;
use super::super::verify::VerifiedImage;
use super::dependencies;
use super::error::AttestError;
use super::origin::Origin;
use super::place::PublishedPlace;
use super::run::Run;
use crate::attest::invocation;
use crate::attest::provenance::Provenance;
use crate::attest::summary::{BIT_FOR_BIT, Outcome};
use crate::attest::verdict::{Verdict as VerdictStatement, VerdictPlatform};
use crate::attest::written::WrittenSubject;
use crate::digest::Digest;
use crate::epoch::Epoch;
use crate::manifest::{Compression, Image, MediaTypes, Network};
use crate::platform::Platform;
use crate::status::Failure;
use crate::tape::Tape;
use crate::verify::{Evidence, Pair, Verdict};

/// The verdicts on an image: one on the platforms that came out, one on those that did not. A platform without a digest
/// that was judged has none.
pub fn verdicts(run: &Run<'_>, image: &VerifiedImage) -> Vec<VerdictStatement> {
    let place = run.place(&image.name);
    let mut verdicts = Vec::new();
    for result in [Outcome::Passed, Outcome::Failed] {
        let platforms: Vec<VerdictPlatform> = image
            .platforms
            .iter()
            .filter_map(|(evidence, verdict)| judged(&place, evidence, verdict))
            .filter_map(|(outcome, platform)| (outcome == result).then_some(platform))
            .collect();
        if platforms.is_empty() {
            continue;
        }
        let is_whole = result == Outcome::Passed && platforms.len() == image.platforms.len();
        let index = image.index.filter(|index| is_whole && Some(*index) == image.recorded_index);
        verdicts.push(VerdictStatement {
            verifier: run.verifier.to_owned(),
            time: run.times[1].clone(),
            resource: place.resource(),
            policy: run.origin.uri(&run.files()[1]),
            lock: run.lock.digest,
            inputs: Vec::new(),
            result,
            level: BIT_FOR_BIT,
            index: index.map(|digest| subject(&place, "index", place.resource(), digest)),
            platforms,
            differences: if result == Outcome::Failed { differences(image) } else { BTreeMap::new() },
            offline: run.offline,
            supersedes: if result == Outcome::Passed { run.supersedes.to_vec() } else { Vec::new() },
        });
    }
    verdicts
}

fn subject(place: &PublishedPlace, part: &str, uri: String, digest: Digest) -> WrittenSubject {
    WrittenSubject { name: place.subject(part), uri, digest }
}

/// Whether a platform came out, and the digest that this is about.
fn judged(place: &PublishedPlace, evidence: &Evidence, verdict: &Verdict) -> Option<(Outcome, VerdictPlatform)> {
    let expected = evidence.expected.manifest;
    let of_pair = |pair: &Pair| match pair {
        Pair::RebuiltAndRecord => Some(expected),
        Pair::PublishedAndRebuilt => evidence.published.as_ref()?.as_ref()?.manifest,
    };
    let (outcome, digest, matches) = match verdict {
        Verdict::Reproduced | Verdict::SameContent | Verdict::OpenNetwork { is_accepted: true } => {
            (Outcome::Passed, expected, "bytes")
        }
        Verdict::Packaging(pair) => (Outcome::Failed, of_pair(pair)?, "content"),
        Verdict::Differs(pair, _) => (Outcome::Failed, of_pair(pair)?, "no"),
        // That something is missing, or that RUN could reach everything, is no verdict on a digest.
        Verdict::NotPublished | Verdict::OpenNetwork { is_accepted: false } => return None,
    };
    let subject = subject(place, &evidence.platform.to_string(), place.resource(), digest);
    let rebuilt = evidence.rebuilt.manifest;
    Some((outcome, VerdictPlatform { platform: evidence.platform.clone(), subject, rebuilt, matches }))
}

/// How many differences have which cause, where they were looked for.
fn differences(image: &VerifiedImage) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let told = image.explanation.iter().flat_map(|explanation| &explanation.diff.platforms);
    for difference in told.flat_map(|platform| &platform.differences) {
        *counts.entry(difference.cause.code.to_string()).or_default() += 1;
    }
    counts
}

/// How an image was rebuilt.
pub fn rebuilt(machine: &Machine, run: &Run<'_>, image: &VerifiedImage) -> Result<Provenance, Failure> {
    let built = image.platforms.iter().map(|(evidence, _)| (&evidence.platform, evidence.rebuilt.manifest));
    provenance(machine, run, &image.name, (built.collect(), image.index), &image.engines, image.epoch)
}

/// How an image was built.
pub fn built(machine: &Machine, run: &Run<'_>, image: &BuiltImage) -> Result<Provenance, Failure> {
    let built = image.platforms.iter().map(|built| (&built.platform, built.facts.manifest));
    provenance(machine, run, &image.name, (built.collect(), image.index), &image.engines, image.epoch)
}

fn provenance(
    machine: &Machine,
    run: &Run<'_>,
    name: &str,
    (built, index): (Vec<(&Platform, Digest)>, Option<Digest>),
    engines: &[String],
    epoch: Epoch,
) -> Result<Provenance, Failure> {
    let Some(image) = run.image(name) else { return Err(AttestError::NoManifest.into()) };
    let place = run.place(name);
    let subject = |part: &str, platform, digest| subject(&place, part, place.manifest(&digest, platform), digest);
    let mut subjects: Vec<WrittenSubject> =
        built.iter().map(|(platform, digest)| subject(&platform.to_string(), Some(*platform), *digest)).collect();
    subjects.extend(index.map(|digest| subject("index", None, digest)));
    let mut platforms: Vec<String> = built.iter().map(|(platform, _)| platform.to_string()).collect();
    platforms.sort();
    let tape = match tape_file::text(machine, run.project, name)? {
        Some(text) if image.run.network == Network::Locked => Some(Tape::parse(&text, &machine.limits)?),
        _ => None,
    };
    let [manifest, lock] = run.files();
    let Origin { repository, branch, .. } = &run.origin;
    Ok(Provenance {
        subjects,
        external: vec![
            ("source", repository.clone()),
            ("ref", branch.clone()),
            ("manifestPath", run.origin.path(&manifest)),
            ("lockPath", run.origin.path(&lock)),
            ("target", name.to_owned()),
            ("platforms", platforms.join(",")),
            ("sourceDateEpoch", epoch.to_string()),
        ],
        arguments: image.args.clone(),
        internal: internal(run, image, engines),
        dependencies: dependencies::of_image(run, name, image, tape.as_ref()),
        has_open_network: image.run.network == Network::Open,
        builder: run.builder.to_owned(),
        invocation: invocation::random().map_err(|error| AttestError::Key { path: "invocation".to_owned(), error })?,
        times: run.times.clone(),
    })
}

/// How it was built.
fn internal(run: &Run<'_>, image: &Image, engines: &[String]) -> Vec<(&'static str, String)> {
    let engine = |name: &String| if name == "buildctl" { "buildkit".to_owned() } else { name.clone() };
    let yes = |is: bool| if is { "true" } else { "false" }.to_owned();
    let (encoder, compression) = match image.output.compression {
        Compression::Gzip => (Some("go-flate-1.26".to_owned()), "gzip"),
        Compression::Uncompressed => (None, "uncompressed"),
    };
    let network = match image.run.network {
        Network::None => "none",
        Network::Locked => "proxy-recorded",
        Network::Open => "default",
    };
    let version = run.lock.lockfile.to_text().lines().nth(2).unwrap_or_default().replace("revision = ", "1.");
    let mut internal = vec![("engine", engines.iter().map(engine).collect::<Vec<_>>().join(","))];
    internal.extend(encoder.map(|encoder| ("encoder", encoder)));
    internal.extend([
        ("ociMediaTypes", yes(image.output.media_types == MediaTypes::Oci)),
        ("compression", compression.to_owned()),
        ("rewriteTimestamp", yes(true)),
        ("network", network.to_owned()),
        ("contextMode", if run.origin.is_dirty { "directory" } else { "git-tree" }.to_owned()),
    ]);
    if run.origin.is_dirty {
        internal.push(("contextDirty", yes(true)));
    }
    internal.extend([("cache", run.cache.to_owned()), ("lockVersion", version)]);
    internal
}
