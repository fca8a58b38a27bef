//! What `repro verify --from-provenance` says.

use std::fmt::Write;

use super::verify::explain;
use crate::escape;
use crate::project::FromProvenance;
use crate::verify::{Evidence, Verdict};

/// The verdict on every platform, and what the provenance does not tell.
pub fn verdicts(found: &FromProvenance) -> String {
    let mut text = String::new();
    let name = escape::text(found.verification.against.as_deref().unwrap_or_default());
    for image in &found.verification.images {
        for (evidence, verdict) in &image.platforms {
            say(&mut text, &name, evidence, verdict);
            let _ = writeln!(text, "  rebuilt with {} from what its provenance tells", image.engines.join(" and "));
            if let Some(cause) = image.cause(evidence, verdict) {
                let _ = writeln!(text, "  cause: {cause}");
            }
            for warning in &image.warnings {
                let _ = writeln!(text, "  warning: {warning}");
            }
        }
        if let Some(explanation) = &image.explanation {
            explain(&mut text, &name, explanation);
        }
        let more: Vec<String> = image.not_compared.iter().map(ToString::to_string).collect();
        if !more.is_empty() {
            let _ = writeln!(text, "{name}: not rebuilt: {}", more.join(", "));
        }
    }
    for note in &found.notes {
        let _ = writeln!(text, "not told: {}: {}", note.what, note.why);
    }
    text
}

fn say(text: &mut String, name: &str, evidence: &Evidence, verdict: &Verdict) {
    let platform = &evidence.platform;
    let (published, rebuilt) = (&evidence.expected, &evidence.rebuilt);
    let _ = match verdict {
        Verdict::Reproduced => writeln!(text, "{name} {platform}: reproduced {}", rebuilt.manifest),
        Verdict::SameContent => writeln!(text, "{name} {platform}: same content {}", rebuilt.manifest),
        Verdict::OpenNetwork { .. } => writeln!(
            text,
            "{name} {platform}: open-network {}\n  the same image, but RUN could reach the whole network, and what it took from there is not known",
            rebuilt.manifest
        ),
        Verdict::Packaging(_) => writeln!(text, "{name} {platform}: packaged differently: the content is the same"),
        Verdict::Differs(_, difference) => {
            writeln!(text, "{name} {platform}: differs in {}", difference.level().in_words())
        }
        Verdict::NotPublished => writeln!(text, "{name} {platform}: differs: the image lacks this platform"),
    };
    if published.manifest != rebuilt.manifest {
        let _ = writeln!(text, "  published {} config {}", published.manifest, published.config);
        let _ = writeln!(text, "  rebuilt   {} config {}", rebuilt.manifest, rebuilt.config);
    }
}
