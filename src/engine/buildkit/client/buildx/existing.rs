//! A builder of the user's own: what buildx knows of it, and how its daemon is asked.
//!
//! buildx has no command that says what a daemon is and what it recorded; `buildctl` has, so this finds a way for it: in
//! the container of the node, or to the remote address that the node has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::programs::Programs;
use crate::build::Surroundings;
use crate::engine::buildkit::command::{ask, follow};
use crate::engine::buildkit::daemon::Control;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::escape;
use crate::input::open_regular;
use crate::json;
use crate::limits::Limits;
use crate::platform::Platform;
use crate::process::Command;

/// A builder as buildx keeps it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Existing {
    name: String,
    #[serde(default)]
    driver: String,
    #[serde(default)]
    nodes: Vec<Node>,
}

/// One daemon of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    name: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    platforms: Option<Vec<RawPlatform>>,
    #[serde(default)]
    driver_opts: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// Where buildx keeps the user's builders.
pub fn directory(host: &Host) -> Option<PathBuf> {
    let variable = |name: &str| host.environment.get(name).map(PathBuf::from);
    let config = || variable("DOCKER_CONFIG").or_else(|| variable("HOME").map(|home| home.join(".docker")));
    variable("BUILDX_CONFIG").or_else(|| config().map(|config| config.join("buildx")))
}

