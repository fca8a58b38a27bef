//! The text of `repro vendor`.

use std::fmt::Write;

use crate::document::VendorDocument;
use crate::escape;

/// What is there, and what is missing.
pub fn report(document: &VendorDocument) -> String {
    let mut text = String::new();
    let mut missing = 0;
    for source in &document.sources {
        if let Some(reason) = &source.missing {
            missing += 1;
            let request = escape::text(&source.request);
            let _ = writeln!(text, "missing {} {request} {}: {reason}", source.kind, source.result);
        }
    }
    let (all, path) = (document.sources.len(), escape::text(&document.path));
    match &document.written {
        Some(written) => {
            let _ = writeln!(
                text,
                "{path}: {all} sources of {}, {} blobs of {} bytes, {} of them new, {} removed",
                document.images.join(", "),
                written.blobs,
                written.bytes,
                written.new,
                written.removed
            );
        }
        None if missing == 0 => {
            let _ = writeln!(text, "{path}: all {all} sources of {} are there", document.images.join(", "));
        }
        None => {
            let _ = writeln!(text, "{path}: {missing} of {all} sources are missing");
        }
    }
    text
}
