//! Rules that say which differences are expected: a committed file, each rule with its reason.

use std::str::FromStr;

use jiff::civil::Date;
use serde::Deserialize;

use super::causes::{self, Class};
use super::differences::Difference;
use crate::escape;
use crate::scrub::Rule;
use crate::status::{ExitStatus, Status};

/// Rules that say which differences are expected.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    /// The rules, in the file's order.
    pub rules: Vec<IgnoreRule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct IgnoreRule {
    /// The cause that it is about.
    pub code: String,
    /// The paths that it is about, as a pattern; none for a cause that has no path.
    pub path: Option<String>,
    /// Why it is expected.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<String>,
    /// It holds no more.
    pub is_expired: bool,
    /// How many differences it matched.
    pub matches: u64,
    pattern: Option<Rule>,
}

/// The file of rules is wrong.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// It is no TOML of this form.
    #[error("the file of `--ignore` is wrong: {}", escape::text(.0))]
    Form(String),
    /// One of its rules is wrong.
    #[error("rule {number} of `--ignore`: {what}")]
    Rule {
        /// Counted from 1.
        number: usize,
        /// What is wrong, safe to print.
        what: String,
    },
}

impl ExitStatus for IgnoreError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("a rule is `[[ignore]]` with `code`, `path` and `reason`, and may have `expires`".to_owned())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ignore: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    code: String,
    path: Option<String>,
    reason: String,
    expires: Option<String>,
}

impl IgnoreRules {
    /// Reads the rules; `today` is the number of days since 1970.
    ///
    /// # Errors
    /// When the file is of another form, a cause is unknown, a reason is empty, or a path or date can't be read.
    pub fn parse(text: &str, today: i64) -> Result<Self, IgnoreError> {
        let file: File = toml::from_str(text).map_err(|error| IgnoreError::Form(error.message().to_owned()))?;
        let read = |(number, rule): (usize, Written)| {
            rule.read(today).map_err(|what| IgnoreError::Rule { number: number + 1, what })
        };
        Ok(Self { rules: file.ignore.into_iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// The reason for which a difference is expected, if a rule names it; counts that.
    ///
    /// What matters for security is only named by a rule that names its path exactly.
    pub fn reason(&mut self, difference: &Difference) -> Option<String> {
        let rule = self.rules.iter_mut().find(|rule| rule.names(difference))?;
        rule.matches += 1;
        Some(rule.reason.clone())
    }
}

impl Written {
    fn read(self, today: i64) -> Result<IgnoreRule, String> {
        if causes::of(&self.code).code != self.code {
            return Err(format!("there is no cause `{}`", escape::text(&self.code)));
        }
        if self.reason.trim().is_empty() {
            return Err("it gives no reason".to_owned());
        }
        let pattern = match &self.path {
            Some(path) if !path.starts_with('/') => return Err("the path does not start with `/`".to_owned()),
            Some(path) => Some(Rule::parse(path).map_err(|error| error.to_string())?),
            None => None,
        };
        let is_expired = match &self.expires {
            Some(day) => {
                days(day).ok_or_else(|| format!("`{}` is no day such as 2027-01-31", escape::text(day)))? < today
            }
            None => false,
        };
        let Self { code, path, reason, expires } = self;
        Ok(IgnoreRule { code, path, reason, expires, is_expired, matches: 0, pattern })
    }
}

/// Days since 1970.
fn days(text: &str) -> Option<i64> {
    let date = Date::from_str(text).ok()?;
    let span = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?;
    Some(i64::from(span.get_days()))
}

impl IgnoreRule {
    fn names(&self, difference: &Difference) -> bool {
        let is_exact = self.path.as_deref().is_some_and(|path| !path.contains(['*', '?', '\\']));
        let fits = match (&self.pattern, &difference.path) {
            (Some(pattern), Some(path)) => pattern.matches(path),
            (None, None) => true,
            _ => false,
        };
        !self.is_expired
            && self.code == difference.cause.code
            && fits
            && (difference.class != Class::Security || is_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Missing;

    fn rules(text: &str) -> IgnoreRules {
        IgnoreRules::parse(text, 20_000).unwrap()
    }

    #[test]
    fn rules_are_read_with_a_reason_or_refused() {
        let good = rules("[[ignore]]\ncode = 'C061'\npath = '/var/log/**'\nreason = 'logs'\nexpires = '2020-01-01'\n");
        assert!(good.rules[0].is_expired);
        for (text, want) in [
            ("[[ignore]]\ncode = 'C030'\n", "reason"),
            ("[[ignore]]\ncode = 'C030'\nreason = ' '\n", "gives no reason"),
            ("[[ignore]]\ncode = 'C999'\nreason = 'x'\n", "there is no cause `C999`"),
            ("[[ignore]]\ncode = 'C030'\npath = 'a'\nreason = 'x'\n", "does not start with `/`"),
            ("[[ignore]]\ncode = 'C030'\nexpires = 'soon'\nreason = 'x'\n", "is no day"),
            ("[[ignore]]\ncode = 'C030'\nwhy = 'x'\nreason = 'x'\n", "why"),
        ] {
            let error = IgnoreRules::parse(text, 0).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }

    #[test]
    fn a_difference_is_named_by_its_cause_and_its_path() {
        let at = |path: &str, class| Difference {
            path: Some(path.into()),
            class,
            ..Difference::platform_missing("linux/amd64", Missing::First)
        };
        let rule = |path: &str| rules(&format!("[[ignore]]\ncode = 'C008'\npath = '{path}'\nreason = 'x'\n"));
        assert!(rule("/a/*").reason(&at("a/b", Class::Content)).is_some());
        assert!(rule("/a/*").reason(&at("a/b/c", Class::Content)).is_none());
        assert!(rule("/a/*").reason(&at("a/b", Class::Security)).is_none(), "a pattern hides nothing of security");
        assert!(rule("/a/b").reason(&at("a/b", Class::Security)).is_some());
        let mut counted = rule("/a/*");
        counted.reason(&at("a/b", Class::Content));
        counted.reason(&at("x", Class::Content));
        assert_eq!(counted.rules[0].matches, 1);
    }
}
