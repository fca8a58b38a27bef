//! No room: full disks, outputs that end early, surroundings without a home.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::{built, locked};
use crate::project::{Project, outcome};

#[test]
fn a_result_that_could_not_be_written_whole_is_an_error() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    for arguments in [&["sources"][..], &["sources", "--format", "json"], &["build"], &["policy"], &["layer", "gzip"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = project.command(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("stdout: No space left on device"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_reader_that_went_away_changes_no_status() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    project.write("broken/Dockerfile", "FROM scratch\nCOPPY f /\n");
    for (arguments, status) in [
        (&["sources"][..], 0),
        (&["sources", "--format", "json"], 0),
        (&["build"], 0),
        (&["verify"], 3),
        (&["sources", "-f", "broken/Dockerfile", "--format", "json"], 2),
        (&["--help"], 0),
        (&["layer", "gzip"], 0),
        (&["schema"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = project.command(arguments).stdout(OwnedFd::from(writer)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{arguments:?}: {said}");
    }
}

#[test]
fn questions_are_answered_without_a_home_and_builds_say_that_they_need_one() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    let homeless = |arguments: &[&str]| outcome(project.command(arguments).env_remove("HOME"));
    for arguments in [&["sources"][..], &["lock", "--check"], &["policy"], &["schema"], &["init"]] {
        homeless(arguments).expect(0);
    }
    homeless(&["build"]).expect(2).says("`HOME`");
    outcome(project.command(&["build"]).env("HOME", "relative")).expect(2).says("absolute path");
    let cache = project.home().join("elsewhere");
    outcome(project.command(&["build"]).env_remove("HOME").env("REPRO_CACHE", cache)).expect(0);
}

/// Runs the binary in a mount namespace of its own in which `small` is a file system of one megabyte.
fn with_little_room(project: &Project, small: &str, arguments: &[&str], more: &[(&str, &str)]) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script]).arg(project.path().join(small)).arg(env!("CARGO_BIN_EXE_repro"));
    command.args(arguments).current_dir(project.path()).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", project.home());
    command.envs(more.iter().copied());
    command
}

#[test]
fn a_full_disk_is_named_with_the_bytes_that_were_wanted() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f"), (".gitignore", "small\nbig\n")]);
    let mut random = vec![0_u8; 3 << 20];
    let mut state = 1_u64;
    for byte in &mut random {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    project.write("f", random).write("small/kept", "");
    if !with_little_room(&project, "small", &["schema"], &[]).output().is_ok_and(|output| output.status.success()) {
        crate::needs::not_run("no mount namespace");
        return;
    }
    for output in ["small/app.tar", "small/app/"] {
        let full = outcome(&mut with_little_room(&project, "small", &["build", "-o", output], &[]));
        full.expect(2).says(&format!("{output}`: No space left")).says("the image takes 31");
    }
    let cache = project.path().join("small/cache");
    let more = [("REPRO_CACHE", cache.to_str().unwrap())];
    outcome(&mut with_little_room(&project, "small", &["build"], &more)).expect(0);
    assert!(!built(&project, &[]).is_empty());
}
