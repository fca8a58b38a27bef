//! Sigstore bundles that need no transparency log: an envelope, and which public key is to be tried.

use super::envelope::Envelope;
use super::written::object;
use crate::json::Value;

/// The media type that is written.
pub const TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The bundle of an envelope; none of several signatures, since a bundle has one.
pub fn of(envelope: &Envelope) -> Option<Vec<u8>> {
    let [signature] = &envelope.signatures[..] else { return None };
    let hint = Value::string(signature.key_id.as_deref().unwrap_or_default());
    let key = object(vec![("hint", Some(hint))]);
    let bundle = object(vec![
        ("mediaType", Some(Value::string(TYPE))),
        ("verificationMaterial", Some(object(vec![("publicKey", Some(key))]))),
        ("dsseEnvelope", Some(envelope.to_value())),
    ]);
    Some(bundle.to_least())
}

#[cfg(test)]
mod tests {
    use super::super::key::SigningKey;
    use super::super::line::{Content, RawLine};
    use super::*;
    use crate::limits::Limits;

    /// RFC 8032, test 1.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_bundle_has_the_bytes_of_the_formats_page_and_is_read_as_its_envelope() {
        let page = include_str!("../../docs/formats.md");
        let mut envelope = Envelope::sign(b"{}", &SigningKey::from_pem(KEY, &mut || None).unwrap());
        let bytes = of(&envelope).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(page.contains(&text), "{text}");
        let line = RawLine { number: None, bytes }.read(&Limits::default()).unwrap();
        assert_eq!(line.content, Content::Envelope(envelope.clone()));
        envelope.signatures.push(envelope.signatures[0].clone());
        assert_eq!(of(&envelope), None);
    }
}
