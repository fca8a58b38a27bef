//! What must not work, with its exit status and what is said.

use std::time::{Duration, Instant};

use crate::rig::{Served, crane, locked, manifest_digest, project, push_base, registry_name, variable};

#[test]
fn a_tag_that_moved_after_locking_still_means_the_pinned_image() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    let old = push_base("moves:1", "old");
    let dockerfile = "FROM registry.example/spine/moves:1\nRUN true\n";
    let project = locked("[image.app]\n", dockerfile, &[]).unwrap();
    let before = manifest_digest(project.repro(&["build", "--record", "--format", "json"]));
    let new = push_base("moves:1", "new");
    assert_ne!(old, new);
    assert_eq!(manifest_digest(project.repro(&["build", "--no-cache", "--format", "json"])), before);
    let outdated = project.repro(&["outdated"]).expect(0);
    assert!(outdated.stdout.contains(&old) && outdated.stdout.contains(&new), "{outdated:?}");
    project.repro(&["lock", "--check"]).expect(0);
    let moved = project.repro(&["lock", "--update"]).expect(0);
    assert!(moved.stdout.contains(&old) && moved.stdout.contains(&new), "{moved:?}");
    project.repro(&["verify"]).expect(3).says("repro build --record");
}

#[test]
fn a_pinned_image_that_is_gone_everywhere_is_status_4() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    let digest = push_base("vanishes:1", "vanishes");
    let project =
        locked("[image.app]\n", "FROM registry.example/spine/vanishes:1\nCOPY a /a\n", &[("a", "a")]).unwrap();
    crane(&["delete", &format!("{}@{digest}", registry_name("vanishes"))]);
    std::fs::remove_dir_all(project.cache()).ok();
    project.repro(&["build", "--engine", "buildctl", "--no-cache"]).expect(4).says("vanishes");
    project.repro(&["build", "--engine", "native"]).expect(4).says("vanishes");
}

#[test]
fn a_changed_file_is_status_4_unless_its_locked_bytes_are_at_hand() {
    if variable("RIG_FILES_ROOT").is_none() {
        return;
    }
    let served = Served::new("changed", "as locked");
    let dockerfile = format!("FROM scratch\nADD {} /file\n", served.url);
    let project = locked("[image.app]\n", &dockerfile, &[]).unwrap();
    project.repro(&["build", "--record"]).expect(0);
    served.set("altered!!");
    project.repro(&["build"]).expect(0);
    project.repro(&["verify", "--fresh"]).expect(4).says(&served.url);
    std::fs::remove_dir_all(project.cache()).ok();
    project.repro(&["build"]).expect(4).says(&served.url);
}

#[test]
fn sources_and_pins_that_the_lockfile_lacks_are_status_3() {
    let Some(project) = locked("[image.app]\n", "FROM scratch\nCOPY a /a\n", &[("a", "a")]) else { return };
    project.write("Dockerfile", "FROM registry.example/busybox:1\nCOPY a /a\n");
    project.repro(&["build"]).expect(3).says("registry.example/busybox:1");
    project.repro(&["verify"]).expect(3).says("registry.example/busybox:1");
    project.repro(&["lock", "--check"]).expect(3).says("registry.example/busybox:1");
    project.write("Dockerfile", "FROM scratch\nARG V\nCOPY a /a\n");
    project.write("repro.toml", "version = 1\n[image.app]\nargs = { V = \"2\" }\n");
    project.repro(&["build"]).expect(3).says("args.V");
}

#[test]
fn a_tree_without_its_record_builds_with_a_note_and_is_not_verified() {
    let Some(project) = locked("[image.app]\n", "FROM scratch\nCOPY a /a\n", &[("a", "a")]) else { return };
    for _ in ["no record", "the record of another tree"] {
        project.repro(&["build"]).expect(0).says("nothing to compare with");
        project.repro(&["verify"]).expect(3).says("repro build --record");
        project.repro(&["build", "--locked"]).expect(3).says("repro build --record");
        project.repro(&["build", "--record"]).expect(0);
        project.repro(&["verify"]).expect(0);
        project.repro(&["build", "--locked"]).expect(0);
        project.write("a", "b");
    }
}

#[test]
fn a_broken_dockerfile_is_status_2_and_its_line_is_shown() {
    let Some(project) = project() else { return };
    project.write("repro.toml", "version = 1\n[image.app]\n");
    project.write("Dockerfile", "FROM scratch\nCOPPY a /a\n").commit();
    for command in ["lock", "sources"] {
        project.repro(&[command]).expect(2).says("Dockerfile:2").says("COPPY a /a");
    }
}

#[test]
fn without_any_engine_the_message_says_what_to_install() {
    let Some(mut project) = locked("[image.app]\n", "FROM registry.example/busybox:1\nRUN true\n", &[]) else { return };
    project.set("PATH", "/nonexistent").set("BUILDKIT_HOST", "");
    project.repro(&["build"]).expect(7).says("no engine can build").says("install");
}

#[test]
fn a_server_that_fails_for_good_is_status_4_within_a_limit() {
    let Some(project) = project() else { return };
    let served = Served::new("fails", "never seen");
    served.response("{\"fail\": -1, \"status\": 503}");
    project.write("repro.toml", "version = 1\n[image.app]\n");
    project.write("Dockerfile", format!("FROM scratch\nADD {} /file\n", served.url)).commit();
    let started = Instant::now();
    project.repro(&["lock"]).expect(4).says("503");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert!(!project.path().join("repro.lock").exists());
}
