//! Being let in: a password or a token for one repository of one endpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::challenge::{self, Challenge};
use super::credential::Credential;
use super::endpoint::Endpoint;
use super::{Registry, RegistryError};
use crate::escape;
use crate::http::{HttpError, Request, Response, Secret, Url, encode_parameter};

/// Token servers that may be given the login of a registry on another host.
const PARTNERS: &[(&str, &str)] = &[("registry-1.docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")];

#[derive(Deserialize)]
struct TokenResponse {
    token: Option<String>,
    access_token: Option<String>,
}

impl Registry {
    /// What to send as `Authorization` after this 401; none if there is nothing to try.
    pub(super) fn authorize(&self, endpoint: &Endpoint, response: &Response) -> Result<Option<Secret>, RegistryError> {
        let Some(challenge) = challenge::choose(response.headers("www-authenticate")) else { return Ok(None) };
        let login = self.logins.find(&endpoint.host(), &endpoint.repository, self.progress());
        match challenge {
            Challenge::Basic => Ok(login.and_then(|login| basic(&login))),
            Challenge::Bearer { realm, service } => self.token(endpoint, &realm, service.as_deref(), login).map(Some),
        }
    }

    fn token(
        &self,
        endpoint: &Endpoint,
        realm: &str,
        service: Option<&str>,
        login: Option<Credential>,
    ) -> Result<Secret, RegistryError> {
        let object = format!("token for `{}`", endpoint.repository);
        let nonsense =
            |reason: String| RegistryError::Nonsense { object: object.clone(), url: endpoint.origin(), reason };
        let realm = Url::parse(realm).map_err(|error| nonsense(format!("token realm {error}")))?;
        if !realm.is_tls() && (endpoint.base().is_tls() || !self.client.may_be_plain(&realm)) {
            return Err(nonsense(format!("token realm `{}` is not https", realm.shown())));
        }
        let login = login.filter(|_| may_have_login(endpoint.base(), &realm));
        let of_mounts = endpoint.mounts.iter().map(|from| format!("repository:{from}:pull"));
        let own = format!("repository:{}:{}", endpoint.repository, endpoint.purpose.actions());
        let own = Some(own).filter(|_| !endpoint.repository.is_empty());
        let scopes: Vec<String> = own.into_iter().chain(of_mounts).collect();
        let request = match &login {
            Some(Credential::Identity(refresh)) => {
                let mut form = String::from("grant_type=refresh_token&client_id=repro");
                for (name, value) in [("scope", &*scopes.join(" ")), ("service", service.unwrap_or_default())] {
                    form.push_str(&format!("&{name}={}", encode_parameter(value)));
                }
                form.push_str(&format!("&refresh_token={}", encode_parameter(refresh.expose())));
                Request::post_form(realm, Secret::new(form))
            }
            other => {
                let realm = match service {
                    Some(service) => realm.with_parameter("service", service),
                    None => realm,
                };
                let realm = scopes.iter().fold(realm, |realm, scope| realm.with_parameter("scope", scope));
                Request::get(realm).authorization(other.as_ref().and_then(basic))
            }
        };
        let response = self.client.send(&request.named_by(endpoint.base()))?.expect_ok()?;
        let url = response.url.clone();
        let bytes = response.into_bytes("token-body", self.limits().token_body)?;
        let token: TokenResponse = crate::json::parse(&bytes, self.limits()).map_err(|error| HttpError::Nonsense {
            url: url.shown(),
            reason: format!("the token response: {error}"),
        })?;
        let token = token.token.or(token.access_token).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| nonsense(format!("`{}` gave no token", url.shown())))?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(nonsense(format!("`{}` gave a token that is none", escape::text(&url.shown()))));
        }
        Ok(Secret::new(format!("Bearer {token}")))
    }
}

/// Whether the token server may see the login that belongs to the registry.
fn may_have_login(registry: &Url, realm: &Url) -> bool {
    let same_port_or_tls = realm.is_tls() || realm.origin() == registry.origin();
    let partner = PARTNERS.contains(&(registry.authority().as_str(), realm.authority().as_str()));
    same_port_or_tls && (registry.host() == realm.host() || partner)
}

fn basic(login: &Credential) -> Option<Secret> {
    match login {
        Credential::Password { user, password } => {
            let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
            Some(Secret::new(format!("Basic {pair}")))
        }
        Credential::Identity(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_goes_to_its_registry_and_its_partner_only() {
        for (registry, realm, want) in [
            ("https://r.example/", "https://r.example/token", true),
            ("https://r.example:5000/", "https://r.example/token", true),
            ("https://registry-1.docker.io/", "https://auth.docker.io/token", true),
            ("https://registry-1.docker.io/", "https://auth.docker.io.evil.example/token", false),
            ("https://r.example/", "https://auth.r.example/token", false),
            ("https://r.example/", "https://evil.example/", false),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000/t", true),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:6000/t", false),
        ] {
            assert_eq!(may_have_login(&Url::parse(registry).unwrap(), &Url::parse(realm).unwrap()), want, "{realm}");
        }
    }
}
