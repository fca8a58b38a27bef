//! The text around a key: PEM, one document a file.

use pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

use super::KeyError;

/// What stands in one PEM text: its label and its bytes.
pub struct Pem {
    /// What it says it is.
    pub label: String,
    /// The bytes, wiped after use since they may be a private key's.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Reads the one PEM document of `text`; lines may have any width and end with CRLF.
pub fn read(text: &str) -> Result<Pem, KeyError> {
    let text = text.trim_start();
    if !text.starts_with("-----BEGIN ") {
        return Err(KeyError::NotPem("it doesn't begin with `-----BEGIN`".to_owned()));
    }
    let failed = |error: pkcs8::der::pem::Error| KeyError::NotPem(error.to_string());
    let mut decoder = Decoder::new_detect_wrap(text.as_bytes()).map_err(failed)?;
    let label = decoder.type_label().to_owned();
    let mut bytes = Zeroizing::new(Vec::new());
    decoder.decode_to_end(&mut bytes).map_err(failed)?;
    Ok(Pem { label, bytes })
}
