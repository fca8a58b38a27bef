//! The text of `repro verify`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::document::explanation_document;
use crate::escape;
use crate::project::{
    CheckedOut, Elsewhere, Explanation, MirrorSaid, NamedBy, Occasion, Question, Verification, VerifiedImage,
};
use crate::render::tree;
use crate::verify::{Evidence, Verdict};

/// Files that one line names.
const MOST_FILES: usize = 16;

/// Where a project was cloned from, and who says that it is the right one.
pub fn origin(elsewhere: &Elsewhere) -> String {
    let (url, commit) = (elsewhere.origin.shown(), elsewhere.commit());
    match elsewhere.origin.named_by {
        NamedBy::User => format!("{url} at {commit}\n"),
        NamedBy::Labels => format!(
            "{url} at {commit}: so say the labels of the published image; that chose what is rebuilt, and is no part of the verdict\n"
        ),
        NamedBy::Provenance => format!(
            "{url} at {commit}: so says the provenance of the published image; that chose what is rebuilt, and is no part of the verdict\n"
        ),
    }
}

/// The verdict on every platform; `record` is the file that holds the record, as it was named.
pub fn verdicts(verification: &Verification, record: &Path) -> String {
    let mut text = String::new();
    let record = escape::bytes(record.as_os_str().as_encoded_bytes());
    let against = verification.against.as_deref().map(escape::text);
    for image in &verification.images {
        let (name, engines) = (&image.name, image.engines.join(" and "));
        for (evidence, verdict) in &image.platforms {
            say(&mut text, name, evidence, verdict);
            let is_equal = matches!(verdict, Verdict::Reproduced | Verdict::OpenNetwork { .. });
            let compared = if is_equal { "matches" } else { "compared with" };
            let _ = match (&against, &evidence.published) {
                (Some(against), Some(_)) => {
                    writeln!(text, "  rebuilt with {engines}; {compared} {record} and {against}")
                }
                _ => writeln!(
                    text,
                    "  rebuilt with {engines}; {compared} {record}; published image not checked (`--against`)"
                ),
            };
            if let Some((chosen, written)) = &image.frontend {
                let instead =
                    written.as_deref().map_or_else(String::new, |it| format!(", not by {}", escape::text(it)));
                let _ = writeln!(text, "  Dockerfile read by {}{instead} (`frontend`)", escape::text(chosen));
            }
            if let Some(cause) = image.cause(evidence, verdict) {
                let _ = writeln!(text, "  cause: {cause}");
            }
            for warning in &image.warnings {
                let _ = writeln!(text, "  warning: {warning}");
            }
        }
        if let Some(explanation) = &image.explanation {
            explain(&mut text, name, explanation);
        }
        let more = not_compared(image);
        if !more.is_empty() {
            let _ = writeln!(text, "{name}: the published image also has {more}, which nothing was compared with");
        }
        if let Some(referrers) = referrers(image).filter(|_| against.is_some()) {
            let _ = writeln!(
                text,
                "{name}: {referrers} of the published image (signatures, statements) were not looked at"
            );
        }
        index(&mut text, image);
    }
    for MirrorSaid { name, mirror, occasion } in &verification.mirrors {
        let what = match occasion {
            Occasion::Pinned => "is pinned as",
            Occasion::Fresh => "is upstream what is locked, as",
            Occasion::Published => "stands for what",
        };
        let (name, mirror) = (escape::text(name), escape::text(mirror));
        let _ = writeln!(text, "mirror: {name} {what} the mirror {mirror} says: its own server was not reached");
    }
    if let Some(checked_out) = &verification.checked_out {
        dirty(&mut text, checked_out);
    }
    text
}

/// Why the image is not the one that was meant, and what that is known from.
pub(super) fn explain(text: &mut String, name: &str, explanation: &Explanation) {
    let [first, second] = &explanation.diff.places;
    let _ = match explanation.question {
        Question::Nothing => return,
        Question::Published => {
            writeln!(text, "{name}: why the rebuilt image ({second}) is not the published one ({first}):")
        }
        Question::Recorded => {
            writeln!(text, "{name}: why the rebuilt image ({second}) is not the recorded one ({first}):")
        }
        Question::SecondBuild if explanation.diff.is_same() => writeln!(
            text,
            "{name}: built again without cache it is the same: the record was made with something else than is here (engine, sources), or is wrong; `--expected FILE` compares with the recorded bytes"
        ),
        Question::SecondBuild => writeln!(
            text,
            "{name}: built again without cache it differs from itself; `--expected FILE` compares with the recorded bytes:"
        ),
    };
    if !explanation.diff.is_same() {
        text.push_str(&tree(&explanation_document(explanation), false));
    }
}

