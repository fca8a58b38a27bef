//! Counting auditors.

use std::collections::{BTreeMap, BTreeSet};

use super::super::summary::Outcome;
use super::super::trust::Trust;
use super::{Asked, Rejected, Vote};
use crate::digest::Digest;
use crate::escape;

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
    /// Digests of all lines that count, for whoever.
    pub lines: BTreeSet<Digest>,
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
        let operators = operators(&of_lock, trust);
        let images = (0..asked.len()).map(|place| count(place, &asked[place], &of_lock, &operators, trust, max_failed));
        Quorum { lock, asked: images.collect(), rejected: twice(&of_lock, &operators, trust) }
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
    quorum.rejected.extend(others.map(|vote| Rejected {
        place: vote.place,
        reason: format!("policy: made with the lockfile {}, the others agree on {agreed}", vote.lock),
    }));
    quorum
}

/// Who stands behind each auditor, by place: keys that were given alone are of one where they speak for one verifier.
fn operators(votes: &[&Vote], trust: &Trust) -> Vec<usize> {
    let mut operators: Vec<usize> = (0..trust.auditors.len()).collect();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for vote in votes.iter().filter(|vote| trust.auditors[vote.auditor].verifier.is_none()) {
        let known = *first.entry(&vote.verifier).or_insert(vote.auditor);
        let (one, other) = (operators[known], operators[vote.auditor]);
        if one != other {
            operators.iter_mut().filter(|operator| **operator == other).for_each(|operator| *operator = one);
        }
    }
    operators
}

/// The votes of keys whose operator another key stands for.
fn twice(votes: &[&Vote], operators: &[usize], trust: &Trust) -> Vec<Rejected> {
    let name = |place: usize| escape::name(trust.auditors[place].name.as_bytes());
    let second = votes.iter().filter(|vote| operators[vote.auditor] != vote.auditor);
    let reason = |vote: &Vote| {
        let (key, other) = (name(vote.auditor), name(operators[vote.auditor]));
        format!("verifier `{}`: {key} is counted with {other}, which speaks for the same", escape::text(&vote.verifier))
    };
    second.map(|vote| Rejected { place: vote.place.clone(), reason: reason(vote) }).collect()
}

fn count(
    place: usize,
    asked: &Asked,
    votes: &[&Vote],
    operators: &[usize],
    trust: &Trust,
    max_failed: usize,
) -> AskedQuorum {
    let mut of_auditors: BTreeMap<usize, Vec<&Vote>> = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for vote in votes.iter().filter(|vote| vote.about.contains(&place)) {
        lines.insert(vote.line);
        of_auditors.entry(operators[vote.auditor]).or_default().push(vote);
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
    AskedQuorum { asked: asked.clone(), passed, failed, superseded, lines, is_met }
}

#[cfg(test)]
mod tests {
    use super::super::super::key::{KeyType, SigningKey};
    use super::super::super::trust::Auditor;
    use super::*;

    fn vote(auditor: usize, verifier: &str, result: Outcome) -> Vote {
        Vote {
            auditor,
            place: format!("line of {auditor}"),
            line: Digest::of(verifier.as_bytes()),
            payload: Digest::of(format!("{auditor}{verifier}").as_bytes()),
            about: vec![0],
            result,
            is_exact: result == Outcome::Passed,
            lock: Digest::of(b"lock"),
            policy: None,
            resource: String::new(),
            verifier: verifier.to_owned(),
            time: String::new(),
            supersedes: Vec::new(),
        }
    }

    #[test]
    fn keys_given_alone_that_speak_for_one_verifier_are_one_auditor() {
        let auditor = |place: usize, verifier: Option<String>| {
            let keys = vec![SigningKey::generate(KeyType::Ed25519).unwrap().public()];
            Auditor { name: format!("key:{place}"), verifier, keys, not_after: None, max_age: None }
        };
        let keys = Trust::new((0..3).map(|place| auditor(place, None)).collect(), 2).unwrap();
        let file = Trust::new((0..3).map(|place| auditor(place, Some(format!("v{place}")))).collect(), 2).unwrap();
        let asked = [Asked { name: "app".to_owned(), digest: Digest::of(b"image") }];
        let passed = |said: &[(usize, &str)]| {
            said.iter().map(|(auditor, verifier)| vote(*auditor, verifier, Outcome::Passed)).collect::<Vec<_>>()
        };
        for (votes, trust, count, rejected) in [
            (passed(&[(0, "v"), (1, "w")]), &keys, 2, 0),
            (passed(&[(0, "v"), (1, "v")]), &keys, 1, 1),
            // One key that speaks for two verifiers joins those that speak for either.
            (passed(&[(0, "v"), (1, "w"), (2, "w"), (2, "v")]), &keys, 1, 3),
            // A trust file says who is who.
            (passed(&[(0, "v"), (1, "v")]), &file, 2, 0),
        ] {
            let quorum = decide(votes, &asked, trust, Some(Digest::of(b"lock")), 0);
            assert_eq!((quorum.asked[0].passed.len(), quorum.rejected.len()), (count, rejected), "{quorum:?}");
        }
        let mixed = vec![vote(0, "v", Outcome::Passed), vote(1, "v", Outcome::Failed)];
        let quorum = decide(mixed, &asked, &keys, Some(Digest::of(b"lock")), 0);
        assert_eq!((quorum.asked[0].passed.len(), quorum.asked[0].failed.len()), (0, 1));
    }
}
