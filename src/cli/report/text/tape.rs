//! The texts of `repro tape`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::document::{RequestOnTape, TapeDocument};
use crate::escape;
use crate::project::tape::Pushed;

/// The requests of each tape, by step.
pub fn listing(document: &TapeDocument) -> String {
    let mut text = String::new();
    for image in &document.images {
        let _ = writeln!(text, "{} {}, {} bytes", escape::text(&image.image), image.digest, image.bytes);
        for (name, value) in &image.variables {
            let _ = writeln!(text, "  RUN gets {name}={value}");
        }
        for (platform, requests) in &image.platforms {
            let _ = writeln!(text, "  {platform}: {} requests", requests.len());
            // A request of several steps stands under each of them.
            let mut by_step: BTreeMap<Option<&str>, Vec<&RequestOnTape>> = BTreeMap::new();
            for request in requests {
                for step in &request.steps {
                    by_step.entry(Some(step)).or_default().push(request);
                }
                if request.steps.is_empty() {
                    by_step.entry(None).or_default().push(request);
                }
            }
            for (step, requests) in by_step {
                if let Some(step) = step {
                    let _ = writeln!(text, "    {}", escape::text(step));
                }
                for request in requests {
                    let (url, status, digest, size) =
                        (escape::text(&request.url), request.status, &request.digest, request.size);
                    let method = request.method.as_deref().unwrap_or("GET");
                    let indent = if step.is_some() { "      " } else { "    " };
                    let _ = writeln!(text, "{indent}{method} {url} {status} {digest} {size}");
                }
            }
        }
    }
    text
}

/// What was pushed, and where.
pub fn pushed(all: &[Pushed]) -> String {
    let mut text = String::new();
    for Pushed { image, reference, digest, bodies, sent, sent_bytes, is_new } in all {
        let what = if *sent == 0 && !is_new {
            "all there already".to_owned()
        } else {
            format!("{sent} of them sent, {sent_bytes} bytes")
        };
        let _ = writeln!(text, "{image}: {bodies} bodies in {reference}@{digest}, {what}");
    }
    text
}
