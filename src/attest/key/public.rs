//! Public keys: read, named, and asked whether a signature is theirs.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

use super::{KeyError, pem};
use crate::digest::Digest;

pub(super) const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo.
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 65 bytes of a P-256 point in its SubjectPublicKeyInfo.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Who a key is: the sha256 of its SubjectPublicKeyInfo with an uncompressed point, shown as `key:<first 16 hex digits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key:{}", &self.0.hex()[..16])
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519, by its 32 bytes.
    Ed25519([u8; 32]),
    /// ECDSA over P-256, by its uncompressed point of 65 bytes.
    P256([u8; 65]),
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` in PEM.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("-----BEGIN OPENSSH ") || text.trim_start().starts_with("ssh-") {
            return Err(KeyError::OpenSsh);
        }
        let pem = pem::read(text)?;
        match pem.label.as_str() {
            "PUBLIC KEY" => Self::from_spki(&pem.bytes),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::PrivateAsPublic),
            label => Err(KeyError::Label { found: label.to_owned(), expected: "PUBLIC KEY" }),
        }
    }

    /// Reads a SubjectPublicKeyInfo; a compressed point is the same key as the point in full.
    fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |error: &dyn fmt::Display| KeyError::Malformed(error.to_string());
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|error| malformed(&error))?;
        let raw = info.subject_public_key.as_bytes().ok_or_else(|| malformed(&"bits beside whole bytes"))?;
        match info.algorithm.oid {
            ED25519_OID => {
                let key = raw.try_into().ok().filter(|_| info.algorithm.parameters.is_none());
                key.map(Self::Ed25519).ok_or_else(|| malformed(&"not the 32 bytes of an Ed25519 key"))
            }
            EC_OID => {
                let curve = info.algorithm.parameters_oid().map_err(|error| malformed(&error))?;
                if curve != P256_OID {
                    return Err(KeyError::Algorithm(format!("ECDSA over the curve {curve}")));
                }
                let key = p256::PublicKey::from_sec1_bytes(raw).map_err(|_| malformed(&"no point of P-256"))?;
                Ok(Self::from_point(&key))
            }
            other => Err(KeyError::Algorithm(match other.to_string().as_str() {
                "1.2.840.113549.1.1.1" => "RSA".to_owned(),
                oid => format!("algorithm {oid}"),
            })),
        }
    }

    /// The key of a point.
    pub(super) fn from_point(key: &p256::PublicKey) -> Self {
        let mut point = [0; 65];
        point.copy_from_slice(key.to_sec1_point(false).as_bytes());
        Self::P256(point)
    }

    /// The SubjectPublicKeyInfo in DER.
    fn spki(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => [&ED25519_PREFIX[..], key].concat(),
            Self::P256(point) => [&P256_PREFIX[..], point].concat(),
        }
    }

    /// The key as PEM.
    pub fn to_pem(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(self.spki());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// Who it is.
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(&self.spki()))
    }

    /// The fingerprint that OpenSSH gives it, which is what envelopes name it by.
    pub fn fingerprint(&self) -> String {
        let mut blob = Vec::new();
        let mut put = |part: &[u8]| {
            // No part is longer than 65 bytes.
            blob.extend_from_slice(&(part.len() as u32).to_be_bytes());
            blob.extend_from_slice(part);
        };
        match self {
            Self::Ed25519(key) => [b"ssh-ed25519".as_slice(), key].into_iter().for_each(&mut put),
            Self::P256(point) => {
                [b"ecdsa-sha2-nistp256".as_slice(), b"nistp256", point].into_iter().for_each(&mut put);
            }
        }
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Digest::of(&blob).as_bytes()))
    }

    /// Whether `signature` over `message` is this key's: 64 bytes of Ed25519, or DER of ECDSA with SHA-256.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
        }
    }

    /// Whether `signature` would be this key's if r and s stood side by side, which is not the form that counts.
    pub fn verifies_p1363(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) if signature.len() == 64 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, test 1.
    const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_has_the_names_of_the_formats_page() {
        let page = include_str!("../../../docs/formats.md");
        let key = PublicKey::from_pem(ED25519_PEM).unwrap();
        assert_eq!(key.fingerprint(), "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8");
        assert_eq!(key.id().0.hex(), "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9");
        assert!(page.contains(&key.fingerprint()) && page.contains(&key.id().0.hex()));
        assert_eq!(key.to_pem(), ED25519_PEM);
        assert_eq!(PublicKey::from_pem(&ED25519_PEM.replace('\n', "\r\n")).unwrap(), key);
    }

    #[test]
    fn a_compressed_point_is_the_same_key_as_the_point_in_full() {
        let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let key = PublicKey::from_point(&secret.public_key());
        let compressed = secret.public_key().to_sec1_point(true);
        let mut der = vec![0x30, 0x39];
        der.extend_from_slice(&P256_PREFIX[2..23]);
        der.extend_from_slice(&[0x03, 0x22, 0x00]);
        der.extend_from_slice(compressed.as_bytes());
        assert_eq!(PublicKey::from_spki(&der).unwrap().id(), key.id());
        assert_eq!(PublicKey::from_spki(&key.spki()).unwrap(), key);
    }

    #[test]
    fn what_is_no_public_key_of_the_two_kinds_is_refused_by_name() {
        for (text, want) in [
            ("", "not a key in PEM"),
            ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", "not a key in PEM"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "a private key"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM `CERTIFICATE`"),
            ("ssh-ed25519 AAAA name", "OpenSSH"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "malformed key"),
        ] {
            let error = PublicKey::from_pem(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
