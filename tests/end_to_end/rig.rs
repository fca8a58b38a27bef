//! The rig's parts as these tests use them: a project that reaches them, and names of a test's own on its servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use crate::needs::variable;
use crate::project::{Outcome, Project};

/// A git project that reaches the rig's registry, servers and daemons.
pub fn project() -> Option<Project> {
    let mut project = Project::new();
    for name in ["REPRO_CONFIG", "BUILDKIT_HOST", "DOCKER_HOST", "DOCKER_CONFIG"] {
        project.set(name, &variable(name)?);
    }
    Some(project)
}

/// A project with one image, `app`: this manifest beside the version, this Dockerfile, committed and locked.
pub fn locked(manifest: &str, dockerfile: &str, files: &[(&str, &str)]) -> Option<Project> {
    let project = project()?;
    project.write("repro.toml", format!("version = 1\n{manifest}")).write("Dockerfile", dockerfile);
    for (path, content) in files {
        project.write(path, content);
    }
    project.commit();
    project.repro(&["lock"]).expect(0);
    Some(project)
}

/// Gives a project a configuration that also allows daemons which don't check what they unpack of bases.
pub fn allow_older_daemons(project: &mut Project) {
    let text = fs::read_to_string(variable("REPRO_CONFIG").unwrap()).unwrap();
    let path = project.home().join("older.toml");
    fs::write(&path, format!("{text}\n[buildkit]\nallow-shared-before = \"0.33.1\"\n")).unwrap();
    project.set("REPRO_CONFIG", path.to_str().unwrap());
}

/// The digest of the first image's first platform in what `build --format json` printed.
#[track_caller]
pub fn manifest_digest(outcome: Outcome) -> String {
    let document = outcome.expect(0).json();
    document["images"][0]["platforms"][0]["manifest"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned()
}

/// Runs a program, which must succeed, and gives its trimmed output.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs crane against the rig's registry.
#[track_caller]
pub fn crane(arguments: &[&str]) -> String {
    run(Command::new("crane").args(arguments).arg("--insecure"))
}

/// The rig's name of `spine/NAME`, which `registry.example/spine/NAME` reaches.
pub fn registry_name(name: &str) -> String {
    format!("{}/spine/{name}", variable("RIG_REGISTRY").unwrap())
}

/// Makes an image for linux/amd64 that is `name`'s own: busybox with a label. Gives its digest.
pub fn push_base(name: &str, label: &str) -> String {
    let busybox = format!("{}/busybox:1", variable("RIG_REGISTRY").unwrap());
    let target = registry_name(name);
    crane(&["copy", "--platform", "linux/amd64", &busybox, &target]);
    crane(&["mutate", &target, "--label", &format!("spine={label}"), "--tag", &target]);
    crane(&["digest", &target])
}

/// A file on the rig's web server, in a directory of the test's own.
pub struct Served {
    path: PathBuf,
    /// The URL under which manifests and Dockerfiles name it.
    pub url: String,
}

impl Served {
    /// Serves `content`.
    pub fn new(test: &str, content: &str) -> Self {
        let directory = Path::new(&variable("RIG_FILES_ROOT").unwrap()).join("spine").join(test);
        fs::remove_dir_all(&directory).ok();
        fs::create_dir_all(&directory).unwrap();
        let served = Self { path: directory.join("file"), url: format!("https://files.example/spine/{test}/file") };
        served.set(content);
        served
    }

    /// Serves other content from now on.
    pub fn set(&self, content: &str) {
        fs::write(&self.path, content).unwrap();
        run(Command::new("touch").args(["-d", "@1600000000"]).arg(&self.path));
    }

    /// Changes the server's responses, as the rig's README says.
    pub fn response(&self, rules: &str) {
        fs::write(self.path.with_extension("serve"), rules).unwrap();
    }
}
