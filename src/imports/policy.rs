//! Source policies: what they convert to a digest, or let through by one.
//!
//! A rule tells of a source only where it names exactly one: patterns are templates, whose sources can't be told from the
//! file. What a source becomes is found by going through the rules as BuildKit does: the first conversion that changes
//! something ends a pass, and the list is gone through anew.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::build::{RecordedBuild, Told};
use super::error::ImportError;
use super::material::{check_request, image, is_git, is_http, whole_digest};
use super::note::has_credentials;
use super::policy_rule::{Action, MatchType, Rule, members};
use crate::http::without_user;
use crate::json;
use crate::limits::Limits;
use crate::lockfile::{Claim, SourceKind};

const IMAGE: &str = "docker-image://";
const LAYOUT: &str = "oci-layout://";
const GIT: &str = "git://";
/// Passes that BuildKit goes through.
const PASSES: usize = 20;

/// Reads a policy: its pins, and notes on everything else that it says.
pub fn read_policy(bytes: &[u8], limits: &Limits) -> Result<RecordedBuild, ImportError> {
    let value: Value = json::parse(bytes, limits)?;
    let policy = members(&value, "policy")?;
    let Some(rules) = policy.get("rules").and_then(Value::as_array) else {
        return Err(ImportError::Unknown("the document is no source policy: it has no list `rules`".to_owned()));
    };
    let read = rules.iter().enumerate().map(|(number, rule)| Rule::read(rule, &format!("rules[{number}]")));
    let rules: Vec<Rule> = read.collect::<Result<_, _>>()?;
    let told = Told { sources: true, ..Told::default() };
    let mut build = RecordedBuild { told, ..RecordedBuild::default() };
    tell(&rules, &mut build);
    let targets: BTreeSet<&String> = rules.iter().filter_map(|rule| rule.new_identifier.as_ref()).collect();
    let mut conversions: BTreeMap<String, Vec<&Rule>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.action == Action::Convert) {
        if let Some(name) = literal(rule) {
            conversions.entry(name).or_default().push(rule);
        }
    }
    for (start, own) in &conversions {
        // What only comes out of another conversion is no source of its own.
        if targets.contains(start) && !own.iter().any(|rule| rule.new_identifier.as_ref() == Some(start)) {
            continue;
        }
        pin(start, &end_of(start, &conversions), &mut build)?;
    }
    for rule in rules.iter().filter(|rule| rule.action == Action::Allow) {
        let Some(name) = literal(rule).filter(|name| !targets.contains(name) && !conversions.contains_key(name)) else {
            continue;
        };
        let end = End { identifier: name.clone(), attributes: rule.constraints.iter().cloned().collect() };
        pin(&name, &end, &mut build)?;
    }
    Ok(build)
}

/// What a source becomes.
struct End {
    identifier: String,
    attributes: BTreeMap<String, String>,
}

/// Goes through the rules as BuildKit does.
fn end_of(start: &str, conversions: &BTreeMap<String, Vec<&Rule>>) -> End {
    let mut end = End { identifier: start.to_owned(), attributes: BTreeMap::new() };
    for _ in 0..PASSES {
        let here = conversions.get(&end.identifier).into_iter().flatten();
        let changed = here.copied().find_map(|rule| {
            let new = rule.new_identifier.as_ref().and_then(|new| target(rule, new));
            let new = new.unwrap_or_else(|| end.identifier.clone());
            let has_new = rule.attributes.iter().any(|(key, value)| end.attributes.get(key) != Some(value));
            (has_new || new != end.identifier).then(|| (new, rule.attributes.clone()))
        });
        let Some((identifier, attributes)) = changed else { break };
        end.identifier = identifier;
        end.attributes.extend(attributes);
    }
    end
}

/// What a rule writes for a source; none if it is a template.
fn target(rule: &Rule, new: &str) -> Option<String> {
    if rule.matches == MatchType::Exact {
        return Some(new.to_owned());
    }
    let plain = new.replace("$$", "\0");
    (!plain.contains('$')).then(|| plain.replace('\0', "$"))
}

