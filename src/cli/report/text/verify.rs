//! The text of `repro verify`.

use std::fmt::Write;
use std::path::Path;

use crate::escape;
use crate::project::Verification;
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
        let Some(rebuilt) = image.index else { continue };
        if let Some(expected) = image.recorded_index {
            let _ = writeln!(text, "{name} index: differs: recorded {expected}, rebuilt {rebuilt}");
        }
        if let Some(top) = image.published_index {
            let _ = writeln!(
                text,
                "{name} index: the published one is {top}, the rebuilt one {rebuilt}; only the platforms above were compared"
            );
        }
    }
    text
}

fn say(text: &mut String, name: &str, case: &Case, verdict: &Verdict) {
    let platform = &case.platform;
    let _ = match verdict {
        Verdict::Reproduced => {
            writeln!(text, "{name} {platform}: reproduced {}", case.rebuilt.manifest)
        }
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
    if *verdict != Verdict::Reproduced {
        let _ = writeln!(text, "  recorded  {}", case.expected.manifest);
        let _ = writeln!(text, "  rebuilt   {}", case.rebuilt.manifest);
        if let Some(Some(published)) = &case.published {
            let _ = writeln!(text, "  published {}", published.manifest);
        }
    }
}
