//! Ages and last days, as trust files have them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::image::time::Time;

/// A length of time, written as a whole number of days, hours or minutes: `90d`, `36h`, `10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Age(#[schemars(with = "String", regex(pattern = r"^[0-9]+[dhm]$"))] u64);

impl Age {
    /// Seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let units = [('d', 86_400), ('h', 3600), ('m', 60)];
        let (digits, unit) = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(unit).map(Self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom(format!("`{text}` is no age, expected days, hours or minutes: `90d`"));
        Self::parse(&text).ok_or_else(wrong)
    }
}

/// The last second, since 1970, of a day, or a moment itself where one is written.
pub fn last_second(text: &str) -> Option<u64> {
    let moment = if text.len() == 10 { format!("{text}T23:59:59Z") } else { text.to_owned() };
    u64::try_from(moment.parse::<Time>().ok()?.seconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_days_are_written_in_one_way() {
        for (text, want) in [("90d", Some(90 * 86_400)), ("36h", Some(129_600)), ("10m", Some(600)), ("0d", Some(0))] {
            assert_eq!(Age::parse(text).map(Age::seconds), want, "{text}");
        }
        for text in ["", "d", "90", "-1d", "1.5d", "90 d", "99999999999999999999d", "999999999999999999d"] {
            assert_eq!(Age::parse(text), None, "{text}");
        }
        assert_eq!(last_second("1970-01-01"), Some(86_399));
        assert_eq!(last_second("1970-01-01T01:00:00+01:00"), Some(0));
        for text in ["", "1970-13-01", "tomorrow", "1960-01-01"] {
            assert_eq!(last_second(text), None, "{text}");
        }
    }
}
