//! Builds that are interrupted or killed leave nothing, or nothing that the next run does not remove.

use std::fs;
use std::path::PathBuf;
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

/// Processes that stand in the directory of one of the project's runs.
fn programs(project: &Project) -> Vec<String> {
    let work = project.cache().join("work");
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let stands_there = |process: &PathBuf| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&work));
    processes.filter(stands_there).map(|process| process.display().to_string()).collect()
}

#[test]
fn a_hundred_kills_at_any_moment_leave_no_program_of_an_engine() {
    let Some(project) = locked("[image.app]\n", SLOW, &[]) else { return };
    let mut seen = 0;
    for round in 0..100 {
        let mut command = project.command(&["build", "--engine", "buildctl"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(round * 37 % 100 * 5));
        seen += usize::from(!programs(&project).is_empty());
        let signal = ["-KILL", "-ABRT", "-SEGV"][usize::try_from(round % 3).unwrap()];
        let killed = Instant::now();
        // A violation that is only sent is passed over once by what looks for overflows of the stack.
        while child.try_wait().unwrap().is_none() {
            Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
            sleep(Duration::from_millis(2));
        }
        while !programs(&project).is_empty() {
            assert!(killed.elapsed() < Duration::from_secs(20), "{signal}, round {round}: {:?}", programs(&project));
            sleep(Duration::from_millis(2));
        }
    }
    assert!(seen > 10, "the engine's program was there {seen} times only");
}
