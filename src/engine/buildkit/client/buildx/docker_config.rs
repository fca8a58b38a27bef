//! A private docker configuration: the user's logins and context, none of the rest.
//!
//! The user's own may hold proxies, which docker turns into build arguments, plugins and features.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::input::open_regular;
use crate::json;
use crate::limits::Limits;

const KEPT: [&str; 4] = ["auths", "credHelpers", "credsStore", "currentContext"];

/// Makes the folder `docker` in `work`, and gives its path. Files in it can be read by their owner only.
pub fn write(host: &Host, work: &Path, limits: &Limits) -> Result<PathBuf, BuildKitError> {
    let folder = work.join("docker");
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(BuildKitError::io(&folder))?;
    let own = users_folder(host);
    let mut kept = Map::new();
    if let Some(own) = &own {
        if let Some(Value::Object(mut config)) = read(&own.join("config.json"), limits)? {
            for key in KEPT {
                if let Some(value) = config.remove(key) {
                    kept.insert(key.to_owned(), value);
                }
            }
        }
        let contexts = own.join("contexts");
        if contexts.is_dir() {
            let link = folder.join("contexts");
            symlink(&contexts, &link).map_err(BuildKitError::io(&link))?;
        }
    }
    let path = folder.join("config.json");
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(BuildKitError::io(&path))?;
    file.write_all(Value::Object(kept).to_string().as_bytes()).map_err(BuildKitError::io(&path))?;
    Ok(folder)
}

fn users_folder(host: &Host) -> Option<PathBuf> {
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
            mend: "mend docker's configuration, or name another with `DOCKER_CONFIG`".to_owned(),
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
        let folder = write(&host, work.path(), &Limits::default()).unwrap();
        let path = folder.join("config.json");
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"auths":{"r.example":{"auth":"eA=="}}}"#);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
