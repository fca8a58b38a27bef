//! One request of a step, as far as it chooses the response.

use super::cookie;
use super::headers::{Weight, spelled, weight};
use crate::http::Url;

/// One request, as the server read it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The true URL, as the step asked for it.
    pub url: Url,
    /// `Accept`, if it accepts less than everything.
    pub accept: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Cookie`, as the step sent it; once a recording has looked at it, as the origin set it.
    pub cookie: Option<String>,
    /// Other headers that the origin should see: names in lower case, values.
    pub passed_on: Vec<(String, String)>,
    /// The name of a header that may choose the response and that no tape holds, as people write it.
    pub choosing: Option<String>,
}

impl Asked {
    /// A request for `url` without any header.
    pub(super) fn for_url(url: Url) -> Self {
        Self { url, accept: None, user_agent: None, cookie: None, passed_on: Vec::new(), choosing: None }
    }

    /// The request for `url` with these headers, whose names are in lower case.
    pub(super) fn new(url: Url, headers: &[(String, String)]) -> Self {
        let mut asked = Self::for_url(url);
        for (name, value) in headers {
            match (name.as_str(), weight(name, value)) {
                ("accept", _) => {
                    asked.accept = Some(value.trim().to_owned()).filter(|it| !matches!(it.as_str(), "" | "*/*"))
                }
                ("user-agent", _) => asked.user_agent = Some(value.trim().to_owned()).filter(|it| !it.is_empty()),
                ("cookie", _) => {
                    let all = asked.cookie.take().map_or_else(|| value.clone(), |others| format!("{others}; {value}"));
                    asked.cookie = Some(all).filter(|it| cookie::sent(it).next().is_some());
                }
                (_, Weight::Nothing) => {}
                (_, Weight::PassedOn) => asked.passed_on.push((name.clone(), value.clone())),
                (_, Weight::Choosing) => asked.choosing = asked.choosing.or_else(|| Some(spelled(name))),
            }
        }
        asked
    }

    /// Whether anybody gets the same for it: nothing was sent that may be a login.
    pub(super) fn is_plain(&self) -> bool {
        self.choosing.is_none() && self.cookie.is_none()
    }
}
