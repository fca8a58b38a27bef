//! Who attested what was just verified, as files tell that lie beside the project.

use std::path::{Path, PathBuf};

use super::super::files::shown;
use super::super::machine::Machine;
use super::super::open::Project;
use super::super::verify::Verification;
use super::gather::{AttestSources, names};
use super::quorum::{AskedAbout, AttestVerifyOptions, Attested, attest_verify};
use super::trusted::{self, TrustSource};
use crate::attest::quorum::Asked;
use crate::status::Failure;

/// Ends of the names of files beside a project that are certain to hold attestations.
const ENDS: [&str; 3] = [".intoto.jsonl", ".intoto.json", ".sigstore.json"];

/// Who attested the images that were rebuilt, if anybody did.
///
/// `named` is where else to look. Whom one trusts says the policy beside the lockfile, or the user's trust file. No host
/// is asked that `named` does not name. What goes wrong is told, and changes no verdict.
pub fn attest_seen(
    machine: &Machine,
    project: &Project,
    verification: &Verification,
    named: &AttestSources,
) -> Result<Option<Attested>, Failure> {
    let looked = look(machine, project, verification, named);
    machine.cancel.check()?;
    match looked {
        Err(failure) if named.is_empty() => {
            machine.progress.warn(&format!("who attested this is not told: {failure}"));
            Ok(None)
        }
        looked => looked,
    }
}

fn look(
    machine: &Machine,
    project: &Project,
    verification: &Verification,
    named: &AttestSources,
) -> Result<Option<Attested>, Failure> {
    let Some(lock) = &project.lock_path else { return Ok(None) };
    let policy = trusted::policy_file(lock);
    let beside: Vec<PathBuf> = match lock.parent() {
        Some(directory) => names(directory, &ENDS)?.iter().map(|name| directory.join(name)).collect(),
        None => Vec::new(),
    };
    if beside.is_empty() && named.is_empty() && policy.is_none() {
        return Ok(None);
    }
    let trust = match (&policy, trusted::user_file(machine)) {
        (Some(_), _) => TrustSource::Policy(None),
        (None, Ok(_)) => TrustSource::User,
        (None, Err(error)) if !named.is_empty() => return Err(error.into()),
        (None, Err(_)) => {
            let files: Vec<String> = beside.iter().take(4).map(|file| shown(&machine.near(file))).collect();
            machine.progress.note(&format!("{}: nobody is trusted, so that nobody counts", files.join(", ")));
            return Ok(None);
        }
    };
    let asked = |image: &super::super::verify::VerifiedImage| {
        let name = image.name.clone();
        let platforms = image.platforms.iter().map(move |(evidence, _)| Asked {
            name: format!("{name} {}", evidence.platform),
            digest: evidence.expected.manifest,
        });
        platforms.collect::<Vec<_>>()
    };
    let digests: Vec<Asked> = verification.images.iter().flat_map(asked).collect();
    if digests.is_empty() {
        return Ok(None);
    }
    let sources = AttestSources { files: [&beside[..], &named.files].concat(), from: named.from.clone() };
    let options = AttestVerifyOptions {
        sources,
        trust,
        threshold: None,
        max_failed: None,
        lock: Some(machine.near(Path::new(lock))),
        about: AskedAbout::Digests(digests),
        resource: None,
        accepts_content: None,
    };
    let attested = match attest_verify(machine, &options) {
        // A policy of a project that nobody has attested yet.
        Ok(attested) if attested.lines == 0 => return Ok(None),
        attested => attested?,
    };
    Ok(Some(attested))
}
