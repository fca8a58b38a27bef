//! The user's logins: docker's `config.json`, podman's `auth.json`, and the credential helpers that they name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, PAD};
use serde::Deserialize;

use super::credential::Credential;
use super::credential_helper;
use crate::escape;
use crate::http::Secret;
use crate::input::open_regular;
use crate::process::Programs;
use crate::progress::Progress;

/// Bytes of one login file.
const LARGEST_FILE: u64 = 4 << 20;
pub(super) const HUB: &str = "https://index.docker.io/v1/";
pub(super) const HUB_HOSTS: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io"];

/// Where logins are looked for. The default finds none.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    /// A login that counts before those of files, and the host that it is for.
    pub given: Option<(String, Credential)>,
    /// Files in the form of docker's `config.json`, the first that has a login decides; absent ones are skipped.
    pub files: Vec<PathBuf>,
    /// Where credential helpers are found; they run in the user's own environment.
    pub programs: Programs,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Logins {
    /// One login, whatever the files hold.
    pub fn of_one(host: &str, user: &str, password: &Secret) -> Self {
        let host = if HUB_HOSTS.contains(&host) { "registry-1.docker.io" } else { host };
        let credential = Credential::Password { user: user.to_owned(), password: password.clone() };
        Self { given: Some((host.to_owned(), credential)), ..Self::default() }
    }

    /// The login files that podman and docker use (containers-auth.json(5)): `variable` gives the value of an
    /// environment variable, `user` is the user's number.
    ///
    /// `REGISTRY_AUTH_FILE` alone where it is set; else podman's file of this session, podman's lasting file, docker's.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>, user: u32, programs: Programs) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(file) = path("REGISTRY_AUTH_FILE") {
            return Self { given: None, files: vec![file], programs };
        }
        let home = path("HOME");
        let session = path("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers"));
        let session = session.unwrap_or_else(|| PathBuf::from(format!("/run/containers/{user}")));
        let settings = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        let docker = path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
        let files = [
            Some(session.join("auth.json")),
            settings.map(|settings| settings.join("containers").join("auth.json")),
            docker.map(|docker| docker.join("config.json")),
        ];
        Self { given: None, files: files.into_iter().flatten().collect(), programs }
    }

    /// The login for a repository on `host` (`HOST[:PORT]`), if the user has one.
    ///
    /// What can't be read is told as a warning and taken for no login.
    pub(super) fn find(&self, host: &str, repository: &str, progress: &dyn Progress) -> Option<Credential> {
        if let Some((_, credential)) = self.given.as_ref().filter(|(of, _)| of == host) {
            return Some(credential.clone());
        }
        for path in &self.files {
            let name = escape::name(path.as_os_str().as_encoded_bytes());
            let file = match read(path) {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(reason) => {
                    progress.warn(&format!("logins in `{name}` are not used: {reason}"));
                    continue;
                }
            };
            match file.find(host, repository, &self.programs) {
                Ok(Some(login)) => return Some(login),
                Ok(None) => {}
                Err(reason) => progress.warn(&format!("login for `{host}` in `{name}` is not used: {reason}")),
            }
        }
        None
    }
}

fn read(path: &PathBuf) -> Result<Option<File>, String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > LARGEST_FILE => return Err("the file is too large".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let mut text = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut text));
    read.map_err(|error| error.to_string())?;
    // The parser's message may quote what it read.
    serde_json::from_slice(&text).map(Some).map_err(|error| format!("no such JSON as expected, line {}", error.line()))
}

impl File {
    fn find(&self, host: &str, repository: &str, programs: &Programs) -> Result<Option<Credential>, String> {
        let is_hub = HUB_HOSTS.contains(&host);
        let server = if is_hub { HUB } else { host };
        let same_host = |key: &str| {
            let key = host_of(key);
            key == host || (is_hub && HUB_HOSTS.contains(&key))
        };
        let helper = self.cred_helpers.iter().find(|(key, _)| same_host(key)).map(|(_, helper)| helper);
        if let Some(helper) = helper.filter(|helper| !helper.is_empty()) {
            return credential_helper::ask(helper, server, programs);
        }
        if let Some(entry) = self.entry(host, repository, &same_host)
            && let Some(login) = entry.login()?
        {
            return Ok(Some(login));
        }
        match &self.creds_store {
            Some(store) if !store.is_empty() => credential_helper::ask(store, server, programs),
            _ => Ok(None),
        }
    }

