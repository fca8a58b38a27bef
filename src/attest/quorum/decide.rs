//! Counting auditors.

use std::collections::{BTreeMap, BTreeSet};

use super::super::summary::Outcome;
use super::super::trust::Trust;
use super::{Asked, Rejected, Vote};
use crate::digest::Digest;

/// What auditors say of all images that were asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The lockfile that counted; none where nobody named one.
    pub lock: Option<Digest>,
    /// By image, in the order asked.
    pub asked: Vec<AskedQuorum>,
    /// Votes that don't count, since they are of other lockfiles.
    pub rejected: Vec<Rejected>,
}

/// What auditors say of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedQuorum {
    /// The image.
    pub asked: Asked,
    /// One vote each of the auditors for whom it came out, and for whom it never failed.
    pub passed: Vec<Vote>,
    /// One vote each of the auditors for whom it failed.
    pub failed: Vec<Vote>,
    /// Failures that their auditors withdrew.
    pub superseded: Vec<Vote>,
    /// Whether enough agree and not too many disagree.
    pub is_met: bool,
}

impl Quorum {
    /// Whether it is met for every image.
    pub fn is_met(&self) -> bool {
        self.asked.iter().all(|asked| asked.is_met)
    }

    /// The image for which it looks worst.
    pub fn worst(&self) -> Option<&AskedQuorum> {
        self.asked.iter().min_by_key(|asked| (asked.is_met, asked.passed.len(), usize::MAX - asked.failed.len()))
    }
}

/// Counts votes; without a lockfile at hand, the one on which most agree is taken, and only who names that counts.
pub fn decide(votes: Vec<Vote>, asked: &[Asked], trust: &Trust, lock: Option<Digest>, max_failed: usize) -> Quorum {
    let named: BTreeSet<Digest> = votes.iter().map(|vote| vote.lock).collect();
    let candidates: Vec<Option<Digest>> = match lock {
        Some(lock) => vec![Some(lock)],
        None if named.is_empty() => vec![None],
        None => named.into_iter().map(Some).collect(),
    };
    let counted = candidates.into_iter().map(|lock| {
        let of_lock: Vec<&Vote> = votes.iter().filter(|vote| Some(vote.lock) == lock).collect();
        let images = (0..asked.len()).map(|place| count(place, &asked[place], &of_lock, trust, max_failed));
        Quorum { lock, asked: images.collect(), rejected: Vec::new() }
    });
    let rank = |quorum: &Quorum| {
        let least = quorum.asked.iter().map(|asked| asked.passed.len()).min();
        let failed: usize = quorum.asked.iter().map(|asked| asked.failed.len()).sum();
        (quorum.is_met(), least, failed)
    };
    let best = counted.max_by_key(rank);
    let mut quorum = best.unwrap_or(Quorum { lock, asked: Vec::new(), rejected: Vec::new() });
    let others = votes.into_iter().filter(|vote| Some(vote.lock) != quorum.lock);
    let agreed = quorum.lock.map(|lock| lock.to_string()).unwrap_or_default();
    quorum.rejected = others
        .map(|vote| Rejected {
            place: vote.place,
            reason: format!("policy: made with the lockfile {}, the others agree on {agreed}", vote.lock),
        })
        .collect();
    quorum
}

fn count(place: usize, asked: &Asked, votes: &[&Vote], trust: &Trust, max_failed: usize) -> AskedQuorum {
    let mut of_auditors: BTreeMap<usize, Vec<&Vote>> = BTreeMap::new();
    for vote in votes.iter().filter(|vote| vote.about.contains(&place)) {
        of_auditors.entry(vote.auditor).or_default().push(vote);
    }
    let (mut passed, mut failed, mut superseded) = (Vec::new(), Vec::new(), Vec::new());
    for votes in of_auditors.into_values() {
        let (passing, failing): (Vec<&Vote>, Vec<&Vote>) =
            votes.into_iter().partition(|vote| vote.result == Outcome::Passed);
        let withdrawn: BTreeSet<&Digest> = passing.iter().flat_map(|vote| &vote.supersedes).collect();
        let (gone, standing): (Vec<&Vote>, Vec<&Vote>) =
            failing.into_iter().partition(|vote| withdrawn.contains(&vote.payload));
        superseded.extend(gone.into_iter().cloned());
        match (standing.first(), passing.first()) {
            (Some(vote), _) => failed.push((*vote).clone()),
            (None, Some(vote)) => passed.push((*vote).clone()),
            (None, None) => {}
        }
    }
    let is_met = passed.len() >= trust.threshold && failed.len() <= max_failed;
    AskedQuorum { asked: asked.clone(), passed, failed, superseded, is_met }
}
