//! SOURCE_DATE_EPOCH: seconds since 1970 that every time of an image is lowered to.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

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

    /// The epoch of an ISO date, with or without a time, and whether it had no zone, so that UTC was taken. Parts of a second
    /// are dropped.
    ///
    /// # Errors
    /// What is no date of the calendar, or outside the range.
    pub fn of_date(text: &str) -> Result<(Self, bool), InvalidEpoch> {
        let invalid = || InvalidEpoch(text.chars().take(64).collect());
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        // `2024-01-02` or `20240102`, then maybe one character and a time.
        let length =
            [10, 8].into_iter().find(|length| text.get(..*length).is_some_and(is_digits)).ok_or_else(invalid)?;
        if text.len() == length {
            let date: Date = text.parse().map_err(|_| invalid())?;
            let time = date.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).map_err(|_| invalid())?;
            return Ok((Self::from_seconds(time.timestamp().as_second()).map_err(|_| invalid())?, true));
        }
        let (time, is_assumed) = match text.parse::<Timestamp>() {
            Ok(time) => (time, false),
            Err(_) if text.ends_with(['Z', 'z']) => return Err(invalid()),
            Err(_) => {
                let time: DateTime = text.parse().map_err(|_| invalid())?;
                (time.to_zoned(TimeZone::UTC).map_err(|_| invalid())?.timestamp(), true)
            }
        };
        Self::from_seconds(time.as_second()).map(|epoch| (epoch, is_assumed)).map_err(|_| invalid())
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
    fn a_date_without_a_zone_is_utc() {
        for (text, want) in [
            ("2024-01-02", Some((1_704_153_600, true))),
            ("20240102", Some((1_704_153_600, true))),
            ("2024-01-02T03:04:05", Some((1_704_164_645, true))),
            ("2024-01-02 03:04", Some((1_704_164_640, true))),
            ("2024-01-02T03:04:05+02:00", Some((1_704_157_445, false))),
            ("2024-01-02T03:04:05.75Z", Some((1_704_164_645, false))),
            ("2024-02-30", None),
            ("2024-01", None),
            ("1960-01-01", None),
            ("1700000000", None),
            ("yesterday", None),
            ("", None),
        ] {
            let got = Epoch::of_date(text).ok().map(|(epoch, is_assumed)| (epoch.seconds(), is_assumed));
            assert_eq!(got, want, "{text}");
        }
    }

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
