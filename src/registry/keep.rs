//! Keeping and forgetting logins: in the helper that the login file names, else in the file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::credential_helper;
use super::login::{HUB, HUB_HOSTS, Logins};
use crate::escape;
use crate::http::Secret;
use crate::status::{ExitStatus, Status};

/// Where a login is kept now, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A credential helper, by its name.
    Helper(String),
    /// A login file, where passwords are as good as readable.
    File(PathBuf),
}

/// A login can't be kept or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is no file to keep it in.
    #[error("no place for logins: none of `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG` and `HOME` is set")]
    NoPlace,
    /// The login file is not as it should be.
    #[error("`{path}`: {reason}")]
    File {
        /// The file, safe to print.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The helper does not do it.
    #[error("the login is not kept: {0}")]
    Helper(String),
    /// There is no such login.
    #[error("no login for `{}` is kept", escape::text(.0))]
    None(String),
}

impl ExitStatus for KeepError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Logins {
    /// Keeps a login for `host`.
    pub fn keep(&self, host: &str, user: &str, password: &Secret) -> Result<Keeper, KeepError> {
        let path = self.target()?;
        let mut document = read(path)?;
        let key = key(host);
        if let Some(helper) = helper(&document, host) {
            let given = serde_json::json!({"ServerURL": key, "Username": user, "Secret": password.expose()});
            credential_helper::tell(&helper, "store", &given.to_string(), &self.programs).map_err(KeepError::Helper)?;
            return Ok(Keeper::Helper(helper));
        }
        let auth = STANDARD.encode(format!("{user}:{}", password.expose()));
        let auths = auths(&mut document, path)?;
        auths.insert(key, serde_json::json!({ "auth": auth }));
        write(path, &document)?;
        Ok(Keeper::File(path.clone()))
    }

    /// Forgets the login for `host`, wherever one is kept; tells where that was.
    pub fn forget(&self, host: &str) -> Result<Vec<Keeper>, KeepError> {
        let mut keepers = Vec::new();
        for path in &self.files {
            let mut document = read(path)?;
            if let Some(helper) = helper(&document, host)
                && matches!(credential_helper::ask(&helper, &key(host), &self.programs), Ok(Some(_)))
            {
                credential_helper::tell(&helper, "erase", &key(host), &self.programs).map_err(KeepError::Helper)?;
                keepers.push(Keeper::Helper(helper));
            }
            let auths = auths(&mut document, path)?;
            let before = auths.len();
            auths.retain(|known, _| !is_of(known, host));
            if auths.len() < before {
                write(path, &document)?;
                keepers.push(Keeper::File(path.clone()));
            }
        }
        if keepers.is_empty() { Err(KeepError::None(host.to_owned())) } else { Ok(keepers) }
    }

    /// The file that new logins go to: the first that is there, else docker's.
    fn target(&self) -> Result<&PathBuf, KeepError> {
        self.files.iter().find(|file| file.exists()).or(self.files.last()).ok_or(KeepError::NoPlace)
    }
}

/// What logins for `host` are kept under.
fn key(host: &str) -> String {
    if HUB_HOSTS.contains(&host) { HUB.to_owned() } else { host.to_owned() }
}

fn is_of(known: &str, host: &str) -> bool {
    let bare = known.split_once("://").map_or(known, |(_, rest)| rest);
    let bare = if known.contains("://") { bare.split('/').next().unwrap_or(bare) } else { bare };
    bare == host || (HUB_HOSTS.contains(&host) && HUB_HOSTS.contains(&bare))
}

/// The helper that the file names for `host`, or for all.
fn helper(document: &Map<String, Value>, host: &str) -> Option<String> {
    let of_host = document.get("credHelpers").and_then(Value::as_object).and_then(|helpers| {
        let found = helpers.iter().find(|(known, _)| is_of(known, host))?;
        found.1.as_str()
    });
    of_host.or_else(|| document.get("credsStore")?.as_str()).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn wrong(path: &Path, reason: impl ToString) -> KeepError {
    KeepError::File { path: escape::name(path.as_os_str().as_encoded_bytes()), reason: reason.to_string() }
}

fn read(path: &Path) -> Result<Map<String, Value>, KeepError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(wrong(path, error)),
    };
    // The parser's message may quote what it read.
    serde_json::from_slice(&text).map_err(|error| wrong(path, format!("no JSON object, line {}", error.line())))
}

