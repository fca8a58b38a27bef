//! Decimal numbers of PAX records and of sparse maps.

use super::error::{Refusal, Severity};

const fn ambiguous(what: &'static str) -> Refusal {
    (Severity::Unsafe, 4, what)
}

/// A number without sign and leading zeros, below 2^63.
pub(super) fn decimal(text: &[u8]) -> Result<u64, Refusal> {
    if text.is_empty() {
        return Err(ambiguous("a PAX number is empty"));
    }
    let is_plain = text.iter().all(u8::is_ascii_digit) && (text.len() == 1 || text[0] != b'0');
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_plain)
        .and_then(|text| text.parse().ok())
        .filter(|&number: &u64| number < 1 << 63)
        .ok_or(ambiguous("a PAX number is no plain decimal number"))
}
