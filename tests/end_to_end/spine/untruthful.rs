//! Engines that die, write nonsense or claim what they did not write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::project::Project;
use crate::rig::{locked, run};

/// Puts a `buildctl` before the real one that passes everything on, and then does `after` in the build's directory.
fn meddle(project: &mut Project, after: &str) {
    let real = run(Command::new("sh").args(["-c", "command -v buildctl"]));
    let directory = project.home().join("bin");
    fs::create_dir_all(&directory).unwrap();
    let script = format!("#!/bin/sh\nset -e\n\"{real}\" \"$@\"\ncase \"$*\" in *' build '*) {after};; esac\n");
    fs::write(directory.join("buildctl"), script).unwrap();
    fs::set_permissions(directory.join("buildctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    project.set("PATH", &path);
}

#[test]
fn an_archive_that_is_malformed_or_not_what_the_engine_claims_gives_no_image() {
    let Some(mut project) = locked("[image.app]\n", "FROM scratch\nCOPY a /a\n", &[("a", "a")]) else { return };
    project.repro(&["build", "--record"]).expect(0);
    let other = format!("sha256:{}", "1".repeat(64));
    let claim = "s/\"containerimage.digest\": \"[^\"]*/\"containerimage.digest\": \"";
    for (after, status, says) in [
        ("truncate -s 3000 image.tar", 6, "the archive that buildctl wrote is malformed"),
        ("echo nonsense > image.tar", 6, "the archive that buildctl wrote is malformed"),
        ("printf x | dd of=image.tar bs=1 seek=1600 conv=notrunc 2>/dev/null", 6, "malformed"),
        (&format!("sed -i '{claim}{other}/' metadata.json"), 7, &format!("buildctl reports image manifest {other}")),
        ("echo '{}' > metadata.json", 7, "buildctl reports no image descriptor"),
    ] {
        meddle(&mut project, after);
        for arguments in [&["build", "-o", ".git/app.tar"][..], &["verify"]] {
            let outcome = project.repro(&[arguments, &["--engine", "buildctl"]].concat()).expect(status).says(says);
            assert!(!outcome.stdout.contains("sha256:"), "{outcome:?}");
            assert!(!outcome.stdout.contains("reproduced"), "{outcome:?}");
        }
        assert!(!project.path().join(".git/app.tar").exists(), "{after}");
    }
    // The wrapper alone is not what failed.
    meddle(&mut project, "true");
    project.repro(&["verify", "--engine", "buildctl"]).expect(0);
}

#[test]
fn an_engine_that_fails_without_a_word_or_cannot_be_run_is_named() {
    let Some(mut project) = locked("[image.app]\n", "FROM scratch\nCOPY a /a\n", &[("a", "a")]) else { return };
    meddle(&mut project, "exit 3");
    project.repro(&["build", "--engine", "buildctl"]).expect(5).says("ended without an error message");
    fs::write(project.home().join("bin/buildctl"), "not a program").unwrap();
    project.repro(&["build", "--engine", "buildctl"]).expect(7).says("buildctl");
}

/// The private daemon of this project and whether it runs a step: its process id once it does.
fn busy_daemon(mark: &str) -> Option<String> {
    let processes = run(Command::new("ps").args(["-eo", "pid,ppid,args"]));
    let daemon = processes.lines().find(|line| line.contains("buildkitd --config") && line.contains(mark))?;
    let pid = daemon.split_whitespace().next()?.to_owned();
    let is_step = |line: &str| line.split_whitespace().nth(1) == Some(&pid) && line.contains("runc");
    processes.lines().any(is_step).then_some(pid)
}

/// A build with a private daemon that has come as far as a step, and the daemon's process id.
fn building_alone(project: &Project) -> (Child, String) {
    let mark = project.cache().display().to_string();
    let mut command = project.command(&["build", "--engine", "buildctl", "-o", ".git/app.tar"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    let daemon = loop {
        assert!(started.elapsed() < Duration::from_secs(50), "the step did not start");
        sleep(Duration::from_millis(200));
        if let Some(daemon) = busy_daemon(&mark) {
            break daemon;
        }
    };
    (child, daemon)
}

#[test]
fn a_buildkit_that_is_killed_in_the_middle_fails_the_build_and_leaves_no_output() {
    let dockerfile = "FROM registry.example/busybox:1\nRUN sleep 30\n";
    let Some(mut project) = locked("[image.app]\n", dockerfile, &[]) else { return };
    project.set("BUILDKIT_HOST", "");
    let (child, daemon) = building_alone(&project);
    run(Command::new("kill").args(["-KILL", &daemon]));
    let killed = Instant::now();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("BuildKit ended during the build"), "{said}");
    assert!(output.stdout.is_empty() && killed.elapsed() < Duration::from_secs(30), "{:?}", killed.elapsed());
    assert!(!project.path().join(".git/app.tar").exists());
    let work = fs::read_dir(project.cache().join("work")).map_or(0, Iterator::count);
    assert_eq!(work, 0, "the run's folder is left");
    project.write("Dockerfile", "FROM registry.example/busybox:1\nRUN true\n");
    project.repro(&["build", "--engine", "buildctl"]).expect(0);
}

#[test]
fn a_private_daemon_that_outlives_a_killed_run_is_ended_by_the_next() {
    let dockerfile = "FROM registry.example/busybox:1\nRUN sleep 30\n";
    let Some(mut project) = locked("[image.app]\n", dockerfile, &[]) else { return };
    project.set("BUILDKIT_HOST", "");
    let (mut child, daemon) = building_alone(&project);
    child.kill().unwrap();
    child.wait().unwrap();
    project.write("Dockerfile", "FROM registry.example/busybox:1\nRUN true\n");
    project.repro(&["build", "--engine", "buildctl"]).expect(0);
    // What has ended but nobody has asked about is still there, without arguments.
    let arguments = fs::read(format!("/proc/{daemon}/cmdline")).unwrap_or_default();
    assert!(arguments.is_empty(), "process {daemon} is left");
}
