//! One rule of a source policy, in today's spelling and in the early one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ImportError;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Lets a source through.
    Allow,
    /// Refuses it.
    Deny,
    /// Replaces it.
    Convert,
}

/// How a rule finds its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchType {
    /// `*` stands for anything.
    Wildcard,
    /// By the whole identifier.
    Exact,
    /// By an expression.
    Regex,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) action: Action,
    pub(super) matches: MatchType,
    pub(super) identifier: String,
    /// Attributes that the source must have.
    pub(super) constraints: Vec<(String, String)>,
    pub(super) new_identifier: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    /// Whether it is in the early spelling, which BuildKit ignores.
    pub(super) is_early: bool,
    /// Keys that BuildKit ignores.
    pub(super) ignored: Vec<String>,
}

impl Rule {
    /// Reads a rule as Go reads it: names of members in any case, unknown ones left aside.
    pub(super) fn read(value: &Value, place: &str) -> Result<Self, ImportError> {
        let rule = members(value, place)?;
        let early = rule.get("source").or(rule.get("destination")).is_some() && !rule.contains_key("selector");
        let action = match rule.get("action") {
            None => Action::Allow,
            Some(value) => number(value, &["ALLOW", "DENY", "CONVERT"], place)
                .map(|at| [Action::Allow, Action::Deny, Action::Convert][at])?,
        };
        let (selector, updates) = if early { ("source", "destination") } else { ("selector", "updates") };
        let part = |name: &str| rule.get(name).filter(|value| !value.is_null());
        let Some(selector) = part(selector) else {
            return Err(ImportError::malformed(place, "a rule without `selector`"));
        };
        let selector = members(selector, place)?;
        let updates = part(updates).map(|value| members(value, place)).transpose()?.unwrap_or_default();
        let mut read = Self {
            action,
            matches: MatchType::Wildcard,
            identifier: text(&selector, "identifier", place)?.unwrap_or_default(),
            constraints: constraints(&selector, place)?,
            new_identifier: text(&updates, "identifier", place)?.filter(|text| !text.is_empty()),
            attributes: attributes(&updates, place)?,
            is_early: early,
            ignored: Vec::new(),
        };
        if early {
            read.matches = MatchType::Exact;
            let kind = text(&selector, "type", place)?.unwrap_or_default();
            if !read.identifier.contains("://") && !kind.is_empty() {
                read.identifier = format!("{kind}://{}", read.identifier);
            }
        } else if let Some(value) = selector.get("match_type") {
            let at = number(value, &["WILDCARD", "EXACT", "REGEX"], place)?;
            read.matches = [MatchType::Wildcard, MatchType::Exact, MatchType::Regex][at];
        }
        if !early {
            let unknown =
                selector.keys().filter(|key| !["identifier", "match_type", "constraints"].contains(&key.as_str()));
            let also = updates.keys().filter(|key| !["identifier", "attrs"].contains(&key.as_str()));
            read.ignored = unknown.chain(also).cloned().collect();
        }
        Ok(read)
    }
}

/// The members of an object by their names in lower case.
pub(super) fn members(value: &Value, place: &str) -> Result<Map<String, Value>, ImportError> {
    let Some(members) = value.as_object() else { return Err(ImportError::malformed(place, "expected an object")) };
    Ok(members.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect())
}

/// The place in `names` of an enumeration's value, which is written by name or number.
fn number(value: &Value, names: &[&str], place: &str) -> Result<usize, ImportError> {
    let at = match value {
        Value::String(text) => names.iter().position(|name| name == text),
        Value::Number(number) => number.as_u64().and_then(|at| usize::try_from(at).ok()).filter(|at| *at < names.len()),
        _ => None,
    };
    at.ok_or_else(|| ImportError::malformed(place, format!("`{value}` is none of {}", names.join(", "))))
}

fn text(members: &Map<String, Value>, name: &str, place: &str) -> Result<Option<String>, ImportError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ImportError::malformed(place, format!("`{name}` is no text"))),
    }
}

fn attributes(updates: &Map<String, Value>, place: &str) -> Result<BTreeMap<String, String>, ImportError> {
    let Some(value) = updates.get("attrs").filter(|value| !value.is_null()) else { return Ok(BTreeMap::new()) };
    let Some(members) = value.as_object() else { return Err(ImportError::malformed(place, "`attrs` is no object")) };
    members
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) => Ok((name.clone(), text.to_owned())),
            None => Err(ImportError::malformed(place, format!("`{name}` is no text"))),
        })
        .collect()
}

/// Attributes that must have a value; other conditions tell nothing of what a source is.
fn constraints(selector: &Map<String, Value>, place: &str) -> Result<Vec<(String, String)>, ImportError> {
    let Some(value) = selector.get("constraints").filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let Some(list) = value.as_array() else { return Err(ImportError::malformed(place, "`constraints` is no list")) };
    let mut found = Vec::new();
    for value in list {
        let members = members(value, place)?;
        let condition = match members.get("condition") {
            None => 0,
            Some(value) => number(value, &["EQUAL", "NOTEQUAL", "MATCHES"], place)?,
        };
        if let (0, Some(key), Some(value)) = (condition, text(&members, "key", place)?, text(&members, "value", place)?)
        {
            found.push((key, value));
        }
    }
    Ok(found)
}
