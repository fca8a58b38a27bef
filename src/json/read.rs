//! Strict reading: a document is scanned, then decoded.

use serde::Deserialize as _;
use serde::de::DeserializeOwned;

use super::error::{InvalidJson, Reason};
use super::scan::scan;
use crate::limits::Limits;

/// Reads `bytes` as one document of type `T`, after [`scan`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, InvalidJson> {
    scan(bytes, limits)?;
    serde_json::from_slice(bytes).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        InvalidJson { offset: offset_of(bytes, error.line(), error.column()), reason: Reason::Meaning(reason) }
    })
}

/// For `deserialize_with`: an integer of 0 to 2⁶³ - 1, as sizes and counts are.
pub fn unsigned<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if number > i64::MAX as u64 {
        return Err(serde::de::Error::custom(format!("{number} is larger than 2^63 - 1")));
    }
    Ok(number)
}

fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let start: usize = bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (start + column).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_integers_that_fit() {
        #[derive(serde::Deserialize, Debug)]
        struct Sized {
            #[serde(deserialize_with = "unsigned")]
            size: u64,
        }
        let read = |number: &str| parse::<Sized>(format!("{{\"size\":{number}}}").as_bytes(), &Limits::default());
        assert_eq!(read("9223372036854775807").unwrap().size, i64::MAX as u64);
        for number in ["9223372036854775808", "1.0", "1e3", "\"12\"", "-1", "-0", "null"] {
            assert!(read(number).is_err(), "{number}");
        }
    }
}
