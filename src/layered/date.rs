//! Dates as Python 3.11's `datetime` reads and prints them.
//!
//! `datetime.fromisoformat` takes more than ISO 8601 says, and tells the forms apart by single characters at fixed
//! places; what it takes besides (a stray character before an offset, say) is taken here too.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// One second, in microseconds.
const SECOND: i64 = 1_000_000;
/// 24 hours, in microseconds: an offset must be nearer to zero.
const DAY: i64 = 86_400 * SECOND;

/// A `datetime`, with its offset or naive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    day: civil::Date,
    time: Time,
    /// Microseconds; none for a naive date.
    offset: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Time {
    hour: u32,
    minute: u32,
    second: u32,
    microsecond: u32,
}

/// Bytes with an end that reads as NUL, as in C.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn at(self, index: usize) -> u8 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn digits(self, from: usize, count: usize) -> Option<u32> {
        (from..from + count).try_fold(0, |sum, index| {
            let byte = self.at(index);
            byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
        })
    }
}

impl Date {
    /// The instant `seconds` after 1970, in UTC.
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        let instant = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
        let civil = instant.to_zoned(TimeZone::UTC).datetime();
        let part = |part: i8| u32::try_from(part).unwrap_or_default();
        let time = Time {
            hour: part(civil.hour()),
            minute: part(civil.minute()),
            second: part(civil.second()),
            microsecond: 0,
        };
        Some(Self { day: civil.date(), time, offset: Some(0) })
    }

    /// Reads what `fromisoformat` reads; none for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = Bytes(text.as_bytes());
        if bytes.0.len() < 7 {
            return None;
        }
        let separator = separator(bytes)?;
        let day = read_day(bytes, separator)?;
        if bytes.0.len() == separator {
            return Some(Self { day, time: Time::default(), offset: None });
        }
        // Any one character may stand between.
        let rest = text.get(separator..)?;
        let rest = &rest[rest.chars().next()?.len_utf8()..];
        let (time, offset) = read_time(Bytes(rest.as_bytes()))?;
        let is_time = time.hour < 24 && time.minute < 60 && time.second < 60;
        is_time.then_some(Self { day, time, offset })
    }

    /// As `isoformat` prints it.
    pub fn text(&self) -> String {
        let Time { hour, minute, second, microsecond } = self.time;
        let (year, month, day) = (self.day.year(), self.day.month(), self.day.day());
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if microsecond != 0 {
            text.push_str(&format!(".{microsecond:06}"));
        }
        if let Some(offset) = self.offset {
            let (size, part) = (offset.abs() / SECOND, offset.abs() % SECOND);
            let sign = if offset < 0 { '-' } else { '+' };
            text.push_str(&format!("{sign}{:02}:{:02}", size / 3600, size / 60 % 60));
            if size % 60 != 0 || part != 0 {
                text.push_str(&format!(":{:02}", size % 60));
            }
            if part != 0 {
                text.push_str(&format!(".{part:06}"));
            }
        }
        text
    }

    /// `int(timestamp())`: whole seconds since 1970 towards zero; a naive date is one of `zone`.
    pub fn seconds(&self, zone: &TimeZone) -> Option<i64> {
        let Time { hour, minute, second, microsecond } = self.time;
        let small = |part: u32| i8::try_from(part).ok();
        let time = civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
        let civil = self.day.to_datetime(time);
        let epoch = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let seconds = civil.duration_since(epoch).as_secs();
        let Some(offset) = self.offset else {
            let (AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Gap { before: offset, .. }
            | AmbiguousOffset::Fold { before: offset, .. }) = zone.to_ambiguous_timestamp(civil).offset();
            // Python adds two floats here.
            return Some(((seconds - i64::from(offset.seconds())) as f64 + f64::from(microsecond) / 1e6) as i64);
        };
        Some(float_seconds(seconds * SECOND + i64::from(microsecond) - offset))
    }
}

/// Microseconds as the nearest float of seconds, cut to whole ones: far from 1970 the fraction may round up.
fn float_seconds(microseconds: i64) -> i64 {
    let size = microseconds.unsigned_abs();
    let (whole, part) = (size / 1_000_000, size % 1_000_000);
    let next = (whole + 1) as f64;
    let rounds_up = part > 0 && (1_000_000 - part) as f64 / 1e6 < (next - next.next_down()) / 2.0;
    let whole = (whole + u64::from(rounds_up)) as i64;
    if microseconds < 0 { -whole } else { whole }
}

/// Where the date ends.
fn separator(bytes: Bytes<'_>) -> Option<usize> {
    let length = bytes.0.len();
    if length == 7 {
        return Some(7);
    }
    match (bytes.at(4), bytes.at(5)) {
        (b'-', b'W') if length > 8 && bytes.at(8) == b'-' => {
            // `YYYY-Www-D`, or `YYYY-Www` and a time after the sign.
            if length == 9 {
                return None;
            }
            Some(if length > 10 && bytes.at(10).is_ascii_digit() { 8 } else { 10 })
        }
        (b'-', b'W') => Some(8),
        (b'-', _) => Some(10),
        (b'W', _) => {
            // `YYYYWww` or `YYYYWwwD`: digits that follow decide by their number.
            let end = (7..length).find(|index| !bytes.at(*index).is_ascii_digit()).unwrap_or(length);
            Some(if end < 9 { end } else { 8 - usize::from(end % 2 == 0) })
        }
        _ => Some(8),
    }
}

