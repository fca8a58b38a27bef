//! The source policy that gives a build its pins and nothing else.
//!
//! Everything is denied first; then each pin is converted to its bytes and what came out of that is allowed. BuildKit
//! reads the rules in order and takes the last ALLOW or DENY that matches; a CONVERT that changes something starts over.
//! Identifiers are only changed by anchored REGEX rules: EXACT ones do nothing before v0.31, and WILDCARD rules could
//! crash daemons before v0.27. Keys are snake_case; BuildKit ignores others without a word.
//!
//! Each pin goes through [`Redirects`] and comes out as rules: `rule` is their form, `expression` writes what they match.

mod expression;
mod rule;

use std::collections::BTreeMap;

use serde::Serialize;

use super::git_identifier::GitIdentifier;
use super::redirects::{Redirects, commit_reference};
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::tape::Route;

use expression::{anchored, quoted, template, unlike};
use rule::{Action, Constraint, MatchType, Rule, Selector, Updates};

const VERSION: u32 = 1;
const CHECKSUM: &str = "http.checksum";
const GIT_URL: &str = "git.fullurl";
/// How addresses of this machine begin, and hosts that are it and no address: what Go's clients ask for past a proxy.
const LOOPBACK: &str = "127.";
const NO_NAME: &str = r"(?i:localhost)(?:[:/?#]|$)|\[";
/// A URL whose host reads the same for everybody.
const PLAIN_HOST: &str = r"^https?://[A-Za-z0-9._-]+(?::[0-9]*)?(?:[/?#].*)?$";
const GIT_CHECKSUM: &str = "git.checksum";
const SNAPSHOT_KEY: &str = "local.sharedkeyhint";

/// A source policy as BuildKit reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    version: u32,
    rules: Vec<Rule>,
}

