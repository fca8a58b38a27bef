//! Who asked for a URL of the tape: what of a request may choose the response although the server does not say so.

use super::asked::Asked;
use super::entry::Request;

/// What tells two requests for one URL of the tape apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker {
    accept: Option<String>,
    user_agent: Option<String>,
    /// The cookies, as the origin set them.
    cookie: Option<String>,
}

impl Asker {
    /// Who sent a request.
    pub(super) fn of(asked: &Asked) -> Self {
        Self { accept: asked.accept.clone(), user_agent: asked.user_agent.clone(), cookie: asked.cookie.clone() }
    }

    /// The requests for `what` is on the tape that both are, where their responses differ; none if no tape tells them apart.
    pub(super) fn told_apart(&self, other: &Self, what: &Request) -> Option<(Request, Request)> {
        let request = |asker: &Self| Request {
            accept: asker.accept.clone().filter(|_| self.accept != other.accept),
            user_agent: asker.user_agent.clone().filter(|_| self.user_agent != other.user_agent),
            ..what.clone()
        };
        let (one, two) = (request(self), request(other));
        (self.cookie == other.cookie && one != two).then_some((one, two))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_differs_and_a_tape_has_a_key_for() {
        let asker = |cookie: Option<&str>, accept: Option<&str>, agent: &str| Asker {
            accept: accept.map(Into::into),
            user_agent: Some(agent.to_owned()),
            cookie: cookie.map(Into::into),
        };
        let keys = |one: &Asker, other: &Asker| {
            one.told_apart(other, &Request::plain("u"))
                .map(|(one, other)| (one.accept, one.user_agent, other.accept, other.user_agent))
        };
        let text = |text: &str| Some(text.to_owned());
        let plain = asker(None, None, "a");
        assert_eq!(keys(&plain, &asker(None, Some("json"), "a")), Some((None, None, text("json"), None)));
        assert_eq!(keys(&plain, &asker(None, None, "b")), Some((None, text("a"), None, text("b"))));
        assert_eq!(keys(&plain, &plain), None);
        assert_eq!(keys(&plain, &asker(Some("a=b"), Some("json"), "a")), None, "a cookie is no key");
    }
}
