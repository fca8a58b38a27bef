//! A private docker configuration: the user's logins and context, none of the rest.
//!
//! The user's own may hold proxies, which docker turns into build arguments, plugins and features.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::scoped_logins::{Chosen, SeveralLogins, one_for_each_host};
use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::input::open_regular;
use crate::json;
use crate::limits::Limits;
use crate::lockfile::Pin;

const KEPT: [&str; 4] = ["auths", "credHelpers", "credsStore", "currentContext"];

/// Makes the directory `docker` in `work`, and gives its path. Files in it can be read by their owner only.
///
/// Also gives the registries that one login is not enough for.
pub fn write(
    host: &Host,
    plan: &Plan,
    work: &Path,
    limits: &Limits,
) -> Result<(PathBuf, Vec<SeveralLogins>), BuildKitError> {
    let (kept, chosen) = kept(host, &plan.pins, limits)?;
    Ok((write_directory(host, &kept, work)?, chosen.several))
}

/// The same where the user's own configuration has logins of repositories, which no client of BuildKit understands.
pub fn write_if_scoped(
    host: &Host,
    plan: &Plan,
    work: &Path,
    limits: &Limits,
) -> Result<(Option<PathBuf>, Vec<SeveralLogins>), BuildKitError> {
    let (kept, chosen) = kept(host, &plan.pins, limits)?;
    let directory = if chosen.is_changed { Some(write_directory(host, &kept, work)?) } else { None };
    Ok((directory, chosen.several))
}

/// What is kept of the user's own configuration, and what became of its logins for these pins.
fn kept(host: &Host, pins: &[Pin], limits: &Limits) -> Result<(Map<String, Value>, Chosen), BuildKitError> {
    let mut kept = Map::new();
    let own = users_directory(host).map(|own| read(&own.join("config.json"), limits)).transpose()?.flatten();
    let Some(Value::Object(mut config)) = own else { return Ok((kept, Chosen::default())) };
    for key in KEPT {
        if let Some(value) = config.remove(key) {
            kept.insert(key.to_owned(), value);
        }
    }
    let chosen = match kept.get_mut("auths") {
        Some(Value::Object(auths)) => one_for_each_host(auths, pins),
        _ => Chosen::default(),
    };
    Ok((kept, chosen))
}

fn write_directory(host: &Host, kept: &Map<String, Value>, work: &Path) -> Result<PathBuf, BuildKitError> {
    let directory = work.join("docker");
    fs::DirBuilder::new().mode(0o700).create(&directory).map_err(BuildKitError::io(&directory))?;
    if let Some(own) = users_directory(host) {
        let contexts = own.join("contexts");
        if contexts.is_dir() {
            let link = directory.join("contexts");
            symlink(&contexts, &link).map_err(BuildKitError::io(&link))?;
        }
    }
    let path = directory.join("config.json");
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(BuildKitError::io(&path))?;
    file.write_all(Value::Object(kept.clone()).to_string().as_bytes()).map_err(BuildKitError::io(&path))?;
    Ok(directory)
}

fn users_directory(host: &Host) -> Option<PathBuf> {
    let named = host.environment.get("DOCKER_CONFIG").map(PathBuf::from);
    named.or_else(|| host.environment.get("HOME").map(|home| Path::new(home).join(".docker")))
}

fn read(path: &Path, limits: &Limits) -> Result<Option<Value>, BuildKitError> {
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BuildKitError::io(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limits.json_bytes + 1).read_to_end(&mut bytes).map_err(BuildKitError::io(path))?;
    match json::parse(&bytes, limits) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(BuildKitError::Unusable {
            message: format!("`{}`: {error}", path.display()),
            fix: "fix docker's configuration, or name another with `DOCKER_CONFIG`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Environment;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn logins_are_kept_and_proxies_are_not() {
        let (user, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let text =
            r#"{"auths":{"r.example":{"auth":"eA=="}},"proxies":{"default":{"httpProxy":"http://p"}},"psFormat":"x"}"#;
        fs::write(user.path().join("config.json"), text).unwrap();
        let environment = Environment::new([("DOCKER_CONFIG", user.path().as_os_str())]);
        let host = Host { environment, ..Host::default() };
        let (kept, _) = kept(&host, &[], &Limits::default()).unwrap();
        let directory = write_directory(&host, &kept, work.path()).unwrap();
        let path = directory.join("config.json");
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"auths":{"r.example":{"auth":"eA=="}}}"#);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