/// The index around the platforms: rebuilt, recorded, published.
fn index(text: &mut String, image: &VerifiedImage) {
    let name = &image.name;
    let _ = match (image.index, image.recorded_index) {
        (Some(rebuilt), Some(expected)) if expected != rebuilt => {
            writeln!(text, "{name} index: differs: recorded {expected}, rebuilt {rebuilt}")
        }
        (Some(rebuilt), Some(_)) => writeln!(text, "{name} index: {rebuilt}"),
        _ => Ok(()),
    };
    let manifests: Vec<Digest> = image.platforms.iter().map(|(evidence, _)| evidence.rebuilt.manifest).collect();
    let Some(top) = image.published_index.filter(|top| Some(*top) != image.index && manifests != [*top]) else {
        return;
    };
    let _ = match image.index {
        Some(rebuilt) => writeln!(
            text,
            "{name} index: the published one is {top}, the rebuilt one {rebuilt}; only the platforms above were compared"
        ),
        None => writeln!(text, "{name} index: the published one is {top}; only the platforms above were compared"),
    };
}

/// What refers to the published image, in a word; none where nothing does.
fn referrers(image: &VerifiedImage) -> Option<String> {
    match image.referrers {
        None => Some("referrers".to_owned()),
        Some(0) => None,
        Some(1) => Some("a referrer".to_owned()),
        Some(count) => Some(format!("{count} referrers")),
    }
}

/// Which files are not as committed; nothing where all are.
fn dirty(text: &mut String, checked_out: &CheckedOut) {
    if checked_out.dirty.is_empty() {
        return;
    }
    let shown = |path: &PathBuf| escape::name(path.as_os_str().as_encoded_bytes());
    let mut files = checked_out.dirty.iter().take(MOST_FILES).map(shown).collect::<Vec<_>>().join(", ");
    let more = checked_out.dirty.len().saturating_sub(MOST_FILES);
    if more > 0 {
        let _ = write!(files, " and {more} more");
    }
    let _ = match &checked_out.commit {
        Some(commit) => writeln!(text, "dirty: not as commit {commit} has it: {files}"),
        None => writeln!(text, "dirty: nothing is committed yet: {files}"),
    };
}

/// What of the published image nothing was compared with; empty if there is nothing.
fn not_compared(image: &VerifiedImage) -> String {
    let mut parts: Vec<String> = image.not_compared.iter().map(ToString::to_string).collect();
    match image.attestations {
        0 => {}
        1 => parts.push("an attestation".to_owned()),
        count => parts.push(format!("{count} attestations")),
    }
    parts.join(", ")
}

fn say(text: &mut String, name: &str, evidence: &Evidence, verdict: &Verdict) {
    let platform = &evidence.platform;
    let _ = match verdict {
        Verdict::Reproduced => {
            writeln!(text, "{name} {platform}: reproduced {}", evidence.rebuilt.manifest)
        }
        Verdict::SameContent => writeln!(
            text,
            "{name} {platform}: same content {}; the published archive holds no image manifest, config and layers are equal",
            evidence.rebuilt.manifest
        ),
        Verdict::OpenNetwork { is_accepted } => {
            let accepts = if *is_accepted { "" } else { "; `--allow-open-network` takes it for enough" };
            writeln!(
                text,
                "{name} {platform}: open-network {}\n  the same image, but RUN could reach the whole network, and what it took from there is not known{accepts}",
                evidence.rebuilt.manifest
            )
        }
        Verdict::Packaging(pair) => {
            writeln!(text, "{name} {platform}: packaged differently: {pair} have the same content")
        }
        Verdict::Differs(pair, difference) => {
            writeln!(text, "{name} {platform}: differs: {pair} differ in {}", difference.level().in_words())
        }
        Verdict::NotPublished => {
            writeln!(text, "{name} {platform}: differs: the published image lacks this platform")
        }
    };
    if matches!(verdict, Verdict::Reproduced | Verdict::SameContent | Verdict::OpenNetwork { .. }) {
        let _ = writeln!(text, "  config {}", evidence.rebuilt.config);
        return;
    }
    let (recorded, rebuilt) = (&evidence.expected, &evidence.rebuilt);
    let _ = writeln!(text, "  recorded  {} config {}", recorded.manifest, recorded.config);
    let _ = writeln!(text, "  rebuilt   {} config {}", rebuilt.manifest, rebuilt.config);
    if let Some(Some(published)) = &evidence.published {
        let manifest = published.manifest.map(|digest| digest.to_string());
        let manifest = manifest.as_deref().unwrap_or("no image manifest");
        let _ = writeln!(text, "  published {manifest} config {}", published.config);
    }
}
