//! Dates of HTTP headers (RFC 9110, 5.6.7).

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

/// Seconds since 1970 of an HTTP date in any of its three forms; none for anything else or before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let mut time = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| BrokenDownTime::parse(form, text).ok())?;
    // As the Go tools do: the weekday must be one, but need not be the right one.
    time.set_weekday(None);
    let time: DateTime = time.to_datetime().ok()?;
    u64::try_from(Offset::UTC.to_timestamp(time).ok()?.as_second()).ok()
}

/// `seconds` since 1970 as an HTTP date; none beyond the year 9999.
pub fn write(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds.try_into().ok()?).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_http_has_them() {
        assert_eq!(write(1_600_000_000).as_deref(), Some("Sun, 13 Sep 2020 12:26:40 GMT"));
    }

    #[test]
    fn all_three_forms_are_read() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text), Some(784_111_777), "{text}");
        }
        assert_eq!(parse("Mon, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777), "the weekday is not looked at");
        for text in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37 CET", "Thu, 01 Jan 1969 00:00:00 GMT", "1994-11-06"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