/// The one source that a rule is about; none if it is about a pattern.
fn literal(rule: &Rule) -> Option<String> {
    match rule.matches {
        MatchType::Exact => Some(rule.identifier.clone()),
        MatchType::Wildcard => Some(rule.identifier.clone()).filter(|text| !text.contains('*')),
        MatchType::Regex => {
            let text = rule.identifier.strip_prefix('^').unwrap_or(&rule.identifier);
            let text = text.strip_suffix('$').unwrap_or(text);
            let (mut plain, mut rest) = (String::new(), text.chars());
            while let Some(c) = rest.next() {
                match c {
                    '\\' => plain.push(rest.next().filter(|c| !c.is_ascii_alphanumeric())?),
                    '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
                    c => plain.push(c),
                }
            }
            Some(plain)
        }
    }
}

/// Whether an expression may fit more than the one source that it spells.
fn is_loose(rule: &Rule) -> bool {
    let text = &rule.identifier;
    rule.matches == MatchType::Regex
        && (!text.starts_with('^') || !text.ends_with('$') || text.replace("\\\\", "").replace("\\.", "").contains('.'))
}

/// What a source ends as becomes a claim, or a note on why it is none.
fn pin(start: &str, end: &End, build: &mut RecordedBuild) -> Result<(), ImportError> {
    check_request(start)?;
    let shown = without_user(start);
    if has_credentials(start) || has_credentials(&end.identifier) {
        build.note(shown, "its address has credentials: no pin");
        return Ok(());
    }
    if let Some(name) = start.strip_prefix(IMAGE) {
        return pin_image(name, end, build);
    }
    if let Some(name) = start.strip_prefix(LAYOUT) {
        if let Some((_, digest)) = end.identifier.rsplit_once('@') {
            build.claims.insert(Claim::new(SourceKind::Layout, name, whole_digest(start, digest)?));
        }
        return Ok(());
    }
    if start.starts_with(GIT) || is_git(start) {
        return pin_git(start, end, build);
    }
    if is_http(start) {
        match end.attributes.get("http.checksum") {
            Some(checksum) => {
                build.claims.insert(Claim::new(SourceKind::Http, start, whole_digest(start, checksum)?));
                if end.identifier != start {
                    build.note(
                        start,
                        format!(
                            "taken from the mirror {}: mirrors belong to the user's configuration",
                            without_user(&end.identifier)
                        ),
                    );
                }
            }
            None if end.identifier != start => {
                build.note(start, "converted to another address without a checksum: no pin")
            }
            None => {}
        }
    }
    Ok(())
}

fn pin_image(name: &str, end: &End, build: &mut RecordedBuild) -> Result<(), ImportError> {
    if end.attributes.contains_key("image.checksum") {
        build.note(name, "`image.checksum` has no effect on images that BuildKit pulls for FROM: no pin");
    }
    let Some(target) = end.identifier.strip_prefix(IMAGE) else {
        build.note(name, "converted to a source of another kind: no pin");
        return Ok(());
    };
    let plain = |text: &str| text.split_once('@').map_or_else(|| text.to_owned(), |(name, _)| name.to_owned());
    let (from, to) = (plain(name), plain(target));
    match target.split_once('@') {
        Some((_, digest)) => {
            let digest = whole_digest(target, digest)?;
            build.claims.insert(image(name, digest)?);
            if from != to {
                build.note(&from, format!("taken from the mirror {to}: the pin is that of the upstream name, mirrors belong to the user's configuration"));
            }
        }
        None if from != to => build.note(&from, format!("converted to {to} without a digest: no pin")),
        None => {}
    }
    Ok(())
}

fn pin_git(start: &str, end: &End, build: &mut RecordedBuild) -> Result<(), ImportError> {
    let commit = match end.attributes.get("git.checksum") {
        Some(checksum) => Some(checksum.as_str()),
        None => end.identifier.split_once('#').map(|(_, fragment)| fragment.split(':').next().unwrap_or("")),
    };
    match commit.and_then(|commit| Claim::git(start, commit)) {
        Some(claim) => {
            build.claims.insert(claim);
        }
        None if end.attributes.contains_key("git.checksum") => {
            let known = end.attributes.get("git.checksum").map(String::as_str).unwrap_or_default();
            if known.is_empty() || !known.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
                return Err(ImportError::malformed(start, "`git.checksum` is no commit"));
            }
            build.note(start, "`git.checksum` has the beginning of a commit only: no pin");
        }
        None if end.identifier != start => build.note(start, "converted to a ref that is no commit: no pin"),
        None => {}
    }
    Ok(())
}

