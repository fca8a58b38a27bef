//! Private keys as cosign encrypts them: a JSON document in PEM, the key derived by scrypt, the PKCS#8 document in a
//! secret box of NaCl (XSalsa20 and Poly1305).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyError;
use crate::json;
use crate::limits::Limits;

/// Bytes of the authentication tag, which stands before the text.
const TAG: usize = 16;
/// Bytes of memory that scrypt may want; cosign's parameters want 64 MiB.
const MOST_MEMORY: u64 = 1 << 30;

#[derive(Deserialize)]
struct Encrypted {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Parameters,
    salt: String,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The PKCS#8 document inside.
pub fn open(document: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let encrypted: Encrypted =
        json::parse(document, &Limits::default()).map_err(|error| KeyError::Malformed(error.to_string()))?;
    let Encrypted { kdf, cipher, ciphertext } = encrypted;
    for (found, expected) in [(&kdf.name, "scrypt"), (&cipher.name, "nacl/secretbox")] {
        if found != expected {
            return Err(KeyError::Encryption(format!("`{}`, expected `{expected}`", crate::escape::text(found))));
        }
    }
    let decoded = |text: &str| STANDARD.decode(text).map_err(|error| KeyError::Malformed(error.to_string()));
    let nonce: [u8; 24] =
        decoded(&cipher.nonce)?.try_into().map_err(|_| KeyError::Malformed("a nonce that is not 24 bytes".into()))?;
    let key = derive(&kdf, &decoded(&kdf.salt)?, passphrase)?;
    secret_box(&decoded(&ciphertext)?, &nonce, &key).ok_or(KeyError::WrongPassphrase)
}

fn derive(kdf: &Kdf, salt: &[u8], passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let Parameters { cost, r, p } = kdf.params;
    let refused = || KeyError::Encryption(format!("scrypt with N = {cost}, r = {r}, p = {p}"));
    let memory = cost.saturating_mul(u64::from(r)).saturating_mul(u64::from(p)).saturating_mul(128);
    if !cost.is_power_of_two() || memory > MOST_MEMORY {
        return Err(refused());
    }
    // A power of two has at most 63 zeros behind it.
    let parameters = scrypt::Params::new(cost.trailing_zeros() as u8, r, p).map_err(|_| refused())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase, salt, &parameters, key.as_mut_slice()).map_err(|_| refused())?;
    Ok(key)
}

/// Opens a secret box: the first 32 bytes of the key stream are the key of the tag, what follows hides the text.
fn secret_box(sealed: &[u8], nonce: &[u8; 24], key: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, hidden) = sealed.split_at_checked(TAG)?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut tag_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(tag_key.as_mut_slice());
    let computed = Poly1305::new((&*tag_key).into()).compute_unpadded(hidden);
    if computed.as_slice() != tag {
        return None;
    }
    let mut text = Zeroizing::new(hidden.to_vec());
    stream.apply_keystream(&mut text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::*;

    /// Written by the library that cosign encrypts with (go-securesystemslib); passphrase `secret`.
    const PEM: &str = include_str!("../../../tests/attest/keys/cosign.pem");

    #[test]
    fn what_cosign_encrypts_is_opened_by_its_passphrase_alone() {
        let read = |passphrase: &[u8]| {
            let passphrase = passphrase.to_vec();
            SigningKey::from_pem(PEM, &mut || Some(Zeroizing::new(passphrase.clone())))
        };
        assert!(read(b"secret").is_ok());
        assert_eq!(read(b"secrets").err(), Some(KeyError::WrongPassphrase));
    }

    #[test]
    fn parameters_that_want_too_much_are_refused() {
        let document = br#"{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":""},"cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"ciphertext":""}"#;
        assert!(matches!(open(document, b""), Err(KeyError::Encryption(_))));
    }
}
