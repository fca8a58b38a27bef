//! Whether enough auditors agree on images.

use std::path::PathBuf;

use rayon::prelude::*;

use super::super::machine::Machine;
use super::super::online;
use super::asked::{self, LockAtHand};
use super::error::AttestError;
use super::gather::{AttestSources, gather};
use super::trusted::{self, TrustSource, Trusted};
use crate::attest::line::Line;
use crate::attest::quorum::{Asked, Judged, Other, Quorum, Rejected, Rules, decide, judge};
use crate::source::{Place, Published};
use crate::status::{Failure, Status};

/// What is asked, of whom, about what.
#[derive(Clone, Debug)]
pub struct AttestVerifyOptions {
    /// Where the attestations are.
    pub sources: AttestSources,
    /// Where it is said whom to trust.
    pub trust: TrustSource,
    /// How many auditors must agree, if that is not what the file says.
    pub threshold: Option<i64>,
    /// How many may have seen it fail, if that is not what the file says.
    pub max_failed: Option<usize>,
    /// The lockfile; the project's where neither it nor an image is given.
    pub lock: Option<PathBuf>,
    /// What is asked about.
    pub about: AskedAbout,
    /// Where the image is pulled from, if statements must say the same.
    pub resource: Option<String>,
    /// Whether an image that was packaged differently is enough, if that is not what the file says.
    pub accepts_content: Option<bool>,
}

/// What is asked about.
#[derive(Clone, Debug)]
pub enum AskedAbout {
    /// Recorded images of the lockfile; none for all.
    Recorded(Vec<String>),
    /// An image by digest.
    Image(String),
    /// Every platform of what is published, and how that was typed.
    Published(Place, String),
    /// These digests.
    Digests(Vec<Asked>),
}

/// What attestations came to.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The counts.
    pub quorum: Quorum,
    /// Who was trusted.
    pub trusted: Trusted,
    /// Lines that don't count.
    pub rejected: Vec<Rejected>,
    /// Statements by trusted keys that are no summaries, and where.
    pub others: Vec<(String, Other)>,
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
    let mut trusted = trusted::load(machine, &options.trust, options.threshold, path)?;
    trusted.max_failed = options.max_failed.unwrap_or(trusted.max_failed);
    trusted.accepts_content = options.accepts_content.unwrap_or(trusted.accepts_content);
    let asked = match (&options.about, &lock) {
        (AskedAbout::Image(image), _) => vec![asked::of_reference(image)?],
        (AskedAbout::Digests(asked), _) => asked.clone(),
        (_, None) => return Err(AttestError::NoLock("repro.lock".to_owned()).into()),
        (AskedAbout::Recorded(names), Some(lock)) => asked::of_lock(lock, names)?,
        (AskedAbout::Published(place, typed), Some(_)) => published(machine, place, typed)?,
    };
    let mut sources = options.sources.clone();
    sources.files.extend(trusted.attestations.iter().cloned());
    let lock = lock.map(|lock| lock.digest);
    let rules = Rules {
        trust: &trusted.trust,
        asked: &asked,
        lock,
        resource: options.resource.as_deref(),
        accepts_content: trusted.accepts_content,
        now: machine.now,
        limits: &machine.limits,
    };
    let (mut votes, mut rejected, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut unsigned, mut unrecognised, mut lines) = (0, 0, 0);
    let is_asked_of_policy = matches!(options.trust, TrustSource::Policy(_)) && sources.is_empty();
    let mut take = |gathered: Vec<(String, Line)>| {
        lines += gathered.len();
        let judged: Vec<(String, Judged)> = gathered
            .into_par_iter()
            .map(|(place, line)| {
                let judged = judge(&line, &place, &rules);
                (place, judged)
            })
            .collect();
        for (place, judged) in judged {
            match judged {
                Judged::Counts(found) => votes.extend(found),
                Judged::Rejected(reason) => rejected.push(Rejected { place, reason }),
                Judged::Other(other) => others.push((place, other)),
                Judged::Unsigned => unsigned += 1,
                Judged::Unrecognised => unrecognised += 1,
            }
        }
    };
    // A policy may say where statements will be once there are any.
    if !is_asked_of_policy {
        gather(machine, &sources, &asked, &mut take)?;
    }
    machine.cancel.check()?;
    let mut quorum = decide(votes, &asked, &trusted.trust, lock, trusted.max_failed);
    rejected.append(&mut quorum.rejected);
    Ok(Attested { quorum, trusted, rejected, others, unsigned, unrecognised, lines })
}

/// What is published, by platform.
fn published(machine: &Machine, place: &Place, typed: &str) -> Result<Vec<Asked>, Failure> {
    let registry = online::registry(machine)?;
    let cache = machine.cache()?;
    let published = Published::read(place, None, &online::reader(machine, Some((&registry, &cache))))?;
    let asked = published
        .platforms
        .iter()
        .filter_map(|(platform, image)| Some(Asked { name: format!("{typed} {platform}"), digest: image.manifest? }));
    let asked: Vec<Asked> = asked.collect();
    if asked.is_empty() { Err(AttestError::NothingPublished(typed.to_owned()).into()) } else { Ok(asked) }
}

/// The lockfile that was named, or the project's where no image was.
fn lock_at_hand(machine: &Machine, options: &AttestVerifyOptions) -> Result<Option<LockAtHand>, Failure> {
    match (&options.lock, &options.about) {
        (Some(file), _) => asked::lock(machine, file).map(Some),
        (None, AskedAbout::Image(_)) => Ok(None),
        (None, _) => asked::of_project(machine),
    }
}
