//! The examples, as a reader of the README meets them: their lockfiles are true and their images come out as recorded.
//!
//! What needs the rig prints "not run: no rig" without it and passes, unless `REPRO_REQUIRE_RIG=1`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::project::Project;
use tempfile::TempDir;

/// An example and the engines that build it.
struct Example {
    name: &'static str,
    /// Whether what it fetches is served by the rig.
    remote: bool,
    engines: &'static [&'static str],
}

const EXAMPLES: [Example; 4] = [
    Example { name: "compiled", remote: false, engines: &["buildctl"] },
    Example { name: "files", remote: false, engines: &["native", "buildctl"] },
    Example { name: "remote-files", remote: true, engines: &["buildctl"] },
    Example { name: "static-site", remote: false, engines: &["native", "buildctl"] },
];

/// The variables that the rig sets and the examples need.
const RIG: [&str; 4] = ["BUILDKIT_HOST", "REPRO_CONFIG", "RIG_FILES_ROOT", "RIG_GIT_ROOT"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the rig is there, with the examples' files served; stops the test if it must be and is not.
fn rig() -> bool {
    static SERVED: OnceLock<bool> = OnceLock::new();
    *SERVED.get_or_init(|| {
        if let Some(missing) = RIG.iter().find(|name| std::env::var_os(name).is_none_or(|value| value.is_empty())) {
            assert_ne!(std::env::var("REPRO_REQUIRE_RIG").as_deref(), Ok("1"), "the rig does not set {missing}");
            crate::needs::not_run(&format!("no rig ({missing} is not set)"));
            return false;
        }
        let status = Command::new(root().join("examples/remote-files/serve")).status().unwrap();
        assert!(status.success(), "examples/remote-files/serve: {status}");
        true
    })
}

/// Runs the binary on an example below `clone` with an empty cache; it must end with 0. Returns stdout.
fn repro(clone: &Path, example: &Example, arguments: &[&str]) -> String {
    let home = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
    command.arg("-C").arg(clone.join("examples").join(example.name)).args(arguments);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home.path());
    for name in ["BUILDKIT_HOST", "REPRO_CONFIG"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {}\n{stdout}\n{stderr}", example.name, output.status);
    stdout
}

/// Verifies an example with all its engines, as far as they are there.
fn verify(clone: &Path, example: &Example) {
    for engine in example.engines {
        if (example.remote || *engine != "native") && !rig() {
            continue;
        }
        let report = repro(clone, example, &["verify", "--engine", engine, "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let platforms: Vec<_> = report["images"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|image| image["platforms"].as_array().unwrap())
            .collect();
        assert!(!platforms.is_empty(), "{} {engine}: {report}", example.name);
        for platform in platforms {
            assert_eq!(platform["verdict"], "reproduced", "{} {engine}: {report}", example.name);
        }
    }
}

/// A clone of this repository's last commit, made under a umask.
fn clone(umask: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("clone");
    let script = r#"umask "$1" && exec git clone -q --local --no-hardlinks "$2" "$3""#;
    let status = Command::new("sh").args(["-c", script, "sh", umask]).arg(root()).arg(&path).status().unwrap();
    assert!(status.success(), "git clone: {status}");
    (directory, path)
}

#[test]
fn every_example_is_tested() {
    let mut found: Vec<String> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("repro.toml").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, EXAMPLES.map(|example| example.name));
}

#[test]
fn the_readme_shows_what_is_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let site = EXAMPLES.iter().find(|example| example.name == "static-site").unwrap();
    for line in repro(root(), site, &["verify"]).lines() {
        assert!(readme.contains(&format!("    {line}\n")), "README.md lacks the line: {line}");
    }
    for block in readme.split("```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        let file = if language == "dockerfile" { "Dockerfile" } else { "repro.toml" };
        let directory = root().join("examples/remote-files");
        let lockfile = fs::read_to_string(directory.join("repro.lock")).unwrap();
        let is_part = text.lines().all(|line| line.is_empty() || lockfile.lines().any(|locked| locked == line));
        assert!(is_part || fs::read_to_string(directory.join(file)).unwrap() == text, "README.md shows:\n{text}");
    }
}

#[test]
fn every_lockfile_is_current_without_asking_anyone() {
    for example in &EXAMPLES {
        repro(root(), example, &["lock", "--check", "--offline"]);
    }
}

#[test]
fn every_image_comes_out_as_recorded() {
    for example in &EXAMPLES {
        verify(root(), example);
    }
}

#[test]
fn a_fresh_clone_under_another_umask_gives_the_same_images() {
    for umask in ["0077", "0000"] {
        let (_directory, clone) = clone(umask);
        for example in &EXAMPLES {
            repro(&clone, example, &["lock", "--check", "--offline"]);
            verify(&clone, example);
        }
    }
}

#[test]
fn the_readmes_commands_go_through_in_their_order() {
    let project = Project::new();
    project.write("f", "f").write("Dockerfile", "FROM scratch\nWORKDIR /app\nCOPY . .\n").commit();
    let readme = std::fs::read_to_string("README.md").unwrap();
    let section = readme.split("## In a project of your own").nth(1).unwrap();
    let commands = section.lines().filter(|line| line.starts_with("    ")).take(5);
    let commands: Vec<&str> = commands.map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands[3], "git add repro.toml repro.lock");
    for command in commands {
        let mut words: Vec<&str> = command.split_whitespace().collect();
        match words.remove(0) {
            "git" => drop(project.git(&words)),
            _ => drop(project.repro(&words).expect(0)),
        }
    }
    project.commit().repro(&["verify"]).expect(0);
}
