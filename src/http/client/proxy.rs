//! Which proxy a request goes through, as the usual environment variables say.

use super::error::HttpError;
use crate::http::url::{Url, is_loopback_host};

/// The proxies of the user's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For https URLs.
    pub https: Option<String>,
    /// For http URLs.
    pub http: Option<String>,
    /// Hosts that are reached without one: names (and what is below them), addresses, `*`; separated by commas.
    pub none: String,
}

impl Proxies {
    /// The proxies that these variables name; `variable` gives the value of one (`HTTPS_PROXY` or `https_proxy`, …).
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let value = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            value.filter(|value| !value.is_empty())
        };
        let all = either("ALL_PROXY");
        Self {
            https: either("HTTPS_PROXY").or_else(|| all.clone()),
            http: either("HTTP_PROXY").or(all),
            none: either("NO_PROXY").unwrap_or_default(),
        }
    }

    /// The proxy for `url`; this machine is always reached directly.
    pub(super) fn of(&self, url: &Url) -> Option<&str> {
        let proxy = if url.is_tls() { &self.https } else { &self.http };
        let direct = || {
            self.none.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
                let name = entry.trim_start_matches("*.").trim_start_matches('.');
                let below =
                    |host: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                !entry.is_empty() && (entry == "*" || below(url.host()) || entry == url.authority())
            })
        };
        proxy.as_deref().filter(|_| !is_loopback_host(url.host()) && !direct())
    }

    /// The error for a proxy that can't be used; its text may hold a password and is not shown.
    pub(super) fn invalid(_proxy: &str) -> HttpError {
        HttpError::Configuration("the proxy of the environment is not a URL such as `http://HOST:PORT`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_exempt_by_name_domain_and_address() {
        let proxies = Proxies::from_variables(|name| match name {
            "https_proxy" => Some("http://p.example:1".into()),
            "ALL_PROXY" => Some("http://all.example:1".into()),
            "NO_PROXY" => Some("in.example, .sub.example,10.0.0.1,h.example:8443".into()),
            _ => None,
        });
        let of = |url: &str| proxies.of(&Url::parse(url).unwrap());
        for (url, want) in [
            ("https://out.example/", Some("http://p.example:1")),
            ("http://out.example/", Some("http://all.example:1")),
            ("https://in.example/", None),
            ("https://x.in.example/", None),
            ("https://notin.example/", Some("http://p.example:1")),
            ("https://a.sub.example/", None),
            ("https://10.0.0.1/", None),
            ("https://h.example:8443/", None),
            ("https://h.example/", Some("http://p.example:1")),
            ("https://localhost:5000/", None),
            ("https://127.0.0.1/", None),
        ] {
            assert_eq!(of(url), want, "{url}");
        }
        let never = Proxies { none: "*".into(), ..proxies };
        assert_eq!(never.of(&Url::parse("https://out.example/").unwrap()), None);
    }
}
