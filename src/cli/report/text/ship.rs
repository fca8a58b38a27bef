//! The texts of `repro push`, `repro pull`, `repro copy` and `repro list`.

use std::fmt::Write;

use crate::document::{ListDocument, TransferDocument};
use crate::escape;

/// Where an image is now, by every name, and what travelled.
pub fn transfer(document: &TransferDocument) -> String {
    let mut text = String::new();
    let digest = document.digest.as_deref().unwrap_or_default();
    for arrival in &document.arrivals {
        for name in &arrival.names {
            let _ = writeln!(text, "{} {digest}", escape::text(name));
        }
        let blobs = &arrival.blobs;
        let _ = writeln!(
            text,
            "  {} blobs sent ({} bytes), {} mounted, {} there already",
            blobs.sent, blobs.sent_bytes, blobs.mounted, blobs.present
        );
    }
    for referrer in &document.referrers {
        let _ = writeln!(text, "  with {} about {}", referrer.digest, referrer.subject);
    }
    text
}

/// Tags, or platforms with their blobs.
pub fn list(document: &ListDocument) -> String {
    let mut text = String::new();
    for tag in document.tags.iter().flatten() {
        let _ = writeln!(text, "{}", escape::text(tag));
    }
    let Some(image) = &document.image else { return text };
    let _ = writeln!(text, "{} {}, {} bytes", image.digest, escape::text(&image.media_type), image.bytes);
    for manifest in &image.manifests {
        let platform = manifest.platform.as_deref().unwrap_or("no platform");
        let _ = writeln!(text, "  {platform} {}", manifest.manifest);
        for blob in &manifest.blobs {
            let shared = if blob.shared { " shared" } else { "" };
            let _ = writeln!(text, "    {} {} {}{shared}", blob.digest, blob.size, escape::text(&blob.media_type));
        }
    }
    for referrer in &image.referrers {
        let kind = referrer.artifact_type.as_deref().unwrap_or("unknown");
        let _ = writeln!(text, "  {} {} about {}", escape::text(kind), referrer.digest, referrer.subject);
    }
    if let Some(shared) = image.shared_bytes {
        let _ = writeln!(text, "  shared: {shared} bytes");
    }
    text
}
