//! What a step can't reach, tried with harmless probes, and what is left of one whose engine is killed.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::project::Project;

use super::{can_run, corpus};

/// A project on the base `box`, locked.
fn project(dockerfile: &str) -> Project {
    let project = Project::bare();
    let layout = json!(format!("oci-layout://{}", corpus().join("bases/box").display()));
    project.write("Dockerfile", format!("FROM base.example/box:1\n{dockerfile}")).write(
        "repro.toml",
        format!(
            "version = 1\n[image.case]\nsource-date-epoch = 1700000000\nplatforms = [\"linux/amd64\"]\n\
             [image.case.contexts]\n\"base.example/box:1\" = {layout}\n"
        ),
    );
    project.repro(&["lock"]).expect(0);
    project
}

/// What a script that must fail writes: the lines that the failure tells.
fn told(script: &str) -> String {
    let step = project(&format!("RUN <<END\n{script}\necho end; exit 3\nEND\n"));
    let outcome = step.repro(&["build", "--engine", "native"]).expect(5).says("exit code: 3").says("| end");
    outcome.stderr
}

#[test]
fn a_step_gets_at_nothing_of_the_machine() {
    if !can_run() {
        return;
    }
    let beside = tempfile::tempdir().unwrap();
    let host = beside.path().display();
    let told = told(&format!(
        "test -e {host} && echo SEES the host
mount -t tmpfs x /tmp 2>/dev/null && echo MOUNTS
mount -o remount,rw /proc/sys 2>/dev/null && echo REMOUNTS
umount /etc/hosts 2>/dev/null && echo UNMOUNTS
unshare -r true 2>/dev/null && echo UNSHARES
hostname other 2>/dev/null && echo RENAMES
(echo x > /proc/sys/kernel/core_pattern) 2>/dev/null && echo WRITES to the kernel
(echo x > /etc/hosts) 2>/dev/null && echo WRITES to hosts
for at in / /dev /tmp; do mknod $at/zero-too c 1 5 && head -c 1 $at/zero-too >/dev/null 2>&1 && echo OPENS a device in $at; done
dd if=/dev/zero of=/dev/null count=1 2>/dev/null && echo uses its own devices
chroot / true && echo changes its root
test $(ls /sys/class/net) = lo && echo has no network
test $(ls /proc | grep -c '^[0-9]') -lt 9 && echo sees its own processes
grep -q '^NoNewPrivs:.1' /proc/self/status && echo gains nothing"
    ));
    for wanted in ["uses its own devices", "changes its root", "has no network", "sees its own", "gains nothing"] {
        assert!(told.contains(&format!("| {wanted}")), "{wanted}:\n{told}");
    }
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("  | ")).collect();
    let reached =
        lines.iter().filter(|line| line.trim_start_matches([' ', '|']).starts_with(|c: char| c.is_uppercase()));
    assert_eq!(reached.count(), 0, "{told}");
}

#[test]
fn a_verdict_says_where_programs_could_have_gained_rights() {
    if !can_run() {
        return;
    }
    // The base has a file with set-user-id, and one with a capability.
    let step = project("RUN true\n");
    let built = step.repro(&["build", "--engine", "native"]).expect(0);
    assert!(built.stderr.contains("files of the build have them"), "{built:?}");
    // An image that no step made has nothing to say.
    let copied = project("COPY repro.toml /\n");
    let built = copied.repro(&["build", "--engine", "native"]).expect(0);
    assert!(!built.stderr.contains("files of the build have them"), "{built:?}");
}

#[test]
fn no_link_of_a_step_leads_a_mount_out_of_its_tree() {
    if !can_run() {
        return;
    }
    let beside = tempfile::tempdir().unwrap();
    let host = beside.path().display();
    let step = project(&format!(
        "RUN ln -s {host} /srv && ln -s ../../../../../..{host} /opt\n\
         RUN --mount=type=tmpfs,target=/srv/made --mount=type=tmpfs,target=/opt/made touch /srv/made/f\n"
    ));
    step.repro(&["build", "--engine", "native"]).expect(0);
    assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 0);
}

#[test]
fn what_a_step_mounts_in_place_of_the_engines_own_files_is_what_it_sees() {
    if !can_run() {
        return;
    }
    let step = project(
        "RUN --mount=type=tmpfs,target=/etc/hosts --mount=type=cache,target=/etc/resolv.conf touch /etc/hosts/a /etc/resolv.conf/b\n",
    );
    step.repro(&["build", "--engine", "native"]).expect(0);
}

#[test]
fn nothing_is_left_of_a_step_whose_engine_is_killed() {
    if !can_run() {
        return;
    }
    let project = project("RUN (sleep 271.828 &) ; sleep 271.828\n");
    let mounts = || fs::read_to_string("/proc/self/mounts").unwrap();
    let before = mounts();
    let mut engine = project.command(&["build", "--engine", "native"]).spawn().unwrap();
    assert!(within_a_minute(|| sleepers() == 2), "the step does not run");
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert!(within_a_minute(|| sleepers() == 0), "{} processes are left", sleepers());
    assert_eq!(mounts(), before);
    project.write("Dockerfile", "FROM base.example/box:1\nRUN true\n").repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "native"]).expect(0);
    let left = fs::read_dir(project.cache().join("work")).unwrap().count();
    assert_eq!(left, 0, "directories are left");
}

/// The processes of the test's step.
fn sleepers() -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x00271.828\0"))
        .count()
}

fn within_a_minute(mut happens: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if happens() {
            return true;
        }
        sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn who_runs_a_step_is_not_guessed_where_the_accounts_can_not_be_read() {
    if !can_run() {
        return;
    }
    let step = project("RUN rm /etc/passwd && mkdir /etc/passwd\nRUN true\n");
    step.repro(&["build", "--engine", "native"]).expect(5).says("read /etc/passwd: is a directory");
    let step = project("RUN rm -f /etc/group && mkdir /etc/group\nUSER 4242\nRUN true\n");
    step.repro(&["build", "--engine", "native"]).expect(0);
}
