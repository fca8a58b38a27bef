//! SOURCE_DATE_EPOCH: seconds since 1970 that every time of an image is lowered to.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// Seconds since 1970-01-01T00:00:00Z, never negative and below 2³³ (what a tar header holds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

/// A text or number that is no epoch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not an epoch: expected seconds since 1970 or an RFC 3339 date-time between 1970 and 2242", crate::escape::text(.0))]
pub struct InvalidEpoch(pub String);

impl Epoch {
    const END: u64 = 1 << 33;

    /// The epoch that is `seconds` after 1970.
    pub fn from_seconds(seconds: i64) -> Result<Self, InvalidEpoch> {
        u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds < Self::END)
            .map(Self)
            .ok_or_else(|| InvalidEpoch(seconds.to_string()))
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// RFC 3339 in UTC with whole seconds, as image configs have it.
    pub fn rfc3339(self) -> String {
        rfc3339(self.0)
    }
}

/// `seconds` since 1970 as RFC 3339 in UTC.
pub fn rfc3339(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| seconds.to_string(), |time| time.to_string())
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Epoch {
    type Err = InvalidEpoch;

    fn from_str(text: &str) -> Result<Self, InvalidEpoch> {
        let invalid = || InvalidEpoch(text.chars().take(64).collect());
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(|seconds| Self::from_seconds(seconds).ok()).ok_or_else(invalid);
        }
        let time: Timestamp = text.parse().map_err(|_| invalid())?;
        if time.subsec_nanosecond() != 0 {
            return Err(invalid());
        }
        Self::from_seconds(time.as_second()).map_err(|_| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        for (text, want) in [("0", 0), ("1700000000", 1_700_000_000), ("2023-11-14T22:13:20Z", 1_700_000_000)] {
            assert_eq!(text.parse::<Epoch>().unwrap().seconds(), want);
        }
        for text in ["", "-1", "+1", "1.5", "2023-11-14", "8589934592", "1960-01-01T00:00:00Z", "99999999999999999999"]
        {
            assert!(text.parse::<Epoch>().is_err(), "{text}");
        }
        assert_eq!(Epoch(1_700_000_000).rfc3339(), "2023-11-14T22:13:20Z");
        assert_eq!(Epoch(0).rfc3339(), "1970-01-01T00:00:00Z");
    }
}
