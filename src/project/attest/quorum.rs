//! Whether enough auditors agree on images.

use std::path::PathBuf;

use rayon::prelude::*;

use super::super::machine::Machine;
use super::asked::{self, LockAtHand};
use super::error::AttestError;
use super::gather::{AttestSources, gather};
use super::trusted::{self, TrustSource};
use crate::attest::quorum::{Judged, Quorum, Rejected, Rules, decide, judge};
use crate::attest::trust::Trust;
use crate::status::{Failure, Status};

/// What is asked, of whom, about what.
#[derive(Clone, Debug)]
pub struct AttestVerifyOptions {
    /// Where the attestations are.
    pub sources: AttestSources,
    /// Where it is said whom to trust.
    pub trust: TrustSource,
    /// How many auditors must agree.
    pub threshold: Option<i64>,
    /// How many may have seen it fail.
    pub max_failed: usize,
    /// The lockfile; the project's where neither it nor an image is given.
    pub lock: Option<PathBuf>,
    /// Images of the lockfile; none for all.
    pub names: Vec<String>,
    /// An image by digest.
    pub image: Option<String>,
    /// Where the image is pulled from, if statements must say the same.
    pub resource: Option<String>,
    /// Whether an image that was packaged differently is enough.
    pub accepts_content: bool,
}

/// What attestations came to.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The counts.
    pub quorum: Quorum,
    /// Who was trusted.
    pub trust: Trust,
    /// The file that said so; none where keys were given.
    pub trust_file: Option<String>,
    /// How many may have seen it fail.
    pub max_failed: usize,
    /// Lines that don't count.
    pub rejected: Vec<Rejected>,
    /// Statements by trusted keys that are no summaries: where, and their predicate types.
    pub others: Vec<(String, String)>,
    /// How many statements nobody signed.
    pub unsigned: usize,
    /// How many documents are no attestations.
    pub unrecognised: usize,
    /// How many lines there were.
    pub lines: usize,
}

impl Attested {
    /// Success where enough agree.
    pub fn status(&self) -> Status {
        if self.quorum.is_met() { Status::Success } else { Status::Differs }
    }
}

/// Gathers attestations, judges each and counts.
pub fn attest_verify(machine: &Machine, options: &AttestVerifyOptions) -> Result<Attested, Failure> {
    let lock = lock_at_hand(machine, options)?;
    let path = lock.as_ref().map(|lock| lock.path.as_path());
    let (trust, trust_file) = trusted::load(machine, &options.trust, options.threshold, path)?;
    let asked = match (&options.image, &lock) {
        (Some(image), _) => vec![asked::of_reference(image)?],
        (None, Some(lock)) => asked::of_lock(lock, &options.names)?,
        (None, None) => return Err(AttestError::NoLock("repro.lock".to_owned()).into()),
    };
    let lock = lock.map(|lock| lock.digest);
    let rules = Rules {
        trust: &trust,
        asked: &asked,
        lock,
        resource: options.resource.as_deref(),
        accepts_content: options.accepts_content,
        now: machine.now,
        limits: &machine.limits,
    };
    let (mut votes, mut rejected, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut unsigned, mut unrecognised, mut lines) = (0, 0, 0);
    gather(machine, &options.sources, &asked, &mut |gathered| {
        lines += gathered.len();
        let judged: Vec<(String, Judged)> = gathered
            .into_par_iter()
            .map(|(place, line)| {
                let judged = judge(&line.content, &place, &rules);
                (place, judged)
            })
            .collect();
        for (place, judged) in judged {
            match judged {
                Judged::Counts(found) => votes.extend(found),
                Judged::Rejected(reason) => rejected.push(Rejected { place, reason }),
                Judged::Other(predicate_type) => others.push((place, predicate_type)),
                Judged::Unsigned => unsigned += 1,
                Judged::Unrecognised => unrecognised += 1,
            }
        }
    })?;
    machine.cancel.check()?;
    let mut quorum = decide(votes, &asked, &trust, lock, options.max_failed);
    rejected.append(&mut quorum.rejected);
    let max_failed = options.max_failed;
    Ok(Attested { quorum, trust, trust_file, max_failed, rejected, others, unsigned, unrecognised, lines })
}

/// The lockfile that was named, or the project's where no image was.
fn lock_at_hand(machine: &Machine, options: &AttestVerifyOptions) -> Result<Option<LockAtHand>, Failure> {
    match (&options.lock, &options.image) {
        (Some(file), _) => asked::lock(machine, file).map(Some),
        (None, Some(_)) => Ok(None),
        (None, None) => asked::of_project(machine),
    }
}
