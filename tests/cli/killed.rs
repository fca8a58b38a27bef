//! `repro` is killed at any moment: no child outlives it, and the next run sweeps away what it left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::project::Project;

const KILLS: u64 = 100;

/// A `buildctl` that never responses and has no children of its own; gives its path, which stands among its arguments.
fn sleeping_buildctl(project: &Project) -> String {
    project.write("bin/buildctl", "#!/bin/sh\nkill -STOP $$\n");
    let program = project.path().join("bin/buildctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

/// Processes among whose arguments `word` is.
fn processes(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        // A zombie has no arguments.
        if line.contains(word) {
            found.push(line);
        }
    }
    found
}

fn wait_until(mut is_done: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_done() {
        if started.elapsed() > Duration::from_secs(20) {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

#[test]
fn no_child_outlives_a_run_that_is_killed() {
    let project = Project::new();
    project.write("Dockerfile", "FROM scratch\nCOPY a /\nRUN [\"/a\"]\n").write("a", "a");
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n").commit();
    assert_eq!(project.repro(&["lock"]).status, 0);
    let word = sleeping_buildctl(&project);
    let path = format!("{}:/usr/bin:/bin", project.path().join("bin").display());
    let mut seen = 0;
    for round in 0..KILLS {
        let plain = project.command(&["build", "--engine", "buildctl", "--addr", "unix:///nowhere"]);
        // Whoever runs the tests in the background may have had SIGQUIT ignored.
        let mut command = Command::new("/usr/bin/env");
        command.arg("--default-signal=QUIT").arg(plain.get_program()).args(plain.get_args());
        command.current_dir(project.path()).env_clear().stdin(Stdio::null());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", &path).stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = command.spawn().unwrap();
        let is_there = || !processes(&word).is_empty();
        // Most often the child is there; now and then it is killed on its way.
        if round.is_multiple_of(4) {
            thread::sleep(Duration::from_millis(round / 4));
        } else {
            assert!(wait_until(is_there), "no child was started");
            seen += 1;
        }
        let signals = [Signal::KILL, Signal::ABORT, Signal::SEGV, Signal::QUIT];
        let signal = signals[((round + round / 4) % 4) as usize];
        // A violation that is only sent is passed over once by what looks for overflows of the stack.
        assert!(wait_until(|| {
            kill_process(Pid::from_child(&run), signal).unwrap();
            run.try_wait().unwrap().is_some()
        }));
        assert!(wait_until(|| processes(&word).is_empty()), "{signal:?}, round {round}: {:?}", processes(&word));
    }
    assert_eq!(seen, KILLS * 3 / 4);
    // The next run that works needs a place, and sweeps.
    let work = project.cache().join("work");
    assert!(fs::read_dir(&work).is_ok_and(|mut left| left.next().is_some()), "something was left to sweep");
    project.write("Dockerfile", "FROM scratch\nCOPY a /\n").commit();
    project.write(".repro-0123456789abcdef.part", "half of an archive");
    let built = project.repro(&["build", "-o", "app.tar"]);
    assert_eq!(built.status, 0, "{}", built.stderr);
    let left: Vec<_> = fs::read_dir(&work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!project.path().join(".repro-0123456789abcdef.part").exists());
}
