//! Request methods that a tape can hold.

use std::fmt;

/// A request method: `GET`, or another word of capital letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method(String);

/// Letters of a method.
const LONGEST: usize = 20;
/// Methods whose request may bring a body.
const WITH_BODY: [&str; 3] = ["PATCH", "POST", "PUT"];

impl Method {
    /// `GET`.
    pub fn get() -> Self {
        Self("GET".to_owned())
    }

    /// The method that is spelled so; none if it is no method or one that is about the way and not about a place.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_word && !matches!(text, "CONNECT" | "TRACE")).then(|| Self(text.to_owned()))
    }

    /// Whether it is `GET`.
    pub fn is_get(&self) -> bool {
        self.0 == "GET"
    }

    /// Whether it asks for a head only.
    pub fn is_head(&self) -> bool {
        self.0 == "HEAD"
    }

    /// Whether a request by it may bring a body.
    pub fn takes_body(&self) -> bool {
        WITH_BODY.contains(&self.0.as_str())
    }

    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_capital_letters_are_methods() {
        for (text, want) in [
            ("GET", true),
            ("POST", true),
            ("PROPFIND", true),
            ("", false),
            ("get", false),
            ("GET ", false),
            ("CONNECT", false),
            ("TRACE", false),
            ("AAAAAAAAAAAAAAAAAAAAA", false),
        ] {
            assert_eq!(Method::parse(text).is_some(), want, "{text}");
        }
    }
}
