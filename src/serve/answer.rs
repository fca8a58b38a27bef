//! What a request gets: the codes of the distribution-spec, and headers that all have.

use std::io;

use crate::http::server::Reply;

/// A header's name and value.
pub(super) type Header = (&'static str, String);

/// Why a request does not get what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    TooLarge,
    TooMany,
    ReadOnly,
    Unsupported,
    Broken,
}

impl Refusal {
    fn words(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BlobUnknown => (404, "BLOB_UNKNOWN", "there is no such blob"),
            Self::BlobUploadInvalid => (416, "BLOB_UPLOAD_INVALID", "the part does not follow on what was sent before"),
            Self::BlobUploadUnknown => (404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload, or it has expired"),
            Self::DigestInvalid => (400, "DIGEST_INVALID", "the bytes have another digest, or it is not sha256"),
            Self::ManifestBlobUnknown => (404, "MANIFEST_BLOB_UNKNOWN", "it names something that is not there"),
            Self::ManifestInvalid => {
                (400, "MANIFEST_INVALID", "it is no index or image manifest of the type it is sent as")
            }
            Self::ManifestUnknown => (404, "MANIFEST_UNKNOWN", "there is no such manifest"),
            Self::NameInvalid => (400, "NAME_INVALID", "tags are no longer than 128 letters, digits, `_`, `.` and `-`"),
            Self::NameUnknown => (404, "NAME_UNKNOWN", "there is no such repository"),
            Self::SizeInvalid => (400, "SIZE_INVALID", "there are fewer bytes than announced"),
            Self::TooLarge => (413, "SIZE_INVALID", "it is larger than the limits of this server allow"),
            Self::TooMany => (429, "TOOMANYREQUESTS", "too many uploads at once"),
            Self::ReadOnly => (405, "UNSUPPORTED", "this server takes nothing: it was started without `--writable`"),
            Self::Unsupported => (405, "UNSUPPORTED", "this server does not do that"),
            Self::Broken => (500, "UNKNOWN", "the server can't read or write its files"),
        }
    }

    /// Sends the refusal.
    pub fn send(self, reply: Reply<'_>, headers: &[Header]) -> io::Result<()> {
        let (status, code, message) = self.words();
        let body = serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string();
        let headers = [with_type("application/json"), headers.to_vec()].concat();
        reply.bytes(status, &headers, body.as_bytes())
    }
}

/// The headers of a body of this type.
pub(super) fn with_type(media_type: &str) -> Vec<Header> {
    vec![("Docker-Distribution-Api-Version", "registry/2.0".to_owned()), ("Content-Type", media_type.to_owned())]
}
