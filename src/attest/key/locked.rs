//! Encrypted PKCS#8 (`ENCRYPTED PRIVATE KEY`, PBES2), as `openssl pkcs8 -topk8` writes it.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

use super::KeyError;

/// Rounds of PBKDF2 that are computed; OpenSSL takes 2048, careful people some hundred thousand.
const MOST_ROUNDS: u32 = 10_000_000;
/// Bytes of memory that scrypt may want.
const MOST_MEMORY: u64 = 1 << 30;

/// The PKCS#8 document inside.
pub fn open(der: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| KeyError::Malformed(error.to_string()))?;
    let too_much = |what: &str| KeyError::Encryption(format!("{what} takes too much work"));
    match &info.encryption_algorithm {
        EncryptionScheme::Pbes2(parameters) => match &parameters.kdf {
            Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MOST_ROUNDS => return Err(too_much("PBKDF2")),
            Kdf::Scrypt(scrypt) => {
                let (block, parallel) = (u64::from(scrypt.block_size), u64::from(scrypt.parallelization));
                let memory = scrypt.cost_parameter.saturating_mul(block).saturating_mul(128 * parallel);
                if memory > MOST_MEMORY {
                    return Err(too_much("scrypt"));
                }
            }
            _ => {}
        },
        _ => return Err(KeyError::Encryption("PBES1".to_owned())),
    }
    let opened = info.decrypt(passphrase).map_err(|_| KeyError::WrongPassphrase)?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::*;

    /// `openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 10`, passphrase `secret`.
    const PEM: &str = include_str!("../../../tests/attest/keys/pbes2.pem");

    #[test]
    fn what_openssl_encrypts_is_opened_by_its_passphrase_alone() {
        let read = |passphrase: &[u8]| {
            let passphrase = passphrase.to_vec();
            SigningKey::from_pem(PEM, &mut || Some(Zeroizing::new(passphrase.clone())))
        };
        assert!(read(b"secret").is_ok());
        assert_eq!(read(b"secrets").err(), Some(KeyError::WrongPassphrase));
        assert_eq!(SigningKey::from_pem(PEM, &mut || None).err(), Some(KeyError::NoPassphrase));
    }
}
