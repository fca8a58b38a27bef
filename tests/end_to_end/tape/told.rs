//! What people are told: how far a recording is, which RUN asked for what, and which BuildKit is too old.

use std::process::Command;

use super::origin::Origin;
use crate::rig::{run, variable};

const GET: &str = "RUN wget -O /got http://origin.example/file\n";

#[test]
fn a_terminal_shows_requests_and_bytes_while_recording() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(&format!("{GET}RUN sleep 1\n")) else { return };
    let mut lock = Command::new("script");
    let plain = project.command(&["lock"]);
    lock.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    lock.current_dir(project.path());
    lock.args(["-qec", &format!("{} lock", env!("CARGO_BIN_EXE_repro")), "/dev/null"]);
    let shown = run(&mut lock);
    assert!(shown.contains("record downloads: 1 requests, 6 bytes"), "{shown:?}");
    assert!(
        !project.repro(&["lock", "--update"]).expect(0).stderr.contains("record downloads"),
        "no terminal, no progress"
    );
}

#[test]
fn requests_are_listed_by_the_run_that_made_them() {
    let origin = Origin::start();
    origin.file("/file", "first\n").file("/other", "other\n");
    let Some(project) = origin.project(&format!("{GET}\nRUN wget -O /o http://origin.example/other\n")) else { return };
    project.repro(&["lock"]).expect(0);
    let shown = project.repro(&["tape", "show"]).expect(0).stdout;
    let lines: Vec<&str> = shown.lines().skip_while(|line| !line.contains("2 requests")).skip(1).collect();
    assert!(lines[0].starts_with("    line 2: ") && lines[0].ends_with(GET.trim_end()), "{shown}");
    assert!(lines[1].starts_with("      GET http://origin.example/file 200 sha256:"), "{shown}");
    assert!(lines[2].starts_with("    line 4: "), "{shown}");
    assert!(lines[3].starts_with("      GET http://origin.example/other 200 sha256:"), "{shown}");
    // Where it was not recorded nobody knows.
    std::fs::remove_dir_all(project.cache().join("tape-steps")).unwrap();
    let shown = project.repro(&["tape", "show"]).expect(0).stdout;
    assert!(shown.contains("\n    GET http://origin.example/file 200 "), "{shown}");
}

#[test]
fn a_buildkit_without_a_proxy_is_refused_with_the_version_needed() {
    let Some(old) = variable("RIG_BUILDKIT_OLD") else { return };
    let Some(project) = Origin::start().project(GET) else { return };
    let refused = project.repro(&["lock", "--addr", &old]).expect(7);
    refused.says("BuildKit is `v0.26.3`, expected v0.33.1 or newer of a daemon that others may use");
    let config = project.read(".git/config.toml");
    project.write(".git/config.toml", format!("{config}[buildkit]\nallow-shared-before = \"0.33.1\"\n"));
    let refused = project.repro(&["lock", "--addr", &old]).expect(7);
    refused.says("BuildKit is `v0.26.3`, `network = \"locked\"` needs v0.31.0 or newer");
}
