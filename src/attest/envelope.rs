//! Envelopes (DSSE, version 1): a payload, its type, and signatures over both.
//!
//! What was signed is the pre-authentication encoding of the payload's decoded bytes, and exactly those bytes are read
//! afterwards. `keyid` decides nothing.

use serde_json::Value;

use super::base64::{self, InvalidBase64};
use super::key::{PublicKey, SigningKey};
use super::members::{Members, WrongMember};
use super::written::object;
use crate::escape;
use crate::json;

/// The payload type of statements, the only one.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";
/// Signatures that one envelope may have.
pub const MOST_SIGNATURES: usize = 64;

/// A payload with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// The signatures that could be read.
    pub signatures: Vec<Signature>,
    /// Why others could not.
    unreadable: Option<InvalidBase64>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What names the key; a hint.
    pub key_id: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// An envelope that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvelope {
    /// More signatures than may be.
    #[error("{0} signatures are more than the limit of {MOST_SIGNATURES}")]
    TooManySignatures(usize),
    /// No signature at all.
    #[error("no signature")]
    NoSignature,
    /// Another payload type.
    #[error("payload type `{}`, expected `{STATEMENT_TYPE}`", escape::text(.0))]
    PayloadType(String),
    /// A payload that is no base64.
    #[error("payload: {0}")]
    Payload(InvalidBase64),
    /// An artifact that is about another image than it stands beside.
    #[error("referrer: {0}")]
    Referrer(String),
    /// A member that is absent or another thing.
    #[error(transparent)]
    Member(#[from] WrongMember),
}

