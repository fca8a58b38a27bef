//! What many auditors say, said once: summaries by whoever counted them.
//!
//! Where enough agree, one statement says that the images came out bit for bit, and names every line that counted. A second
//! one with the level of SLSA's draft is made only where two operators with builders of their own also say, by provenance,
//! that they built the images from the lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::machine::Machine;
use super::asked;
use super::error::AttestError;
use super::place::PublishedPlace;
use super::quorum::{AskedAbout, AttestVerifyOptions, Attested, attest_verify};
use super::sign::append;
use super::signing_key::{self, KeySource, Passphrase};
use crate::attest::envelope::Envelope;
use crate::attest::quorum::{AskedQuorum, Witness};
use crate::attest::summary::{BIT_FOR_BIT, CONTENT, Outcome, REPRODUCED};
use crate::attest::verdict::{Verdict, VerdictPlatform};
use crate::attest::written::WrittenSubject;
use crate::digest::Digest;
use crate::epoch::rfc3339;
use crate::platform::Platform;
use crate::status::Failure;

/// What is counted, and who says so.
#[derive(Clone, Debug)]
pub struct AttestAggregateOptions {
    /// What is asked, of whom.
    pub verify: AttestVerifyOptions,
    /// The key of whoever counts.
    pub key: KeySource,
    /// The URI of whoever counts.
    pub verifier: String,
    /// The file that gets the lines at its end; none for stdout.
    pub output: Option<PathBuf>,
}

/// What was counted, and what was made of it.
pub struct Aggregated {
    /// The count.
    pub attested: Attested,
    /// The envelopes, a line each; none where not enough agree.
    pub lines: Vec<Vec<u8>>,
    /// The images for which builders are known, so that a statement of the draft's level stands among the lines.
    pub reproduced: BTreeSet<String>,
    /// The file that has the lines now.
    pub output: Option<PathBuf>,
}

/// Counts, and signs what came of it if enough agree.
pub fn attest_aggregate(
    machine: &Machine,
    options: &AttestAggregateOptions,
    ask: Passphrase<'_>,
) -> Result<Aggregated, Failure> {
    let key = signing_key::load(machine, &options.key, ask)?;
    let lock = match &options.verify.lock {
        Some(file) => asked::lock(machine, file)?,
        None => asked::of_project(machine)?.ok_or_else(|| AttestError::NoLock("repro.lock".to_owned()))?,
    };
    let AskedAbout::Recorded(names) = &options.verify.about else {
        return Err(AttestError::NoLock("repro.lock".to_owned()).into());
    };
    let images = asked::platforms(&lock, names)?;
    let attested = attest_verify(machine, &options.verify)?;
    let mut aggregated =
        Aggregated { attested, lines: Vec::new(), reproduced: BTreeSet::new(), output: options.output.clone() };
    if !aggregated.attested.quorum.is_met() {
        return Ok(aggregated);
    }
    let counted = &aggregated.attested;
    for (name, platforms) in &images {
        let of_image = |asked: &AskedQuorum| platforms.iter().any(|(_, digest)| *digest == asked.asked.digest);
        let places: Vec<usize> =
            (0..counted.quorum.asked.len()).filter(|place| of_image(&counted.quorum.asked[*place])).collect();
        let mut passed = places.iter().flat_map(|place| &counted.quorum.asked[*place].passed);
        let is_exact = passed.all(|vote| vote.is_exact);
        let witnesses = independent(counted, &places).filter(|_| is_exact);
        let mut levels = vec![if is_exact { BIT_FOR_BIT } else { CONTENT }];
        if witnesses.is_some() {
            levels.push(REPRODUCED);
            aggregated.reproduced.insert(name.clone());
        }
        let mut inputs: BTreeSet<Digest> =
            places.iter().flat_map(|place| counted.quorum.asked[*place].lines.iter().copied()).collect();
        inputs.extend(witnesses.unwrap_or_default());
        for level in levels {
            let verdict = verdict(machine, options, counted, &places, platforms, lock.digest)?;
            let mut verdict = Verdict { inputs: inputs.iter().copied().collect(), level, ..verdict };
            let matches = if is_exact { "bytes" } else { "content" };
            verdict.platforms.iter_mut().for_each(|platform| platform.matches = matches);
            aggregated.lines.push(Envelope::sign(&verdict.to_statement(), &key).to_line());
        }
    }
    if let Some(output) = &options.output {
        append(machine, output, &aggregated.lines)?;
    }
    Ok(aggregated)
}

/// The lines of provenance by which two operators with builders of their own say that they built every platform; none
/// where no two do.
fn independent(counted: &Attested, places: &[usize]) -> Option<BTreeSet<Digest>> {
    let mut lines = BTreeSet::new();
    for place in places {
        let passed: BTreeSet<usize> = counted.quorum.asked[*place].passed.iter().map(|vote| vote.auditor).collect();
        let counts = |witness: &&Witness| witness.about.contains(place) && passed.contains(&witness.auditor);
        let witnesses: Vec<&Witness> =
            counted.others.iter().flat_map(|(_, other)| &other.witnesses).filter(counts).collect();
        let is_apart = |one: &Witness, other: &Witness| one.auditor != other.auditor && one.builder != other.builder;
        if !witnesses.iter().any(|one| witnesses.iter().any(|other| is_apart(one, other))) {
            return None;
        }
        lines.extend(witnesses.iter().map(|witness| witness.line));
    }
    (!places.is_empty()).then_some(lines)
}

fn verdict(
    machine: &Machine,
    options: &AttestAggregateOptions,
    counted: &Attested,
    places: &[usize],
    platforms: &BTreeMap<Platform, Digest>,
    lock: Digest,
) -> Result<Verdict, AttestError> {
    let votes = || places.iter().flat_map(|place| &counted.quorum.asked[*place].passed);
    let resources: BTreeSet<&str> = votes().map(|vote| vote.resource.as_str()).collect();
    let resource = match (&options.verify.resource, resources.len()) {
        (Some(resource), _) => resource.clone(),
        (None, 1) => resources.into_iter().collect(),
        (None, count) => return Err(AttestError::Resources(count)),
    };
    let place = PublishedPlace::of_resource(&resource);
    let platform = |(platform, digest): (&Platform, &Digest)| VerdictPlatform {
        platform: platform.clone(),
        subject: WrittenSubject { name: place.subject(&platform.to_string()), uri: resource.clone(), digest: *digest },
        rebuilt: *digest,
        matches: "bytes",
    };
    // The same lockfile may stand in many places; the first by name is as good as any.
    let policy = votes().filter_map(|vote| vote.policy.clone()).min();
    Ok(Verdict {
        verifier: options.verifier.clone(),
        time: rfc3339(machine.now),
        platforms: platforms.iter().map(platform).collect(),
        resource,
        policy: policy.unwrap_or_else(|| "about:unpublished#repro.lock".to_owned()),
        lock,
        inputs: Vec::new(),
        result: Outcome::Passed,
        level: BIT_FOR_BIT,
        index: None,
        differences: BTreeMap::new(),
        offline: machine.offline,
        supersedes: Vec::new(),
    })
}