fn read_day(bytes: Bytes<'_>, length: usize) -> Option<civil::Date> {
    let year = i16::try_from(bytes.digits(0, 4)?).ok().filter(|year| *year > 0)?;
    let has_sign = bytes.at(4) == b'-';
    let mut at = 4 + usize::from(has_sign);
    if bytes.at(at) == b'W' {
        let week = i8::try_from(bytes.digits(at + 1, 2)?).ok()?;
        at += 3;
        let mut day = 1;
        if at < length {
            if has_sign && bytes.at(at) != b'-' {
                return None;
            }
            day = i8::try_from(bytes.digits(at + usize::from(has_sign), 1)?).ok()?;
        }
        let weekday = civil::Weekday::from_monday_one_offset(day).ok()?;
        let date = civil::ISOWeekDate::new(year, week, weekday).ok()?.date();
        return (1..=9999).contains(&date.year()).then_some(date);
    }
    let month = i8::try_from(bytes.digits(at, 2)?).ok()?;
    at += 2;
    if has_sign && bytes.at(at) != b'-' {
        return None;
    }
    let day = i8::try_from(bytes.digits(at + usize::from(has_sign), 2)?).ok()?;
    civil::Date::new(year, month, day).ok()
}

/// The time and its offset in microseconds.
fn read_time(bytes: Bytes<'_>) -> Option<(Time, Option<i64>)> {
    let length = bytes.0.len();
    let sign = (0..length).find(|index| matches!(bytes.at(*index), b'+' | b'-' | b'Z')).unwrap_or(length);
    let (time, has_more) = read_clock(bytes, 0, sign)?;
    if sign == length {
        return (!has_more).then_some((time, None));
    }
    if bytes.at(sign) == b'Z' {
        return (bytes.at(sign + 1) == 0).then_some((time, Some(0)));
    }
    let (offset, has_more) = read_clock(bytes, sign + 1, length)?;
    let seconds = i64::from(offset.hour * 3600 + offset.minute * 60 + offset.second) * SECOND;
    // Without whole seconds the fraction is dropped.
    let size = if seconds == 0 { 0 } else { seconds + i64::from(offset.microsecond) };
    let offset = if bytes.at(sign) == b'-' { -size } else { size };
    (!has_more && size < DAY).then_some((time, Some(offset)))
}

/// `HH[:?MM[:?SS[.f+]]]` from `at` to `end`, and whether a character that is none of it follows.
fn read_clock(bytes: Bytes<'_>, mut at: usize, end: usize) -> Option<(Time, bool)> {
    let mut parts = [0; 3];
    let mut has_colon = true;
    let time = |parts: [u32; 3], microsecond| {
        let [hour, minute, second] = parts;
        Time { hour, minute, second, microsecond }
    };
    for index in 0..3 {
        parts[index] = bytes.digits(at, 2)?;
        let next = bytes.at(at + 2);
        at += 3;
        if index == 0 {
            has_colon = next == b':';
        }
        if at >= end {
            return Some((time(parts, 0), next != 0));
        }
        match next {
            // Python 3.11 takes a fraction of seconds after a colon as well, and after hours or minutes alone.
            b':' if has_colon => {}
            b'.' | b',' => break,
            _ if has_colon => return None,
            _ => at -= 1,
        }
    }
    let count = (end - at).min(6);
    let mut microsecond = bytes.digits(at, count)?;
    for _ in count..6 {
        microsecond *= 10;
    }
    at += count;
    while bytes.at(at).is_ascii_digit() {
        at += 1;
    }
    Some((time(parts, microsecond), bytes.at(at) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_printed_as_python_does() {
        for (text, want, seconds) in [
            ("1970-01-01T00:00:01+00:00", "1970-01-01T00:00:01+00:00", 1),
            ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00", 1_714_979_289),
            ("20240506T070809Z", "2024-05-06T07:08:09+00:00", 1_714_979_289),
            ("2024-W19-1", "2024-05-06T00:00:00", 1_714_953_600),
            ("2024W19", "2024-05-06T00:00:00", 1_714_953_600),
            ("2024-05-06", "2024-05-06T00:00:00", 1_714_953_600),
            ("2024-05-06T07:08:09:5", "2024-05-06T07:08:09.500000", 1_714_979_289),
            ("2024-05-06T07.5", "2024-05-06T07:00:00.500000", 1_714_978_800),
            ("2024-05-06ü07", "2024-05-06T07:00:00", 1_714_978_800),
            ("2024-05-06 07:08:09.25-05:30", "2024-05-06T07:08:09.250000-05:30", 1_714_999_089),
            ("2024-05-06 07:08:09,1234567", "2024-05-06T07:08:09.123456", 1_714_979_289),
            ("2024-05-06T07+01:02:03.5", "2024-05-06T07:00:00+01:02:03.500000", 1_714_975_076),
            ("2024-05-06T07-00:00:00.5", "2024-05-06T07:00:00+00:00", 1_714_978_800),
            ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58.500000+00:00", -1),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00", 253_402_300_800),
            ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999", 253_402_300_800),
        ] {
            let date = Date::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((date.text().as_str(), date.seconds(&TimeZone::UTC)), (want, Some(seconds)), "{text}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for text in [
            "",
            "now",
            "yesterday",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "0000-01-01",
            "2024-W54-1",
            "2023-W53-1",
            "2024-05-06T24:00",
            "2024-05-06T07:60",
            "2024-05-06T7",
            "2024-05-06T07:08:",
            "2024-05-06T",
            "2024-05-06T07:08:09+24:00",
            "2024-05-06T07Zx",
            "2024-05-06T07:0809",
            "2024-5-6T07:08:09",
        ] {
            assert_eq!(Date::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_naive_date_is_one_of_the_given_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let date = Date::read("1970-01-01T03:00").expect("a date");
        assert_eq!(date.seconds(&zone), Some(3600));
    }
}