/// The bytes that are signed for a payload.
pub fn signed_bytes(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {STATEMENT_TYPE} {} ", STATEMENT_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Reads an envelope from its document; members beside the known ones are left alone.
    pub fn read(document: &Value) -> Result<Self, InvalidEnvelope> {
        let members = Members::of("envelope", document)?;
        let listed = members.list("signatures")?;
        if listed.len() > MOST_SIGNATURES {
            return Err(InvalidEnvelope::TooManySignatures(listed.len()));
        }
        let payload_type = members.text("payloadType")?;
        if payload_type != STATEMENT_TYPE {
            return Err(InvalidEnvelope::PayloadType(payload_type.to_owned()));
        }
        let payload = base64::decode(members.text("payload")?).map_err(InvalidEnvelope::Payload)?;
        if listed.is_empty() {
            return Err(InvalidEnvelope::NoSignature);
        }
        let (mut signatures, mut unreadable) = (Vec::new(), None);
        for one in listed {
            let one = Members::of("signature", one)?;
            let key_id = one.optional_text("keyid")?.map(str::to_owned);
            match base64::decode(one.text("sig")?) {
                Ok(bytes) => signatures.push(Signature { key_id, bytes }),
                Err(error) => unreadable = Some(error),
            }
        }
        Ok(Self { payload, signatures, unreadable })
    }

    /// The places in `keys` of those that signed, each once.
    ///
    /// Every key is tried on every signature until one fits; `fingerprints`, those of `keys`, only say which comes first.
    pub fn signers(&self, keys: &[PublicKey], fingerprints: &[String]) -> Vec<usize> {
        let message = signed_bytes(&self.payload);
        let mut found = Vec::new();
        for signature in &self.signatures {
            let hinted = signature.key_id.as_ref().and_then(|id| fingerprints.iter().position(|one| one == id));
            let others = (0..keys.len()).filter(|place| Some(*place) != hinted);
            let mut candidates = hinted.into_iter().chain(others);
            if let Some(place) = candidates.find(|place| keys[*place].verifies(&message, &signature.bytes))
                && !found.contains(&place)
            {
                found.push(place);
            }
        }
        found
    }

    /// Why no signature counts.
    pub fn unverified(&self, keys: &[PublicKey]) -> String {
        let message = signed_bytes(&self.payload);
        let is_p1363 = |signature: &Signature| keys.iter().any(|key| key.verifies_p1363(&message, &signature.bytes));
        match &self.unreadable {
            _ if self.signatures.iter().any(is_p1363) => {
                "signature is IEEE P1363 (r and s side by side), expected DER".to_owned()
            }
            Some(error) => format!("signature: {error}"),
            None => "no signature by a key that is trusted".to_owned(),
        }
    }

    /// An envelope of one signature.
    pub fn of(payload: Vec<u8>, signature: Signature) -> Self {
        Self { payload, signatures: vec![signature], unreadable: None }
    }

    /// Signs `payload`.
    pub fn sign(payload: &[u8], key: &SigningKey) -> Self {
        let signature = Signature { key_id: Some(key.public().fingerprint()), bytes: key.sign(&signed_bytes(payload)) };
        Self::of(payload.to_vec(), signature)
    }

    /// The envelope as a document.
    pub fn to_value(&self) -> json::Value {
        let signature = |signature: &Signature| {
            object(vec![
                ("keyid", signature.key_id.as_ref().map(json::Value::string)),
                ("sig", Some(json::Value::string(base64::encode(&signature.bytes)))),
            ])
        };
        object(vec![
            ("payloadType", Some(json::Value::string(STATEMENT_TYPE))),
            ("payload", Some(json::Value::string(base64::encode(&self.payload)))),
            ("signatures", Some(json::Value::Array(self.signatures.iter().map(signature).collect()))),
        ])
    }

    /// The envelope's line, without line break.
    pub fn to_line(&self) -> Vec<u8> {
        self.to_value().to_least()
    }
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;
    use crate::digest::Digest;
    use crate::limits::Limits;

    /// RFC 8032, test 1.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const BODY: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}],"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{}}"#;

    fn key() -> SigningKey {
        SigningKey::from_pem(KEY, &mut || None).unwrap()
    }

    fn read(line: &[u8]) -> Result<Envelope, InvalidEnvelope> {
        Envelope::read(&document::parse(line, &Limits::default()).unwrap())
    }

    #[test]
    fn the_bytes_are_those_of_the_formats_page() {
        let page = include_str!("../../docs/formats.md");
        let signed = signed_bytes(BODY);
        assert_eq!((BODY.len(), signed.len()), (218, 261));
        assert!(signed.starts_with(b"DSSEv1 28 application/vnd.in-toto+json 218 {"));
        assert_eq!(Digest::of(&signed).hex(), "86f019daa7564dd637e0cad40722e0c417d51f3b5788d7c2cfd05c49b25419eb");
        let line = String::from_utf8(Envelope::sign(BODY, &key()).to_line()).unwrap();
        assert!(
            line.contains("3PuAT1cciRVpi7HfFwOt46acYh2fswp0yR76djFpeCxxuGh4rLcCc3QSlmIBjn0cwlYDqDNKa55rPFDvF1TOBg==")
        );
        assert!(page.contains(&line) && page.contains(&Digest::of(&signed).hex()), "{line}");
    }

    #[test]
    fn a_key_is_found_whatever_names_it_and_counts_once() {
        let (public, other) = (key().public(), SigningKey::generate(super::super::key::KeyType::P256).unwrap());
        let keys = [other.public(), public];
        let fingerprints: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
        let mut envelope = read(&Envelope::sign(BODY, &key()).to_line()).unwrap();
        assert_eq!(envelope.signers(&keys, &fingerprints), [1]);
        envelope.signatures[0].key_id = Some(fingerprints[0].clone());
        envelope.signatures.push(Signature { key_id: None, ..envelope.signatures[0].clone() });
        assert_eq!(envelope.signers(&keys, &fingerprints), [1]);
        envelope.signatures.push(Signature { key_id: None, bytes: other.sign(&signed_bytes(BODY)) });
        assert_eq!(envelope.signers(&keys, &fingerprints), [1, 0]);
        envelope.payload[0] ^= 1;
        assert!(envelope.signers(&keys, &fingerprints).is_empty());
    }

    #[test]
    fn envelopes_of_another_kind_are_refused_by_name() {
        for (line, want) in [
            (r#"{"payloadType":"a","payload":"","signatures":[]}"#, "payload type `a`"),
            (r#"{"payloadType":"application/vnd.in-toto+json","payload":"YQ","signatures":[]}"#, "padding"),
            (r#"{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}"#, "no signature"),
            (r#"{"payloadType":"application/vnd.in-toto+json","payload":1,"signatures":[]}"#, "`payload` of envelope"),
            (r#"{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[{}]}"#, "`sig` of signature"),
        ] {
            let error = read(line.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(want), "{line}: {error}");
        }
    }
}
