//! Times of image configs: RFC 3339 with nanoseconds and a zone offset that is kept.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::civil;

use crate::epoch::Epoch;

/// An instant and the offset it is written with.
///
/// Equal means the same instant with the same offset; [`Time::is_after`] compares instants only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    seconds: i64,
    nanoseconds: u32,
    offset_minutes: i32,
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an RFC 3339 date-time", crate::escape::text(.0))]
pub struct InvalidTime(pub String);

impl Time {
    /// Later than every time that can be written.
    pub const LATEST: Self = Self { seconds: i64::MAX, nanoseconds: 0, offset_minutes: 0 };

    /// Whole seconds since 1970, negative before.
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// Whether this instant lies after `other`.
    pub fn is_after(&self, other: &Self) -> bool {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds)) == Ordering::Greater
    }
}

impl From<Epoch> for Time {
    fn from(epoch: Epoch) -> Self {
        Self { seconds: epoch.seconds() as i64, nanoseconds: 0, offset_minutes: 0 }
    }
}

/// Days since 1970-01-01 of a civil date, if there is such a date.
fn days(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = civil::Date::new(year, month, day).ok()?;
    let span = date.since((jiff::Unit::Day, civil::date(1970, 1, 1))).ok()?;
    Some(i64::from(span.get_days()))
}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        read(text.as_bytes()).ok_or_else(|| InvalidTime(text.chars().take(64).collect()))
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn within(number: i64, below: i64) -> Option<i64> {
    (number < below).then_some(number)
}

fn read(text: &[u8]) -> Option<Time> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| stamp[*at] != *mark) {
        return None;
    }
    let year = i16::try_from(number(&stamp[..4])?).ok()?;
    let month = i8::try_from(number(&stamp[5..7])?).ok()?;
    let day = i8::try_from(number(&stamp[8..10])?).ok()?;
    let hour = within(number(&stamp[11..13])?, 24)?;
    let minute = within(number(&stamp[14..16])?, 60)?;
    let second = within(number(&stamp[17..19])?, 60)?;

    let (nanoseconds, rest) = match rest.strip_prefix(b".") {
        None => (0, rest),
        Some(rest) => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = rest.split_at(length);
            let kept = &digits[..length.min(9)];
            let scale = 10_i64.pow(9 - kept.len() as u32);
            (u32::try_from(number(kept)? * scale).ok().filter(|_| length > 0)?, rest)
        }
    };
    let offset_minutes = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 5 && zone[2] == b':' => {
            let minutes = within(number(&zone[..2])?, 24)? * 60 + within(number(&zone[3..])?, 60)?;
            i32::try_from(if *sign == b'-' { -minutes } else { minutes }).ok()?
        }
        _ => return None,
    };
    let local = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Time { seconds: local - i64::from(offset_minutes) * 60, nanoseconds, offset_minutes })
}

impl fmt::Display for Time {
    /// As Go's `RFC3339Nano` writes it: no trailing zeros, `Z` for no offset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.seconds + i64::from(self.offset_minutes) * 60;
        let (day, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(day).map_err(|_| fmt::Error)?);
        let date = date.map_err(|_| fmt::Error)?;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", date.year(), date.month(), date.day())?;
        if self.nanoseconds != 0 {
            write!(f, ".{}", format!("{:09}", self.nanoseconds).trim_end_matches('0'))?;
        }
        match self.offset_minutes {
            0 => f.write_str("Z"),
            minutes => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_what_it_read() {
        for (text, want) in [
            ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"),
            ("2021-06-01T14:00:00+02:00", "2021-06-01T14:00:00+02:00"),
            ("2019-05-08T18:06:55.5+00:00", "2019-05-08T18:06:55.5Z"),
            ("2022-04-15T05:20:00.123456789123-09:30", "2022-04-15T05:20:00.123456789-09:30"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.10Z", "9999-12-31T23:59:59.1Z"),
        ] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), want);
        }
        for text in [
            "",
            "2023-11-14",
            "2023-02-29T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14t22:13:20Z",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20+2:00",
            "2023-11-14T22:13:60Z",
            "2023-11-14T22:13:20Zx",
            "é023-11-14T22:13:20Z",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_are_compared_across_offsets() {
        let time = |text: &str| text.parse::<Time>().unwrap();
        assert!(time("2021-06-01T14:00:01+02:00").is_after(&time("2021-06-01T12:00:00.9Z")));
        assert!(!time("2021-06-01T14:00:00+02:00").is_after(&time("2021-06-01T12:00:00Z")));
        assert_ne!(time("2021-06-01T14:00:00+02:00"), time("2021-06-01T12:00:00Z"));
    }
}
