//! The texts of `repro attest`.

use std::fmt::Write;

use crate::attest::quorum::{AskedQuorum, Vote};
use crate::attest::trust::Trust;
use crate::escape;
use crate::project::{Aggregated, Attested, PushedAttestations, Shown, ShownPredicate, shown as path};

/// Whether enough auditors agree, and everything that does not count.
pub fn quorum(attested: &Attested) -> String {
    let (quorum, trust) = (&attested.quorum, &attested.trusted.trust);
    let (passed, failed) = quorum.worst().map_or((0, 0), |worst| (worst.passed.len(), worst.failed.len()));
    let (all, needed) = (trust.auditors.len(), trust.threshold);
    let mut text = format!("reproduced by {passed} of {all} auditors (needs {needed}), {failed} failed\n");
    for asked in &quorum.asked {
        image(&mut text, asked, trust);
    }
    for rejected in &attested.rejected {
        let _ = writeln!(text, "rejected {}: {}", rejected.place, rejected.reason);
    }
    for (place, other) in &attested.others {
        let kind = escape::text(&other.predicate_type);
        let _ = writeln!(text, "ignored {place}: predicate type `{kind}`, no verification summary");
    }
    if attested.unsigned > 0 {
        let _ = writeln!(text, "unsigned: {}, which count for nothing", attested.unsigned);
    }
    if attested.unrecognised > 0 {
        let _ = writeln!(text, "not recognised, and ignored: {}", attested.unrecognised);
    }
    if attested.lines == 0 {
        text.push_str("no attestation was found: none shown does not mean that there are none\n");
    }
    let lock = quorum.lock.map_or_else(|| "none".to_owned(), |lock| lock.to_string());
    let _ = writeln!(text, "lockfile {lock}; trusted: {}", trusted(attested));
    text.push_str(
        "passed: the auditor got the same bytes from the locked inputs, which says nothing of what they do; failed statements may be withheld\n",
    );
    text
}

/// Where it is said whom to trust.
fn trusted(attested: &Attested) -> String {
    match &attested.trusted.file {
        Some(file) if attested.trusted.is_of_project => format!("{file}, which is the project's own"),
        Some(file) => file.clone(),
        None if attested.trusted.trust.keys.len() > 1 => {
            "the keys given; that each is somebody else's is taken for granted where they speak for different verifiers"
                .to_owned()
        }
        None => "the keys given".to_owned(),
    }
}

