//! Attestations beside an image: artifact manifests that name it as their subject, and tags that stand in for a list of
//! them.

use super::bundle;
use super::envelope::STATEMENT_TYPE;
use super::written::object;
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::image::media_type::OCI_MANIFEST;
use crate::json::Value;

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

/// The config of an artifact, which has none.
pub const EMPTY: &[u8] = b"{}";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const CREATED: &str = "org.opencontainers.image.created";

/// One attestation as an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// A bundle, or a statement that nobody signed.
    pub bytes: Vec<u8>,
    /// Whether it is a bundle.
    pub is_signed: bool,
    /// What the statement says, a URI.
    pub predicate_type: String,
    /// When, as the statement says, in RFC 3339.
    pub time: Option<String>,
}

impl Artifact {
    /// The artifact manifest that says it is about `subject`.
    pub fn manifest(&self, subject: &Descriptor) -> Vec<u8> {
        let kind = if self.is_signed { bundle::TYPE } else { STATEMENT_TYPE };
        let predicate = Some(Value::string(&self.predicate_type));
        let time = self.time.as_ref().map(Value::string);
        let annotations = match self.is_signed {
            true => vec![
                ("dev.sigstore.bundle.content", Some(Value::string("dsse-envelope"))),
                ("dev.sigstore.bundle.predicateType", predicate),
                (CREATED, time),
            ],
            false => vec![("in-toto.io/predicate-type", predicate), (CREATED, time)],
        };
        object(vec![
            ("schemaVersion", Some(Value::integer(2))),
            ("mediaType", Some(Value::string(OCI_MANIFEST))),
            ("artifactType", Some(Value::string(kind))),
            ("config", Some(descriptor(EMPTY_TYPE, &Digest::of(EMPTY), EMPTY.len() as u64))),
            ("layers", Some(Value::Array(vec![descriptor(kind, &Digest::of(&self.bytes), self.bytes.len() as u64)]))),
            ("subject", Some(descriptor(&subject.media_type, &subject.digest, subject.size))),
            ("annotations", Some(object(annotations))),
        ])
        .to_least()
    }
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Value {
    object(vec![
        ("mediaType", Some(Value::string(media_type))),
        ("digest", Some(Value::string(digest.to_string()))),
        ("size", Some(Value::integer(size))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_the_bytes_of_the_formats_page() {
        let page = include_str!("../../docs/formats.md");
        let subject = Descriptor::of(OCI_MANIFEST, b"image");
        let signed = Artifact {
            bytes: b"bundle".to_vec(),
            is_signed: true,
            predicate_type: "https://slsa.dev/verification_summary/v1".to_owned(),
            time: Some("2026-11-20T10:03:13Z".to_owned()),
        };
        let bare = Artifact { is_signed: false, time: None, ..signed.clone() };
        for artifact in [signed, bare] {
            let text = String::from_utf8(artifact.manifest(&subject)).unwrap();
            assert!(page.contains(&text), "{text}");
        }
    }
}
