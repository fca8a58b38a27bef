//! The text of `repro delta`.

use std::fmt::Write;

use crate::document::{DeltaBlob, DeltaDocument};
use crate::escape;

/// What a delta holds, blob by blob.
pub fn facts(document: &DeltaDocument) -> String {
    let mut text = String::new();
    for base in &document.bases {
        let _ = writeln!(text, "base   {}", base.join(" "));
    }
    let _ = writeln!(text, "target {}", document.target.join(" "));
    for blob in &document.blobs {
        let _ = writeln!(text, "  {} {} bytes, {}", blob.digest, blob.size, how(blob));
    }
    if document.blobs.is_empty() {
        let _ = writeln!(text, "{} bytes", document.bytes);
    } else {
        let _ = writeln!(
            text,
            "{} bytes for an image of {} bytes, {} of them for documents",
            document.bytes, document.target_bytes, document.document_bytes
        );
    }
    if let Some(path) = &document.written {
        let _ = writeln!(text, "written to {}", escape::text(path));
    }
    text
}

/// Where a blob comes from, and what it costs.
fn how(blob: &DeltaBlob) -> String {
    let (Some(recipe), Some(content), Some(copied), Some(part)) = (&blob.recipe, blob.content, blob.copied, blob.part)
    else {
        return if blob.form == "base" { "in the base" } else { "a document" }.to_owned();
    };
    let new = content - copied.min(content);
    let how = match recipe.as_str() {
        "whole" => format!("no recipe gives its compression back: {copied} bytes of the blob copied, {new} new"),
        _ => format!("recipe {recipe}: {copied} bytes of {content} copied, {new} new"),
    };
    format!("{how}, {part} bytes travel")
}
