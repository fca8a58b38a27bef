//! Which headers of a step's request may choose the response.
//!
//! A tape tells requests apart by URL, by `Accept` and by `User-Agent`. A header that means nothing to the response is
//! dropped or passed on; any other one makes the request another request, which no tape holds. Cookies are judged by
//! where they come from (`cookie`).

/// What is to be done about one header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is about the connection, about what the client has already, or told apart elsewhere.
    Nothing,
    /// The origin should see it; it chooses nothing, unless the response's `Vary` names it.
    PassedOn,
    /// It may choose the response: a login, a version of an interface.
    Choosing,
}

/// About the connection, about caches and about parts, or told apart by the tape itself.
const NOTHING: [&str; 30] = [
    "accept",
    "accept-encoding",
    "baggage",
    "cache-control",
    "cache-store",
    "connection",
    "content-type",
    "cookie",
    "dnt",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "pragma",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "traceparent",
    "tracestate",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
];
/// What package managers say about themselves, often anew in each run.
const PASSED_ON: [&str; 9] = [
    "accept-language",
    "cargo-protocol",
    "git-protocol",
    "origin",
    "referer",
    "x-gemfile-source",
    "x-nuget-client-version",
    "x-nuget-session-id",
    "x-terraform-version",
];
/// Beginnings of names of the same kind: npm's, its fetcher's, and those of programs with a browser's manners.
const PASSED_ON_FAMILIES: [&str; 3] = ["npm-", "pacote-", "sec-fetch-"];

/// What is to be done about the header `name` (in lower case) with this value.
pub(super) fn weight(name: &str, value: &str) -> Weight {
    match name {
        // No request and response follow, but a conversation.
        "upgrade" if value.to_ascii_lowercase().contains("websocket") => Weight::Choosing,
        // A body in a GET: what it asks for is not on the tape.
        "content-length" if value.trim() != "0" => Weight::Choosing,
        "content-length" => Weight::Nothing,
        // "Any" is what leaving it out means.
        "accept-language" if value.trim() == "*" => Weight::Nothing,
        "npm-auth-type" | "npm-otp" => Weight::Choosing,
        name if NOTHING.contains(&name) => Weight::Nothing,
        name if PASSED_ON.contains(&name) || PASSED_ON_FAMILIES.iter().any(|family| name.starts_with(family)) => {
            Weight::PassedOn
        }
        _ => Weight::Choosing,
    }
}

/// `x-api-version` as people write it: `X-Api-Version`.
pub(super) fn spelled(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_choose_the_response_is_told_from_what_does_not() {
        for (name, value, want) in [
            ("host", "h.example", Weight::Nothing),
            ("user-agent", "curl/8", Weight::Nothing),
            ("if-none-match", "\"1\"", Weight::Nothing),
            ("content-length", "0", Weight::Nothing),
            ("accept-language", "*", Weight::Nothing),
            ("accept-language", "de", Weight::PassedOn),
            ("npm-session", "0a1b", Weight::PassedOn),
            ("content-length", "3", Weight::Choosing),
            ("authorization", "Bearer t", Weight::Choosing),
            ("cookie", "a=b", Weight::Nothing),
            ("private-token", "t", Weight::Choosing),
            ("npm-otp", "123456", Weight::Choosing),
            ("x-api-version", "2", Weight::Choosing),
            ("upgrade", "h2c", Weight::Nothing),
            ("upgrade", "websocket", Weight::Choosing),
            ("anything-else", "", Weight::Choosing),
        ] {
            assert_eq!(weight(name, value), want, "{name}: {value}");
        }
        assert_eq!(spelled("x-api-version"), "X-Api-Version");
        assert_eq!(spelled("dnt"), "Dnt");
    }
}
