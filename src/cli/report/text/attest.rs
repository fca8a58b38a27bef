//! The texts of `repro attest`.

use std::fmt::Write;

use crate::attest::quorum::{AskedQuorum, Vote};
use crate::attest::trust::Trust;
use crate::escape;
use crate::project::{Attested, Shown, ShownPredicate};

/// Whether enough auditors agree, and everything that does not count. `is_of_repository` where the project itself says
/// whom to trust.
pub fn quorum(attested: &Attested, is_of_repository: bool) -> String {
    let (quorum, trust) = (&attested.quorum, &attested.trust);
    let (passed, failed) = quorum.worst().map_or((0, 0), |worst| (worst.passed.len(), worst.failed.len()));
    let (all, needed) = (trust.auditors.len(), trust.threshold);
    let mut text = format!("reproduced by {passed} of {all} auditors (needs {needed}), {failed} failed\n");
    for asked in &quorum.asked {
        image(&mut text, asked, trust);
    }
    for rejected in &attested.rejected {
        let _ = writeln!(text, "rejected {}: {}", rejected.place, rejected.reason);
    }
    for (place, kind) in &attested.others {
        let _ = writeln!(text, "ignored {place}: predicate type `{}`, no verification summary", escape::text(kind));
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
    let trusted = match &attested.trust_file {
        Some(file) if is_of_repository => format!("{file}, which is the project's own"),
        Some(file) => file.clone(),
        None => "the keys given".to_owned(),
    };
    let _ = writeln!(text, "lockfile {lock}; trusted: {trusted}");
    text.push_str(
        "passed: the auditor got the same bytes from the locked inputs, which says nothing of what they do; failed statements may be withheld\n",
    );
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
        Some(ShownPredicate::Provenance { builder, build_type }) => {
            let told = |text: &Option<String>| text.as_deref().map_or("none".into(), escape::text).into_owned();
            let _ = writeln!(text, "  built by {}, {}", told(builder), told(build_type));
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
