//! Keys of auditors: Ed25519 and ECDSA over P-256, and no other.
//!
//! `pem` opens a key file's text, `public` checks signatures, `private` makes them; `locked` opens encrypted private keys
//! and `cosign` those that cosign encrypts in its own way. Who a key is, is the sha256 of its SubjectPublicKeyInfo.

mod cosign;
mod locked;
mod pem;
mod private;
mod public;

pub use private::{KeyType, SigningKey};
pub use public::PublicKey;

use crate::status::{ExitStatus, Status};

/// A key that can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM text.
    #[error("not a key in PEM: {0}")]
    NotPem(String),
    /// Another kind of PEM text.
    #[error("PEM `{}`: expected `{expected}`", crate::escape::text(found))]
    Label {
        /// What it is.
        found: String,
        /// What was wanted.
        expected: &'static str,
    },
    /// `EC PRIVATE KEY`.
    #[error("PEM `EC PRIVATE KEY` is SEC1, expected PKCS#8 (`PRIVATE KEY`)")]
    Sec1,
    /// A key file of OpenSSH.
    #[error("an OpenSSH key, expected PKCS#8 (`PRIVATE KEY`)")]
    OpenSsh,
    /// A private key where a public one is wanted.
    #[error("a private key, expected a public one (`PUBLIC KEY`)")]
    PrivateAsPublic,
    /// A public key where a private one is wanted.
    #[error("a public key (`PUBLIC KEY`), expected a private one (`PRIVATE KEY`)")]
    PublicAsPrivate,
    /// RSA, P-384 and the like.
    #[error("unsupported key type: {0}; expected ed25519 or ECDSA over P-256")]
    Algorithm(String),
    /// The bytes inside are no key.
    #[error("malformed key: {0}")]
    Malformed(String),
    /// An encrypted key and no passphrase.
    #[error("the key is encrypted and there is no passphrase for it")]
    NoPassphrase,
    /// A passphrase that doesn't open the key.
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
    /// An encryption that isn't read.
    #[error("the key is encrypted in a way that is not read: {0}")]
    Encryption(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

impl ExitStatus for KeyError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Sec1 => Some("convert it: `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW`".to_owned()),
            Self::NoPassphrase => {
                Some("set `REPRO_KEY_PASSPHRASE`, or give `--passphrase-fd N`, or run it in a terminal".to_owned())
            }
            Self::OpenSsh | Self::Algorithm(_) => Some("`repro attest keygen` makes a key".to_owned()),
            _ => None,
        }
    }
}