fn auths<'a>(document: &'a mut Map<String, Value>, path: &Path) -> Result<&'a mut Map<String, Value>, KeepError> {
    let auths = document.entry("auths").or_insert_with(|| Value::Object(Map::new()));
    auths.as_object_mut().ok_or_else(|| wrong(path, "`auths` is no object"))
}

/// Replaces the file, for its owner alone; what else it holds stays as it is, sorted.
fn write(path: &Path, document: &Map<String, Value>) -> Result<(), KeepError> {
    let sorted: BTreeMap<&String, &Value> = document.iter().collect();
    let text = serde_json::to_string_pretty(&sorted).map_err(|error| wrong(path, error))? + "\n";
    let put = || -> io::Result<()> {
        // A link is the user's own: what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        crate::store::make_private_directory(directory)?;
        let name =
            format!(".{}.repro-{}", target.file_name().unwrap_or_default().to_string_lossy(), std::process::id());
        let temporary = directory.join(name);
        let written = (|| {
            let mut file: File = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &target)
        })();
        if written.is_err() {
            // It may not have been made.
            let _ = fs::remove_file(&temporary);
        }
        written
    };
    put().map_err(|error| wrong(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Programs;

    #[test]
    fn a_login_is_kept_beside_what_else_the_file_holds_and_forgotten_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/config.json");
        let logins = Logins {
            given: None,
            files: vec![directory.path().join("absent.json"), path.clone()],
            programs: Programs::default(),
        };
        let secret = Secret::new("word");
        assert_eq!(logins.keep("r.example:5000", "me", &secret).unwrap(), Keeper::File(path.clone()));
        let mut document = read(&path).unwrap();
        document.insert("detachKeys".to_owned(), "ctrl-x".into());
        write(&path, &document).unwrap();
        logins.keep("docker.io", "hub", &secret).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("ctrl-x") && text.contains("https://index.docker.io/v1/"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let found = |host| logins.find(host, "x", &crate::parts::progress::Silent).is_some();
        assert!(found("r.example:5000") && found("registry-1.docker.io") && !found("r.example"));
        assert_eq!(logins.forget("r.example:5000").unwrap(), [Keeper::File(path.clone())]);
        assert!(!found("r.example:5000") && found("registry-1.docker.io"));
        assert!(matches!(logins.forget("r.example:5000"), Err(KeepError::None(_))));
        fs::write(&path, "secret words").unwrap();
        assert!(!logins.keep("r.example", "me", &secret).unwrap_err().to_string().contains("secret words"));
    }

    #[test]
    fn a_helper_keeps_what_the_file_names_it_for() {
        let directory = tempfile::tempdir().unwrap();
        let (kept, path) = (directory.path().join("kept"), directory.path().join("config.json"));
        let script = directory.path().join("docker-credential-own");
        let text = format!(
            "#!/bin/sh\ncase $1 in store) cat > {0};; get) cat >/dev/null; cat {0};; erase) rm {0};; esac\n",
            kept.display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&path, r#"{"credsStore":"own"}"#).unwrap();
        let programs = Programs::from_path(directory.path().as_os_str());
        let logins = Logins { given: None, files: vec![path.clone()], programs };
        let keeper = Keeper::Helper("own".to_owned());
        assert_eq!(logins.keep("r.example", "me", &Secret::new("word")).unwrap(), keeper);
        assert!(fs::read_to_string(&kept).unwrap().contains("word"));
        assert!(!fs::read_to_string(&path).unwrap().contains("word"));
        assert_eq!(logins.forget("r.example").unwrap(), [keeper]);
        assert!(!kept.exists());
    }
}
