//! What a 401 asks for (RFC 9110, 11.6.1).

use std::collections::BTreeMap;

/// One way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from somewhere.
    Bearer {
        /// Where.
        realm: String,
        /// Who wants it.
        service: Option<String>,
    },
}

/// The best challenge of some `WWW-Authenticate` headers: a token before a password.
pub fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for (scheme, parameters) in headers.flat_map(parse) {
        if scheme.eq_ignore_ascii_case("bearer") {
            if let Some(realm) = parameters.get("realm") {
                return Some(Challenge::Bearer { realm: realm.clone(), service: parameters.get("service").cloned() });
            }
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        }
    }
    basic
}

/// Schemes with their parameters; whatever does not fit the grammar ends the list.
fn parse(header: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let mut rest = header.trim_start();
    while !rest.is_empty() {
        let (word, after) = token(rest);
        if word.is_empty() {
            break;
        }
        rest = after.trim_start();
        if let Some(value) = rest.strip_prefix('=') {
            let Some((value, after)) = parameter_value(value.trim_start()) else { break };
            let Some((_, parameters)) = found.last_mut() else { break };
            parameters.entry(word.to_ascii_lowercase()).or_insert(value);
            rest = after;
        } else {
            found.push((word.to_owned(), BTreeMap::new()));
        }
        rest = rest.trim_start_matches([',', ' ', '\t']);
    }
    found
}

fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))).unwrap_or(text.len());
    text.split_at(end)
}

fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return (!value.is_empty()).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_header_is_taken(header in "(Bearer|[a-z]{0,3})[ =\",\\\\a-z]{0,40}|\\PC{0,40}") {
            let _ = choose([header.as_str()].into_iter());
        }
    }

    #[test]
    fn a_token_is_preferred_and_nonsense_is_ignored() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        for (header, want) in [
            (
                r#"Bearer realm="https://a.example/t",service="s",scope="repository:x:pull,push""#,
                bearer("https://a.example/t", Some("s")),
            ),
            (r#"bearer Realm = "r" , Service=s"#, bearer("r", Some("s"))),
            (r#"Basic realm="x", Bearer realm="q\"uo\\te""#, bearer("q\"uo\\te", None)),
            (r#"Basic realm="x, y""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            (r#"Bearer service="s""#, None),
            (r#"Bearer realm="open"#, None),
            ("Negotiate", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(choose([header].into_iter()), want, "{header}");
        }
    }
}