impl Existing {
    /// Reads what buildx knows of `builder`.
    pub fn read(directory: &Path, builder: &str, limits: &Limits) -> Result<Self, BuildKitError> {
        let shown = escape::text(builder);
        let is_name = !builder.is_empty() && !builder.contains(['/', '\0']) && !builder.starts_with('.');
        let path = directory.join("instances").join(builder);
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(open_regular(&path)?, limits.json_bytes), &mut bytes)?;
            Ok(bytes)
        };
        let bytes = match is_name.then(read) {
            Some(Ok(bytes)) => bytes,
            _ => {
                return Err(BuildKitError::Unusable {
                    message: format!("buildx knows no builder `{shown}` whose daemon could be asked"),
                    fix: "`docker buildx ls` lists them; the plain docker driver can't be used: \
                          `docker buildx create --name NAME --driver docker-container` makes a builder that can"
                        .to_owned(),
                });
            }
        };
        let found: Self = json::parse(&bytes, limits).map_err(|error| BuildKitError::Unusable {
            message: format!("what buildx keeps of the builder `{shown}` can't be read: {error}"),
            fix: format!("`docker buildx rm {shown}`, and create it anew"),
        })?;
        match found.driver.as_str() {
            "docker-container" | "remote" if !found.nodes.is_empty() => Ok(found),
            "kubernetes" => Err(BuildKitError::Unusable {
                message: format!(
                    "the builder `{shown}` runs on kubernetes, where its daemon is reached by buildctl alone"
                ),
                fix: "`--engine buildctl --addr \"kube-pod://POD?namespace=NAMESPACE&container=buildkitd\"`".to_owned(),
            }),
            driver => Err(BuildKitError::Unusable {
                message: format!(
                    "the builder `{shown}` has the driver `{}`, expected docker-container or remote",
                    escape::text(driver)
                ),
                fix: "`docker buildx create --name NAME --driver docker-container` makes a builder that can be used"
                    .to_owned(),
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node that buildx gives a build for `platform`: the first that runs it, else the first.
    fn node(&self, platform: &Platform) -> Option<&Node> {
        let runs = |node: &&Node| {
            node.platforms
                .iter()
                .flatten()
                .any(|raw| Platform::new(&raw.os, &raw.architecture, Some(&raw.variant)) == *platform)
        };
        self.nodes.iter().find(runs).or(self.nodes.first())
    }

    /// Whether its daemon for `platform` is on this machine's network.
    pub fn shares_network(&self, platform: &Platform) -> bool {
        self.node(platform).is_some_and(|node| match self.driver.as_str() {
            "remote" => node.endpoint.starts_with("unix://"),
            _ => node.option("network") == Some("host"),
        })
    }

    /// Wakes it, and gives the way to its daemon for `platform`.
    pub fn start(
        &self,
        programs: &Programs,
        host: &Host,
        platform: &Platform,
        surroundings: &Surroundings<'_>,
    ) -> Result<Control, BuildKitError> {
        let wake = programs.buildx.clone().args(["inspect", "--bootstrap", &self.name]);
        let finished = follow(&wake, surroundings, &|line| surroundings.progress.log(line))?;
        if !finished.succeeded() {
            return Err(BuildKitError::Unusable {
                message: format!(
                    "the builder `{}` does not start: {}",
                    escape::text(&self.name),
                    finished.log.last(2).join("; ")
                ),
                fix: format!("`docker buildx inspect --bootstrap {}` says more", escape::text(&self.name)),
            });
        }
        let control = self.control(programs, host, platform)?;
        ask(&control.0.clone().args(["debug", "workers"]), surroundings)?;
        Ok(control)
    }

    /// The way to its daemon for `platform`.
    pub fn control(&self, programs: &Programs, host: &Host, platform: &Platform) -> Result<Control, BuildKitError> {
        let missing = || BuildKitError::Unusable {
            message: format!("the builder `{}` has no node", escape::text(&self.name)),
            fix: "`docker buildx create --append` adds one".to_owned(),
        };
        let node = self.node(platform).ok_or_else(missing)?;
        if self.driver == "docker-container" {
            let mut docker = programs.docker.clone();
            if node.endpoint.contains("://") {
                docker = docker.args(["--host", &node.endpoint]);
            } else if !node.endpoint.is_empty() {
                docker = docker.args(["--context", &node.endpoint]);
            }
            return Ok(Control(docker.args(["exec", &format!("buildx_buildkit_{}", node.name), "buildctl"])));
        }
        let program = host.programs.find("buildctl").ok_or_else(|| BuildKitError::Missing {
            engine: "buildx",
            lacks: format!(
                "the remote builder `{}` is asked by `buildctl`, which is not on PATH",
                escape::text(&self.name)
            ),
            fix: "install BuildKit: https://github.com/moby/buildkit/releases".to_owned(),
        })?;
        let mut command = Command::new(program, programs.buildx.environment.clone(), programs.buildx.directory.clone())
            .args(["--addr", &node.endpoint]);
        for (option, flag) in
            [("cacert", "--tlscacert"), ("cert", "--tlscert"), ("key", "--tlskey"), ("servername", "--tlsservername")]
        {
            if let Some(value) = node.option(option) {
                command = command.args([flag, value]);
            }
        }
        Ok(Control(command))
    }
}

impl Node {
    fn option(&self, name: &str) -> Option<&str> {
        self.driver_opts.as_ref()?.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Existing, BuildKitError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("instances")).unwrap();
        std::fs::write(directory.path().join("instances/b"), text).unwrap();
        Existing::read(directory.path(), "b", &Limits::default())
    }

    #[test]
    fn the_node_that_runs_the_platform_is_asked() {
        let found = read(
            r#"{"Name":"b","Driver":"remote","Nodes":[
                {"Name":"b0","Endpoint":"unix:///a","Platforms":[{"architecture":"amd64","os":"linux"}]},
                {"Name":"b1","Endpoint":"tcp://h:1","Platforms":[{"architecture":"arm64","os":"linux"}],"DriverOpts":{"cacert":"/c"}}],
                "Dynamic":false}"#,
        )
        .unwrap();
        let node = |platform: &str| found.node(&platform.parse().unwrap()).unwrap().name.clone();
        assert_eq!([node("linux/amd64"), node("linux/arm64"), node("linux/s390x")], ["b0", "b1", "b0"]);
        assert!(found.shares_network(&"linux/amd64".parse().unwrap()));
        assert!(!found.shares_network(&"linux/arm64".parse().unwrap()));
    }

    #[test]
    fn a_builder_that_can_not_be_asked_is_refused_with_what_would_do() {
        for (text, want) in [
            (r#"{"Name":"b","Driver":"docker","Nodes":[]}"#, "has the driver `docker`"),
            (r#"{"Name":"b","Driver":"kubernetes","Nodes":[{"Name":"b0"}]}"#, "runs on kubernetes"),
            ("nonsense", "can't be read"),
        ] {
            assert!(read(text).unwrap_err().to_string().contains(want), "{text}");
        }
        let nowhere = Existing::read(Path::new("/nonexistent"), "../x", &Limits::default()).unwrap_err();
        assert!(nowhere.to_string().contains("knows no builder `../x`"));
    }
}
