//! Private keys: read, made, and used to sign.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::pem::LineEnding;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use super::public::{EC_OID, ED25519_OID, P256_OID};
use super::{KeyError, PublicKey, locked, pem};

/// What stands before the 32 bytes of a seed in PKCS#8, version 1.
const ED25519_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The kinds of key that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519.
    Ed25519,
    /// ECDSA over P-256.
    P256,
}

/// A key that signs.
pub enum SigningKey {
    /// Ed25519, by its seed.
    Ed25519(Zeroizing<[u8; 32]>, Box<Ed25519KeyPair>),
    /// ECDSA over P-256.
    P256(p256::SecretKey),
}

impl SigningKey {
    /// Reads a private key in PEM: PKCS#8, encrypted or not, or cosign's own form. `passphrase` is asked only where it is
    /// needed.
    pub fn from_pem(text: &str, passphrase: &mut dyn FnMut() -> Option<Zeroizing<Vec<u8>>>) -> Result<Self, KeyError> {
        if text.contains("-----BEGIN OPENSSH ") {
            return Err(KeyError::OpenSsh);
        }
        let pem = pem::read(text)?;
        match pem.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&pem.bytes),
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase().ok_or(KeyError::NoPassphrase)?;
                Self::from_pkcs8(&locked::open(&pem.bytes, &passphrase)?)
            }
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                let passphrase = passphrase().ok_or(KeyError::NoPassphrase)?;
                Self::from_pkcs8(&super::cosign::open(&pem.bytes, &passphrase)?)
            }
            "EC PRIVATE KEY" => Err(KeyError::Sec1),
            "RSA PRIVATE KEY" => Err(KeyError::Algorithm("RSA".to_owned())),
            "PUBLIC KEY" => Err(KeyError::PublicAsPrivate),
            label => Err(KeyError::Label { found: label.to_owned(), expected: "PRIVATE KEY" }),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |error: &dyn fmt::Display| KeyError::Malformed(error.to_string());
        let info = PrivateKeyInfoRef::try_from(der).map_err(|error| malformed(&error))?;
        match info.algorithm.oid {
            ED25519_OID => {
                let octets = info.private_key.as_bytes();
                let seed = octets.strip_prefix(&[0x04, 0x20]).and_then(|seed| <[u8; 32]>::try_from(seed).ok());
                let seed = seed.ok_or_else(|| malformed(&"not the 32 bytes of an Ed25519 seed"))?;
                let key = Self::from_seed(Zeroizing::new(seed))?;
                let claimed = info.public_key.as_ref().and_then(|key| key.as_bytes());
                match (claimed, key.public()) {
                    (Some(claimed), PublicKey::Ed25519(derived)) if claimed != derived => {
                        Err(malformed(&"its public key is another one's"))
                    }
                    _ => Ok(key),
                }
            }
            EC_OID => {
                let curve = info.algorithm.parameters_oid().map_err(|error| malformed(&error))?;
                if curve != P256_OID {
                    return Err(KeyError::Algorithm(format!("ECDSA over the curve {curve}")));
                }
                p256::SecretKey::try_from(info).map(Self::P256).map_err(|error| malformed(&error))
            }
            other => Err(KeyError::Algorithm(match other.to_string().as_str() {
                "1.2.840.113549.1.1.1" => "RSA".to_owned(),
                oid => format!("algorithm {oid}"),
            })),
        }
    }

    fn from_seed(seed: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|error| KeyError::Malformed(error.to_string()))?;
        Ok(Self::Ed25519(seed, Box::new(pair)))
    }

    /// Makes a key from the system's random bytes.
    pub fn generate(kind: KeyType) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            random.fill(bytes.as_mut_slice()).map_err(|_| KeyError::NoRandom)?;
            match kind {
                KeyType::Ed25519 => return Self::from_seed(bytes),
                // One in 2³² draws lies outside the curve's order.
                KeyType::P256 => {
                    if let Ok(key) = p256::SecretKey::from_slice(bytes.as_slice()) {
                        return Ok(Self::P256(key));
                    }
                }
            }
        }
    }

    /// The key as PEM: PKCS#8 of version 1, not encrypted.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let malformed = |error: &dyn fmt::Display| KeyError::Malformed(error.to_string());
        match self {
            Self::Ed25519(seed, _) => {
                let der = Zeroizing::new([&ED25519_PREFIX[..], seed.as_slice()].concat());
                pkcs8::der::pem::encode_string("PRIVATE KEY", LineEnding::LF, &der)
                    .map(Zeroizing::new)
                    .map_err(|error| malformed(&error))
            }
            Self::P256(key) => {
                use pkcs8::EncodePrivateKey as _;
                key.to_pkcs8_pem(LineEnding::LF).map_err(|error| malformed(&error))
            }
        }
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Ed25519(_, pair) => {
                let mut key = [0; 32];
                key.copy_from_slice(pair.public_key().as_ref());
                PublicKey::Ed25519(key)
            }
            Self::P256(key) => PublicKey::from_point(&key.public_key()),
        }
    }

    /// The signature of `message`, the same every time: pure Ed25519, or ECDSA in DER with the nonce of RFC 6979.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(_, pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SigningKey, KeyError> {
        SigningKey::from_pem(text, &mut || None)
    }

    #[test]
    fn a_key_that_was_made_is_read_again_and_its_signatures_are_its_own() {
        for kind in [KeyType::Ed25519, KeyType::P256] {
            let key = SigningKey::generate(kind).unwrap();
            let again = read(&key.to_pem().unwrap()).unwrap();
            assert_eq!(again.public(), key.public());
            assert_eq!(again.sign(b"text"), key.sign(b"text"), "{kind:?}");
            assert!(key.public().verifies(b"text", &key.sign(b"text")));
            assert!(!key.public().verifies(b"texts", &key.sign(b"text")));
            assert_ne!(SigningKey::generate(kind).unwrap().public(), key.public());
        }
    }

    #[test]
    fn what_is_no_private_key_of_the_two_kinds_is_refused_by_name() {
        for (label, want) in [
            ("EC PRIVATE KEY", "SEC1"),
            ("RSA PRIVATE KEY", "RSA"),
            ("OPENSSH PRIVATE KEY", "OpenSSH"),
            ("PUBLIC KEY", "a public key"),
            ("CERTIFICATE", "PEM `CERTIFICATE`"),
            ("ENCRYPTED PRIVATE KEY", "no passphrase"),
            ("PRIVATE KEY", "malformed"),
        ] {
            let text = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
            let error = read(&text).err().unwrap().to_string();
            assert!(error.contains(want), "{label}: {error}");
        }
    }
}