/// Who attested what was just verified.
pub fn seen(attested: &Attested) -> String {
    let (quorum, trust) = (&attested.quorum, &attested.trusted.trust);
    let (all, needed) = (trust.auditors.len(), trust.threshold);
    let mut text = String::new();
    for asked in &quorum.asked {
        let names = |votes: &[Vote]| {
            let names = votes.iter().map(|vote| escape::name(trust.auditors[vote.auditor].name.as_bytes()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (passed, failed) = (asked.passed.len(), asked.failed.len());
        let _ = write!(
            text,
            "attested: {} by {passed} of {all} auditors (needs {needed}), {failed} failed",
            escape::text(&asked.asked.name)
        );
        for (what, votes) in [("passed", &asked.passed), ("failed", &asked.failed)] {
            if !votes.is_empty() {
                let _ = write!(text, "; {what}: {}", names(votes));
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "  trusted: {}; `repro attest verify` tells more", trusted(attested));
    text
}

/// What was counted, and what was made of it.
pub fn aggregated(aggregated: &Aggregated) -> String {
    let Aggregated { attested, lines: made, reproduced, output } = aggregated;
    let told = |text: &mut String| {
        if attested.quorum.is_met() && reproduced.is_empty() {
            text.push_str(
                "not said: SLSA_BUILD_REPRODUCED, of SLSA's draft: no two operators with builders of their own also attest how they built\n",
            );
        }
    };
    match output {
        Some(output) if !made.is_empty() => {
            let mut text = quorum(attested);
            told(&mut text);
            let _ = writeln!(text, "added {} envelopes to {}", made.len(), path(output));
            text
        }
        None if !made.is_empty() => lines(made),
        _ => quorum(attested),
    }
}

/// Lines as they are.
pub fn lines(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect()
}

/// What was pushed, and what was not.
pub fn pushed(pushed: &PushedAttestations) -> String {
    let mut text = String::new();
    for one in &pushed.pushed {
        let kind = escape::text(&one.predicate_type);
        let _ = writeln!(text, "{} as {} beside {}: {kind}", one.place, one.digest, one.subject);
    }
    for (place, reason) in &pushed.left_out {
        let _ = writeln!(text, "left out {place}: {reason}");
    }
    text
}

fn image(text: &mut String, asked: &AskedQuorum, trust: &Trust) {
    let met = if asked.is_met { "met" } else { "not met" };
    let _ = writeln!(text, "{} {}: {met}", escape::text(&asked.asked.name), asked.asked.digest);
    for (what, votes) in [("failed", &asked.failed), ("passed", &asked.passed), ("superseded", &asked.superseded)] {
        for vote in votes {
            say(text, what, vote, trust);
        }
    }
    let spoke = |place: &usize| asked.failed.iter().chain(&asked.passed).any(|vote| vote.auditor == *place);
    let silent: Vec<String> = (0..trust.auditors.len())
        .filter(|place| !spoke(place))
        .map(|place| escape::name(trust.auditors[place].name.as_bytes()))
        .collect();
    if !silent.is_empty() {
        let _ = writeln!(text, "  nothing that counts from {}", silent.join(", "));
    }
}

fn say(text: &mut String, what: &str, vote: &Vote, trust: &Trust) {
    let name = escape::name(trust.auditors[vote.auditor].name.as_bytes());
    let verifier = escape::text(&vote.verifier);
    let _ = writeln!(text, "  {what} {name} ({verifier}, {}), {}", vote.time, vote.place);
}

/// What attestations say.
pub fn shown(all: &[Shown]) -> String {
    let mut text = String::new();
    for shown in all {
        one(&mut text, shown);
    }
    if !all.is_empty() {
        text.push_str("nobody checked who signed these: `repro attest verify`\n");
    }
    text
}

fn one(text: &mut String, shown: &Shown) {
    let signed = match &shown.signed_by {
        None if shown.payload.is_none() => String::new(),
        None => ", unsigned".to_owned(),
        Some(keys) => {
            let keys: Vec<String> =
                keys.iter().map(|key| key.as_deref().map_or("a key without id".into(), escape::text).into()).collect();
            format!(", signature of {}", keys.join(" and "))
        }
    };
    let kind = shown.predicate_type.as_deref().map(escape::text).unwrap_or_default();
    let _ = writeln!(text, "{}: {kind}{signed}", shown.place);
    if let Some(reason) = &shown.refused {
        let _ = writeln!(text, "  refused: {reason}");
    }
    match &shown.predicate {
        Some(ShownPredicate::Summary(summary)) => {
            let levels: Vec<String> = summary.levels.iter().map(|level| escape::text(level).into_owned()).collect();
            let (verifier, resource) = (escape::text(&summary.verifier), escape::text(&summary.resource));
            let _ =
                writeln!(text, "  {} [{}] of the lockfile {}", summary.result.word(), levels.join(", "), summary.lock);
            let _ = writeln!(text, "  by {verifier} at {}, {resource}", summary.time);
        }
        Some(ShownPredicate::Provenance(built)) => {
            let told = |text: &Option<String>| {
                text.as_deref().filter(|text| !text.is_empty()).map_or("nobody named".into(), escape::text).into_owned()
            };
            let (builder, kind, count) = (told(&built.builder), told(&built.build_type), built.dependencies);
            let _ = writeln!(text, "  built by {builder}, {kind}, of {count} dependencies");
            if let Some(lock) = built.lock {
                let _ = writeln!(text, "  from the lockfile {lock}");
            }
        }
        None => {}
    }
    for subject in &shown.subjects {
        let digest = subject.sha256.map_or_else(|| "no sha256".to_owned(), |digest| digest.to_string());
        let _ = writeln!(text, "  {digest} {}", escape::name(subject.name.as_bytes()));
    }
    if let Some(payload) = &shown.payload {
        let _ = writeln!(text, "  statement {payload}");
    }
}
