//! `[[lint.allow]]`: findings of `repro lint` that are there for a reason.

use super::LintAllow;
use super::grammar;
use super::problem::Problem;
use super::table::{Problems, Table, Text, Value};

/// Reads `[lint]`.
pub(super) fn check_lint(value: Option<Value<'_>>, problems: &mut Problems) -> Vec<LintAllow> {
    let Some(mut table) = value.and_then(|value| value.table(problems)) else { return Vec::new() };
    let tables = table.take("allow").map(|value| value.tables(problems)).unwrap_or_default();
    let allows = tables.into_iter().filter_map(|allow| check_allow(allow, problems)).collect();
    table.finish(problems);
    allows
}

fn check_allow(mut table: Table<'_>, problems: &mut Problems) -> Option<LintAllow> {
    let (name, span) = table.place();
    let missing = |key: &str| {
        Problem::new(span.clone(), format!("`{name}`: `{key}` is missing"))
            .with_help("write `code = \"R021\"` and `reason = \"…\"`")
    };
    let (no_code, no_reason) = (missing("code"), missing("reason"));
    let text = |value: Option<Value<'_>>, missing: Problem, problems: &mut Problems, check: Check| match value {
        Some(value) => value.text(problems).and_then(|text| {
            problems.keep(check(&text))?;
            Some(text.text.to_owned())
        }),
        None => problems.keep(Err(missing)),
    };
    let code = text(table.take("code"), no_code, problems, code);
    let reason = text(table.take("reason"), no_reason, problems, reason);
    let path = table.take("path").and_then(|value| value.text(problems)).map(|text| text.text.to_owned());
    table.finish(problems);
    Some(LintAllow { code: code?, path, reason: reason? })
}

type Check = fn(&Text<'_>) -> Result<(), Problem>;

fn code(text: &Text<'_>) -> Result<(), Problem> {
    let is_code =
        text.text.strip_prefix('R').is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|b| b.is_ascii_digit()));
    if is_code {
        return Ok(());
    }
    Err(text.problem(format!("`{}` is no code of a rule, expected `R` and three digits", text.shown())))
}

fn reason(text: &Text<'_>) -> Result<(), Problem> {
    if text.text.trim().is_empty() {
        return Err(text.problem("the reason is empty"));
    }
    grammar::line(text.text).map_err(|message| text.problem(message))
}