    /// The entry for the repository, the namespaces above it, then the host, as podman looks for them.
    fn entry(&self, host: &str, repository: &str, same_host: &dyn Fn(&str) -> bool) -> Option<&Entry> {
        let mut name = format!("{host}/{repository}");
        loop {
            if let Some(entry) = self.auths.get(&name) {
                return Some(entry);
            }
            match name.rfind('/') {
                Some(slash) => name.truncate(slash),
                None => break,
            }
        }
        self.auths.iter().find(|(key, _)| same_host(key)).map(|(_, entry)| entry)
    }
}

/// The host of a key, which docker writes as a host or as a URL.
fn host_of(key: &str) -> &str {
    match key.split_once("://") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(rest),
        None => key.trim_end_matches('/'),
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Credential>, String> {
        if let Some(token) = self.identitytoken.as_deref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credential::Identity(Secret::new(token))));
        }
        if let Some(auth) = self.auth.as_deref().filter(|auth| !auth.is_empty()) {
            let padding = base64::engine::DecodePaddingMode::Indifferent;
            let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new());
            let lenient = GeneralPurpose::new(&base64::alphabet::STANDARD, PAD.with_decode_padding_mode(padding));
            let bytes = engine.decode(auth).or_else(|_| lenient.decode(auth));
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or("`auth` is not base64 text")?;
            let (user, password) = text.split_once(':').ok_or("`auth` holds no `USER:PASSWORD`")?;
            // docker pads with NUL bytes.
            let password = Secret::new(password.trim_end_matches('\0'));
            return Ok(Some(Credential::Password { user: user.to_owned(), password }));
        }
        Ok(match (&self.username, &self.password) {
            (Some(user), Some(password)) if !user.is_empty() => {
                Some(Credential::Password { user: user.clone(), password: Secret::new(password.clone()) })
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::progress::Silent;

    fn find(json: &str, host: &str, repository: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.json");
        fs::write(&file, json).unwrap();
        let logins =
            Logins { given: None, files: vec![directory.path().join("absent"), file], programs: Programs::default() };
        logins.find(host, repository, &Silent).map(|login| match login {
            Credential::Password { user, password } => format!("{user}:{}", password.expose()),
            Credential::Identity(token) => token.expose().to_owned(),
        })
    }

    #[test]
    fn a_login_is_found_by_repository_namespace_and_host() {
        let json = r#"{"auths":{
            "r.example/team/app":{"username":"app","password":"1"},
            "r.example/team":{"auth":"dGVhbToy"},
            "https://r.example/v1/":{"auth":"cm9vdDoz"},
            "p.example:5000":{"identitytoken":"id"},
            "https://index.docker.io/v1/":{"auth":"aHViOjQ"},
            "empty.example":{}}}"#;
        for (host, repository, want) in [
            ("r.example", "team/app", Some("app:1")),
            ("r.example", "team/other", Some("team:2")),
            ("r.example", "x", Some("root:3")),
            ("r.example:444", "x", None),
            ("p.example:5000", "x", Some("id")),
            ("p.example", "x", None),
            ("registry-1.docker.io", "library/alpine", Some("hub:4")),
            ("empty.example", "x", None),
            ("evil.example", "r.example/team", None),
        ] {
            assert_eq!(find(json, host, repository).as_deref(), want, "{host} {repository}");
        }
    }

    #[test]
    fn the_usual_places_are_looked_at() {
        let files = |variables: &[(&str, &str)]| {
            let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
            let logins = Logins::from_variables(value, 7, Programs::default());
            logins.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        let of_user = "/run/containers/7/auth.json";
        assert_eq!(files(&[]), [of_user]);
        assert_eq!(files(&[("HOME", "/h")]), [of_user, "/h/.config/containers/auth.json", "/h/.docker/config.json"]);
        let all = [("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "/d")];
        assert_eq!(files(&all), ["/r/containers/auth.json", "/c/containers/auth.json", "/d/config.json"]);
        assert_eq!(files(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a"), ("DOCKER_CONFIG", "/d")]), ["/a"]);
        assert_eq!(files(&[("REGISTRY_AUTH_FILE", ""), ("XDG_RUNTIME_DIR", "/r")]), ["/r/containers/auth.json"]);
    }

    #[test]
    fn broken_files_and_entries_are_no_login() {
        for json in ["", "[]", "{\"auths\":1}", r#"{"auths":{"h":{"auth":"!"}}}"#, r#"{"credHelpers":{"h":"../evil"}}"#]
        {
            assert_eq!(find(json, "h", "x"), None, "{json}");
        }
    }
}