/// Says what of the rules is no pin.
fn tell(rules: &[Rule], build: &mut RecordedBuild) {
    if rules.is_empty() {
        build.note("rules", "the policy has none");
    }
    for rule in rules {
        let name = without_user(&rule.identifier);
        match rule.action {
            Action::Deny => build.note(
                &name,
                "DENY is not carried over: every source that is not locked is denied, and none beyond that",
            ),
            Action::Convert if literal(rule).is_none() => build.note(
                &name,
                "a pattern (wildcard, `*` or expression) is a template: which sources it pins or sends to a mirror can't be told from the file",
            ),
            Action::Convert if rule.new_identifier.as_deref().is_some_and(|new| target(rule, new).is_none()) => {
                build.note(&name, "its target is a template: what it pins can't be told from the file");
            }
            Action::Convert
                if rule.matches == MatchType::Exact
                    && !rule.is_early
                    && rule.new_identifier.as_ref().is_some_and(|new| *new != rule.identifier) =>
            {
                build.note(&name, "EXACT pins since BuildKit v0.31 only: older daemons ignored this rule without a word");
            }
            Action::Convert if is_loose(rule) => {
                build.note(&name, "the expression fits more than this one source; only that one is taken for a pin");
            }
            Action::Allow | Action::Convert => {}
        }
        if rule.is_early {
            build.note(&name, "the early spelling `source` and `destination`: BuildKit of today ignores these keys");
        }
        for key in &rule.ignored {
            build.note(format!("{name} {key}"), "BuildKit ignores this key without an error, and so does the import");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(rules: Value) -> Vec<String> {
        let text = serde_json::json!({ "version": 1, "rules": rules }).to_string();
        let build = read_policy(text.as_bytes(), &Limits::default()).unwrap();
        build.claims.iter().map(|claim| format!("{} {} {}", claim.kind, claim.request, &claim.result[..10])).collect()
    }

    fn convert(from: &str, to: &str) -> Value {
        let selector = serde_json::json!({"identifier": from, "match_type": "EXACT"});
        serde_json::json!({"action": "CONVERT", "selector": selector, "updates": {"identifier": to}})
    }

    #[test]
    fn conversions_are_followed_to_their_end() {
        let (one, other) = ("docker-image://docker.io/library/a:1", "docker-image://mirror.example/a:1");
        let pinned = format!("{other}@sha256:{}", "1".repeat(64));
        assert_eq!(
            pins(serde_json::json!([convert(one, other), convert(other, &pinned)])),
            ["image docker.io/library/a:1 sha256:111"]
        );
        let circle = serde_json::json!([convert(one, other), convert(other, one)]);
        assert_eq!(pins(circle), Vec::<String>::new());
    }

    #[test]
    fn the_first_rule_that_changes_something_wins() {
        let of = |digit: &str| format!("docker-image://docker.io/library/a:1@sha256:{}", digit.repeat(64));
        let from = "docker-image://docker.io/library/a:1";
        let rules = serde_json::json!([convert(from, from), convert(from, &of("1")), convert(from, &of("2"))]);
        assert_eq!(pins(rules), ["image docker.io/library/a:1 sha256:111"]);
    }

    #[test]
    fn a_source_that_is_allowed_by_digest_is_a_pin_unless_a_conversion_made_it() {
        let digest = "1".repeat(64);
        let allow = |identifier: String| serde_json::json!({"action": "ALLOW", "selector": {"identifier": identifier}});
        let (upstream, mirror) =
            ("docker-image://a.example/b:1", format!("docker-image://m.example/b:1@sha256:{digest}"));
        let rules = serde_json::json!([
            convert(upstream, &mirror),
            allow(mirror.clone()),
            allow(format!("docker-image://c.example/d:2@sha256:{digest}")),
            allow("docker-image://e.example/f:3".to_owned()),
        ]);
        assert_eq!(pins(rules), ["image a.example/b:1 sha256:111", "image c.example/d:2 sha256:111"]);
    }

    #[test]
    fn git_is_pinned_by_a_commit_in_either_place() {
        let commit = "a".repeat(40);
        let by_attribute = serde_json::json!({"action": "CONVERT", "selector": {"identifier": "git://h/p.git#v1"},
            "updates": {"attrs": {"git.checksum": commit}}});
        for rule in [convert("git://h/p.git#v1", &format!("git://h/p.git#{commit}")), by_attribute] {
            assert_eq!(pins(serde_json::json!([rule])), ["git git://h/p.git#v1 aaaaaaaaaa"]);
        }
    }
}
