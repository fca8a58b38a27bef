//! The text of `repro verify`.

use std::fmt::Write;
use std::path::Path;

use crate::escape;
use crate::project::{Verification, VerifiedImage};
use crate::verify::{Case, Verdict};

/// The verdict on every platform; `record` is the file that holds the record, as it was named.
pub fn verdicts(verification: &Verification, record: &Path) -> String {
    let mut text = String::new();
    let record = escape::bytes(record.as_os_str().as_encoded_bytes());
    let against = verification.against.as_deref().map(escape::text);
    for image in &verification.images {
        let (name, engines) = (&image.name, image.engines.join(" and "));
        for (case, verdict) in &image.platforms {
            say(&mut text, name, case, verdict);
            let compared = if *verdict == Verdict::Reproduced { "matches" } else { "compared with" };
            let _ = match (&against, &case.published) {
                (Some(against), Some(_)) => {
                    writeln!(text, "  rebuilt with {engines}; {compared} {record} and {against}")
                }
                _ => writeln!(
                    text,
                    "  rebuilt with {engines}; {compared} {record}; published image not checked (`--against`)"
                ),
            };
        }
        let more = not_compared(image);
        if !more.is_empty() {
            let _ = writeln!(text, "{name}: the published image also has {more}, which nothing was compared with");
        }
        let (Some(rebuilt), Some(expected)) = (image.index, image.recorded_index) else { continue };
        if expected != rebuilt {
            let _ = writeln!(text, "{name} index: differs: recorded {expected}, rebuilt {rebuilt}");
        }
        if let Some(top) = image.published_index.filter(|top| *top != rebuilt) {
            let _ = writeln!(
                text,
                "{name} index: the published one is {top}, the rebuilt one {rebuilt}; only the platforms above were compared"
            );
        }
    }
    text
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

fn say(text: &mut String, name: &str, case: &Case, verdict: &Verdict) {
    let platform = &case.platform;
    let _ = match verdict {
        Verdict::Reproduced => {
            writeln!(text, "{name} {platform}: reproduced {}", case.rebuilt.manifest)
        }
        Verdict::SameContent => writeln!(
            text,
            "{name} {platform}: same content {}; the published archive holds no image manifest, config and layers are equal",
            case.rebuilt.manifest
        ),
        Verdict::Packaging(pair) => {
            writeln!(text, "{name} {platform}: packaged differently: {pair} have the same content")
        }
        Verdict::Differs(pair, difference) => {
            writeln!(text, "{name} {platform}: differs: {pair} differ in the {}", difference.level())
        }
        Verdict::NotPublished => {
            writeln!(text, "{name} {platform}: differs: the published image lacks this platform")
        }
    };
    if !matches!(verdict, Verdict::Reproduced | Verdict::SameContent) {
        let _ = writeln!(text, "  recorded  {}", case.expected.manifest);
        let _ = writeln!(text, "  rebuilt   {}", case.rebuilt.manifest);
        if let Some(Some(published)) = &case.published {
            let manifest = published.manifest.map(|digest| digest.to_string());
            let _ = writeln!(text, "  published {}", manifest.as_deref().unwrap_or("no image manifest"));
        }
    }
}
