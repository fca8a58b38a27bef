//! Attestations beside an image: artifact manifests that name it as their subject, and tags that stand in for a list of
//! them.

use super::envelope::STATEMENT_TYPE;
use crate::digest::Digest;

/// Entries of one list of referrers that are looked at.
pub const MOST_ENTRIES: usize = 1000;

/// The tag of a list of referrers, where the registry keeps none.
pub fn fallback_tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

/// The tag under which older versions of cosign keep attestations, whose manifest names no subject.
pub fn attestation_tag(digest: &Digest) -> String {
    format!("{}.att", fallback_tag(digest))
}

/// Whether a layer of this type is an attestation.
pub fn is_attestation(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.dev.sigstore.bundle")
        || media_type == "application/vnd.dsse.envelope.v1+json"
        || media_type == STATEMENT_TYPE
}