impl Policy {
    /// The policy that allows `pins` and the local directories called `locals`, and denies everything else.
    pub fn strict<'a>(pins: &[Pin], locals: impl IntoIterator<Item = &'a str>, redirects: &Redirects) -> Self {
        let mut policy = Self { version: VERSION, rules: Vec::new() };
        policy.push(Action::Deny, MatchType::Regex, ".*".to_owned(), None);
        for local in locals {
            policy.push(Action::Allow, MatchType::Exact, format!("local://{local}"), None);
        }
        for pin in pins {
            policy.add(pin, redirects);
        }
        policy
    }

    /// Gives the local directory called `local` a snapshot of its own on the daemon, shared by builds with the same `key`.
    ///
    /// BuildKit sends a directory as changes to what it has under this key, and does not compare directories' times: with
    /// its usual key, one for all that `buildctl` ever sent, a build would see the times of other directories. The ignore
    /// file is left out: it is asked for on its own, which would empty the snapshot.
    pub fn key_snapshot(&mut self, local: &str, key: &str) {
        let other = Constraint { key: SNAPSHOT_KEY, condition: "NOTEQUAL", value: format!("{local}-.dockerignore") };
        let selector =
            Selector { identifier: format!("local://{local}"), match_type: MatchType::Exact, constraints: vec![other] };
        let updates = Updates { identifier: None, attrs: BTreeMap::from([(SNAPSHOT_KEY, key.to_owned())]) };
        self.rules.push(Rule { action: Action::Convert, selector, updates: Some(updates) });
    }

    /// The policy of a taped build: files and every request of a step go to the tape's server, and nowhere else.
    ///
    /// BuildKit matches what a rule made once more, and RE2 has no look-ahead; so the rule for plain HTTP matches
    /// whatever begins otherwise than the server's own URLs, letter by letter. The server judges files by digest: a
    /// checksum here would refuse a step that asks for the same URL.
    pub fn taped<'a>(
        pins: &[Pin],
        locals: impl IntoIterator<Item = &'a str>,
        redirects: &Redirects,
        route: &Route,
    ) -> Self {
        let mut policy = Self::without_files(pins, locals, redirects);
        let begins_otherwise = route.base().strip_prefix("http://").map_or(String::new(), |own| unlike(own, 0));
        policy.lead("", &begins_otherwise, route);
        policy
    }

    /// The policy of a taped build in a daemon that has the tape's door as its only way out, but for loopback: what would
    /// go there is led to the tape's server.
    ///
    /// How a host is spelled decides where a request goes, so nothing but plain names and addresses is allowed.
    pub fn through_door<'a>(
        pins: &[Pin],
        locals: impl IntoIterator<Item = &'a str>,
        redirects: &Redirects,
        route: &Route,
    ) -> Self {
        let mut policy = Self::without_files(pins, locals, redirects);
        let own = route.base().strip_prefix("http://").unwrap_or_default();
        // A server elsewhere than at 127.… is not what these match.
        let begins_otherwise = if own.starts_with(LOOPBACK) { unlike(own, LOOPBACK.len()) } else { quoted(LOOPBACK) };
        policy.push(Action::Allow, MatchType::Regex, PLAIN_HOST.to_owned(), None);
        policy.lead(&format!("{}|{NO_NAME}", quoted(LOOPBACK)), &format!("{begins_otherwise}|{NO_NAME}"), route);
        policy
    }

    /// The policy of what is neither a file nor asked for by a step.
    fn without_files<'a>(pins: &[Pin], locals: impl IntoIterator<Item = &'a str>, redirects: &Redirects) -> Self {
        let others: Vec<Pin> = pins.iter().filter(|pin| !matches!(pin, Pin::Http { .. })).cloned().collect();
        Self::strict(&others, locals, redirects)
    }

    /// Leads URLs that begin like these expressions, behind `https://` and `http://`, to the tape's server, and allows
    /// what is there.
    fn lead(&mut self, https: &str, http: &str, route: &Route) {
        let base = template(route.base());
        let https = if https.is_empty() { "(.*)".to_owned() } else { format!("((?:{https}).*)") };
        for (from, to) in [(format!("^https://{https}$"), "https"), (format!("^http://((?:{http}).*)$"), "http")] {
            let updates = Updates { identifier: Some(format!("{base}{to}/$1")), ..Updates::default() };
            self.push(Action::Convert, MatchType::Regex, from, Some(updates));
        }
        let own = anchored(route.base());
        self.push(Action::Allow, MatchType::Regex, format!("{}.*$", own.trim_end_matches('$')), None);
    }

    /// Indented JSON with a newline at the end, as `repro policy` prints it and BuildKit reads it.
    pub fn to_json(&self) -> String {
        // Strings, numbers and string keys only: nothing that could fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    fn add(&mut self, pin: &Pin, redirects: &Redirects) {
        match pin {
            Pin::Image { request, digest, .. } => {
                let wanted = match request.parse::<Reference>() {
                    Ok(reference) if reference.digest().is_some() => request.clone(),
                    _ => format!("{request}@{digest}"),
                };
                let source = redirects.image(&wanted).unwrap_or(wanted);
                self.convert_image(request, &source);
                let named_with_digest = format!("{request}@{digest}");
                if !request.contains('@') && source != named_with_digest {
                    self.convert_image(&named_with_digest, &source);
                }
                self.push(Action::Allow, MatchType::Exact, format!("docker-image://{source}"), None);
            }
            Pin::Layout { digest, .. } => {
                // The name before the digest is the context's, in a form that BuildKit chooses; the digest decides.
                let identifier = format!("^oci-layout://[^@]+@{digest}$");
                self.push(Action::Allow, MatchType::Regex, identifier, None);
            }
            Pin::Http { url, digest, .. } => {
                let checksum = digest.to_string();
                let attrs = BTreeMap::from([(CHECKSUM, checksum.clone())]);
                let source = match redirects.http(url) {
                    Some(source) => {
                        let updates = Updates { identifier: Some(template(&source)), attrs };
                        self.push(Action::Convert, MatchType::Regex, anchored(url), Some(updates));
                        source
                    }
                    None => {
                        let updates = Updates { identifier: None, attrs };
                        self.push(Action::Convert, MatchType::Exact, url.clone(), Some(updates));
                        url.clone()
                    }
                };
                let constraint = Constraint { key: CHECKSUM, condition: "EQUAL", value: checksum };
                let selector =
                    Selector { identifier: source, match_type: MatchType::Exact, constraints: vec![constraint] };
                self.rules.push(Rule { action: Action::Allow, selector, updates: None });
            }
            Pin::Git { request, commit, tag } => {
                let asked = GitIdentifier::of(request);
                let mut pinned = asked.at(commit);
                let mut attrs = BTreeMap::new();
                if let Some(source) = redirects.git(&asked.url) {
                    let is_alone = redirects.commits.contains_key(&asked.url);
                    let name = if is_alone { commit_reference(commit) } else { commit.clone() };
                    pinned = GitIdentifier::of(&source).at(&name).below(&asked.subdirectory);
                    attrs.insert(GIT_URL, source);
                }
                // The build asks for the commit now, and so can't get what `--checksum` has of the tag.
                if tag.is_some() || redirects.commits.contains_key(&asked.url) {
                    attrs.insert(GIT_CHECKSUM, commit.clone());
                }
                let (from, to) = (asked.to_string(), pinned.to_string());
                if from != to {
                    let updates = Updates { identifier: Some(template(&to)), attrs };
                    self.push(Action::Convert, MatchType::Regex, anchored(&from), Some(updates));
                }
                self.push(Action::Allow, MatchType::Exact, to, None);
            }
        }
    }

    fn convert_image(&mut self, from: &str, to: &str) {
        if from != to {
            let updates = Updates { identifier: Some(template(&format!("docker-image://{to}"))), ..Updates::default() };
            self.push(Action::Convert, MatchType::Regex, anchored(&format!("docker-image://{from}")), Some(updates));
        }
    }

    fn push(&mut self, action: Action, match_type: MatchType, identifier: String, updates: Option<Updates>) {
        let selector = Selector { identifier, match_type, constraints: Vec::new() };
        let rule = Rule { action, selector, updates };
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use serde_json::{Value, json};

    fn image(request: &str, digest: &str) -> Pin {
        let digest: Digest = digest.parse().unwrap();
        Pin::Image { request: request.to_owned(), digest, platforms: BTreeMap::new() }
    }

    fn rules(policy: &Policy) -> Vec<Value> {
        let value: Value = serde_json::from_str(&policy.to_json()).unwrap();
        value["rules"].as_array().unwrap().clone()
    }

    const FRONTEND: &str = "sha256:ea8592aa6591632536802e265bd11b46ca8d36d35cea0cb63c84e572e52d79df";
    const BASE: &str = "sha256:4c1fc560091d98fa7bdaf43be4eea9db99363669144c222b6e8ae7f287d3f3d1";
    const FILE: &str = "sha256:2f1041e35539ead6ac878a431a224f825b9a63b746de41561157c25529041b59";
    const COMMIT: &str = "93614b1c60e47bf2f59ab807edbd8386ca0b6fb1";

    #[test]
    fn the_policy_of_one_source_of_each_kind_is_the_observed_one() {
        let pins = [
            image("docker.io/docker/dockerfile:1", FRONTEND),
            image("registry.example/base:1", BASE),
            Pin::Http {
                url: "https://files.example/p.txt".to_owned(),
                digest: FILE.parse().unwrap(),
                size: 1,
                modified: None,
            },
            Pin::Git { request: "https://git.example/repo.git#main".to_owned(), commit: COMMIT.to_owned(), tag: None },
        ];
        let policy = Policy::strict(&pins, ["context", "dockerfile"], &Redirects::default());
        let frontend = format!("docker-image://docker.io/docker/dockerfile:1@{FRONTEND}");
        let base = format!("docker-image://registry.example/base:1@{BASE}");
        let git = format!("git://git.example/repo.git#{COMMIT}");
        let exact = |identifier: &str| json!({"identifier": identifier, "match_type": "EXACT"});
        let regex = |identifier: &str| json!({"identifier": identifier, "match_type": "REGEX"});
        assert_eq!(
            rules(&policy),
            [
                json!({"action": "DENY", "selector": regex(".*")}),
                json!({"action": "ALLOW", "selector": exact("local://context")}),
                json!({"action": "ALLOW", "selector": exact("local://dockerfile")}),
                json!({"action": "CONVERT", "selector": regex(r"^docker-image://docker\.io/docker/dockerfile:1$"),
                       "updates": {"identifier": frontend}}),
                json!({"action": "ALLOW", "selector": exact(&frontend)}),
                json!({"action": "CONVERT", "selector": regex(r"^docker-image://registry\.example/base:1$"),
                       "updates": {"identifier": base}}),
                json!({"action": "ALLOW", "selector": exact(&base)}),
                json!({"action": "CONVERT", "selector": exact("https://files.example/p.txt"),
                       "updates": {"attrs": {"http.checksum": FILE}}}),
                json!({"action": "ALLOW", "selector": {"identifier": "https://files.example/p.txt", "match_type": "EXACT",
                       "constraints": [{"key": "http.checksum", "condition": "EQUAL", "value": FILE}]}}),
                json!({"action": "CONVERT", "selector": regex(r"^git://git\.example/repo\.git#main$"),
                       "updates": {"identifier": git}}),
                json!({"action": "ALLOW", "selector": exact(&git)}),
            ]
        );
    }

    #[test]
    fn a_directory_with_a_key_of_its_own_is_changed_but_for_its_ignore_file() {
        let mut policy = Policy::strict(&[], ["context"], &Redirects::default());
        policy.key_snapshot("context", "repro-1");
        let constraint =
            json!({"key": "local.sharedkeyhint", "condition": "NOTEQUAL", "value": "context-.dockerignore"});
        assert_eq!(
            rules(&policy)[2..],
            [json!({"action": "CONVERT",
                "selector": {"identifier": "local://context", "match_type": "EXACT", "constraints": [constraint]},
                "updates": {"attrs": {"local.sharedkeyhint": "repro-1"}}})]
        );
    }

    #[test]
    fn an_image_with_a_digest_is_allowed_as_it_is_written() {
        let pins = [image(&format!("docker.io/library/a:1@{BASE}"), BASE)];
        let policy = Policy::strict(&pins, [], &Redirects::default());
        let want = format!("docker-image://docker.io/library/a:1@{BASE}");
        assert_eq!(
            rules(&policy)[1..],
            [json!({"action": "ALLOW", "selector": {"identifier": want, "match_type": "EXACT"}})]
        );
    }

    #[test]
    fn a_mirror_takes_the_name_and_a_tag_becomes_its_commit_and_the_digest_stays() {
        let redirects = Redirects {
            images: BTreeMap::from([("registry.example".to_owned(), "mirror.example/r".to_owned())]),
            http: BTreeMap::from([("https://files.example/".to_owned(), "http://127.0.0.1:1/$f/".to_owned())]),
            git: BTreeMap::from([("https://git.example/".to_owned(), "http://127.0.0.1:2/g/".to_owned())]),
            ..Redirects::default()
        };
        let pins = [
            image("registry.example/base:1", BASE),
            image("registry.example.other/base:1", BASE),
            Pin::Http {
                url: "https://files.example/a?b".into(),
                digest: FILE.parse().unwrap(),
                size: 1,
                modified: None,
            },
            Pin::Git {
                request: "https://git.example/repo.git#main:sub".to_owned(),
                commit: COMMIT.to_owned(),
                tag: None,
            },
            Pin::Git {
                request: "https://other.example/repo.git#v1".to_owned(),
                commit: COMMIT.to_owned(),
                tag: Some("0".repeat(40)),
            },
        ];
        let policy = Policy::strict(&pins, [], &redirects);
        let updates: Vec<Value> = rules(&policy).iter().filter_map(|rule| rule.get("updates").cloned()).collect();
        let mirrored = format!("docker-image://mirror.example/r/base:1@{BASE}");
        assert_eq!(
            updates,
            [
                json!({"identifier": mirrored}),
                json!({"identifier": mirrored}),
                json!({"identifier": format!("docker-image://registry.example.other/base:1@{BASE}")}),
                json!({"identifier": "http://127.0.0.1:1/$$f/a?b", "attrs": {"http.checksum": FILE}}),
                json!({"identifier": format!("git://127.0.0.1:2/g/repo.git#{COMMIT}:sub"),
                       "attrs": {"git.fullurl": "http://127.0.0.1:2/g/repo.git"}}),
                json!({"identifier": format!("git://other.example/repo.git#{COMMIT}"),
                       "attrs": {"git.checksum": COMMIT}}),
            ]
        );
    }

    #[test]
    fn a_taped_build_asks_its_server_and_nobody_else() {
        let pins = [
            image("registry.example/base:1", BASE),
            Pin::Http { url: "https://f.example/a".into(), digest: FILE.parse().unwrap(), size: 1, modified: None },
        ];
        let route = Route::at("http://1.2:3", "t");
        let policy = Policy::taped(&pins, ["context"], &Redirects::default(), &route);
        let base = format!("docker-image://registry.example/base:1@{BASE}");
        let tail: Vec<Value> = rules(&policy).split_off(3);
        let convert = |from: &str, to: &str| {
            json!({"action": "CONVERT", "selector": {"identifier": from, "match_type": "REGEX"},
                   "updates": {"identifier": to}})
        };
        let otherwise = r"(?:[^1]|$)|1(?:[^\.]|$)|1\.(?:[^2]|$)|1\.2(?:[^:]|$)|1\.2:(?:[^3]|$)|1\.2:3(?:[^/]|$)|1\.2:3/(?:[^t]|$)|1\.2:3/t(?:[^/]|$)";
        assert_eq!(
            tail,
            [
                json!({"action": "ALLOW", "selector": {"identifier": base, "match_type": "EXACT"}}),
                convert("^https://(.*)$", "http://1.2:3/t/https/$1"),
                convert(&format!("^http://((?:{otherwise}).*)$"), "http://1.2:3/t/http/$1"),
                json!({"action": "ALLOW", "selector": {"identifier": r"^http://1\.2:3/t/.*$", "match_type": "REGEX"}}),
            ]
        );
    }
}
