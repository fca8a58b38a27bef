//! Builds that are interrupted or killed leave nothing, or nothing that the next run does not remove.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::project::Project;
use crate::rig::{locked, run};

const SLOW: &str = "FROM registry.example/busybox:1\nRUN sleep 50\n";

/// A build that has come as far as its engine's program.
fn building(project: &Project) -> Child {
    let mut command = project.command(&["build", "--no-cache", "-o", ".git/out.tar"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while children(child.id()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "the engine was not started");
        sleep(Duration::from_millis(100));
    }
    sleep(Duration::from_secs(2));
    child
}

fn children(process: u32) -> String {
    let output = Command::new("ps").args(["--ppid", &process.to_string(), "-o", "pid="]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn runs(project: &Project) -> usize {
    fs::read_dir(project.cache().join("work")).map_or(0, Iterator::count)
}

#[test]
fn an_interrupted_build_ends_with_130_and_leaves_nothing() {
    let Some(project) = locked("[image.app]\n", SLOW, &[]) else { return };
    let mut child = building(&project);
    let engine = children(child.id());
    run(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let started = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(!project.path().join(".git/out.tar").exists());
    assert_eq!(runs(&project), 0);
    for process in engine.split_whitespace() {
        assert!(fs::metadata(format!("/proc/{process}")).is_err(), "process {process} is left");
    }
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_the_next() {
    let Some(project) = locked("[image.app]\n", SLOW, &[]) else { return };
    let mut child = building(&project);
    let engine = children(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(runs(&project) > 0);
    assert!(!project.path().join(".git/out.tar").exists());
    for process in engine.split_whitespace() {
        Command::new("kill").arg(process).stderr(Stdio::null()).status().unwrap();
    }
    project.write("Dockerfile", "FROM registry.example/busybox:1\nCOPY repro.toml /\n");
    project.repro(&["build"]).expect(0);
    assert_eq!(runs(&project), 0);
}
