//! What `build --dry-run` prints is what `build` runs. No rig: a `buildctl` of the test's own writes down its arguments.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use repro::parts::digest::Digest;
use repro::parts::platform::Platform;

use crate::project::Project;
use crate::server::Server;
use crate::server::images::Shelf;

/// Stands in for BuildKit: tells its version, reaches the tape, has a certificate, and fails every build once it has
/// written down how it was asked, one argument a line.
const BUILDCTL: &str = r#"#!/bin/sh
case "$*" in
*' debug workers'*)
    echo '[{"labels":{"org.mobyproject.buildkit.worker.snapshotter":"overlayfs"},
        "platforms":[{"architecture":"ARCHITECTURE","os":"linux"}],"buildkitVersion":{"version":"v0.34.2"}}]' ;;
*context=http://*/probe*) ;;
*context=http://*/certificate*)
    printf '#7 0.1 -----BEGIN CERTIFICATE-----\n#7 0.1 AQ==\n#7 0.1 -----END CERTIFICATE-----\n' >&2 ;;
*' build '*)
    printf '%s\n' "$@" >'TRACE'
    exit 1 ;;
esac
"#;

/// The arguments of the last build, with names in place of the paths of one run.
fn traced(trace: &Path) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap();
    fs::remove_file(trace).unwrap();
    let name = |part: &str| match part.starts_with('/') {
        true => Path::new(part).file_name().unwrap().to_string_lossy().into_owned(),
        false => part.to_owned(),
    };
    let line = |line: &str| line.split_inclusive([',', '=']).map(name).collect::<String>();
    text.lines().map(line).collect()
}

/// A project whose RUN has a locked network, with an empty tape.
fn taped(registry: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nnetwork = \"locked\"\nrun-env = { A = \"b\" }\n");
    project.write("Dockerfile", format!("FROM {registry}/team/base:1\nRUN make\n")).commit();
    project.repro(&["lock", "--no-network"]).expect(0);
    let lockfile = project.read("repro.lock");
    let header = lockfile.lines().next().unwrap();
    let tape = format!("{header}\nversion 1\nplatform linux/amd64\n");
    let digest = Digest::of(tape.as_bytes());
    project.write("repro.app.tape", tape);
    project.write("repro.lock", lockfile.replacen("\n]\n", &format!("\n]\ntape = \"{digest}\"\n"), 1));
    project.commit();
    project
}

#[test]
fn a_dry_run_prints_what_a_build_from_a_tape_runs() {
    let shelf = Shelf::default();
    let image = shelf.image("team/base", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("team/base", "1", &[image]);
    let server = Server::start(move |seen| shelf.response(seen));
    let project = taped(&server.host());
    let (bin, trace) = (project.home().join("bin"), project.home().join("trace"));
    fs::create_dir(&bin).unwrap();
    let script = BUILDCTL.replace("ARCHITECTURE", &Platform::of_this_machine().architecture);
    fs::write(bin.join("buildctl"), script.replace("TRACE", trace.to_str().unwrap())).unwrap();
    fs::set_permissions(bin.join("buildctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let repro = |arguments: &[&str]| {
        let build = ["build", "--engine", "buildctl", "--addr", "tcp://127.0.0.1:1"];
        project.command(&[&build, arguments].concat()).env("PATH", &path).output().unwrap()
    };
    let built = repro(&[]);
    assert_eq!(built.status.code(), Some(5), "{built:?}");
    let ran = traced(&trace);
    assert!(ran.iter().any(|argument| argument == "force-network-mode=host"), "{ran:?}");
    let printed = repro(&["--dry-run"]);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    assert!(!trace.exists(), "a dry run runs nothing");
    let script = String::from_utf8(printed.stdout).unwrap();
    Command::new("sh").args(["-c", &script]).env("PATH", &path).output().unwrap();
    assert_eq!(traced(&trace), ran, "{script}");
}
