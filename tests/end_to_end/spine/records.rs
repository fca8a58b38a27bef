//! Pins that two branches moved, records of several machines, and rebuilds compared with what was published.

use std::fs;
use std::process::Command;

use crate::rig::{locked, registry_name, run, variable};

const COPY: &str = "FROM registry.example/busybox:1\nCOPY a /a\n";

#[test]
fn a_conflict_is_joined_by_lock_and_differing_pins_need_a_side() {
    let Some(project) = locked("[image.app]\n", COPY, &[("a", "a")]) else { return };
    let ours = project.read("repro.lock");
    let line = ours.lines().find(|line| line.starts_with("digest")).unwrap();
    let other = format!("digest = \"sha256:{}\"", "1".repeat(64));
    let conflict = format!("<<<<<<< HEAD\n{line}\n=======\n{other}\n>>>>>>> branch");
    project.write("repro.lock", ours.replacen(line, &conflict, 1));
    project.repro(&["build"]).expect(3).says("merge conflict").says("repro lock");
    project.repro(&["lock"]).expect(3).says("--ours").says("--theirs");
    project.repro(&["lock", "--check"]).expect(3).says("merge conflict");
    project.repro(&["lock", "--ours", "--dry-run"]).expect(0);
    assert!(project.read("repro.lock").contains("<<<<<<<"));
    project.repro(&["lock", "--ours"]).expect(0);
    assert_eq!(project.read("repro.lock"), ours);

    let image = ours.find("[image.app]").unwrap();
    let (before, after) = ours.split_at(image);
    let added = "[[source]]\nhttp = \"https://files.example/x\"\ndigest = ";
    let added = format!("{added}\"sha256:{}\"\nsize = 1\n", "2".repeat(64));
    project.write("repro.lock", format!("{before}<<<<<<< HEAD\n=======\n{added}\n>>>>>>> branch\n{after}"));
    project.repro(&["lock"]).expect(0);
    assert_eq!(project.read("repro.lock"), ours, "pins of one side are kept if they are asked for");
}

#[test]
fn platforms_recorded_one_after_the_other_join_under_an_index() {
    let manifest = "[image.app]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n";
    let Some(project) = locked(manifest, COPY, &[("a", "a")]) else { return };
    project.repro(&["build", "--record", "--platform", "linux/amd64"]).expect(0).says("linux/arm64");
    assert!(!project.read("repro.lock").contains("\nindex"));
    // The commit that adds the record has a time of its own, and changes nothing.
    run(Command::new("git")
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@project.example",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "record",
        ])
        .env("GIT_COMMITTER_DATE", "1700009999 +0000")
        .current_dir(project.path()));
    project.repro(&["build", "--record", "--platform", "linux/arm64"]).expect(0);
    let joined = project.read("repro.lock");
    assert!(joined.contains("\nindex = ") && joined.contains("\nepoch = 1700000000\n"), "{joined}");
    project.repro(&["build", "--record"]).expect(0);
    assert_eq!(project.read("repro.lock"), joined, "both at once");
    let verified = project.repro(&["verify"]).expect(0);
    assert_eq!(verified.stdout.matches("reproduced").count(), 2, "{verified:?}");
    assert!(verified.stdout.contains("published image not checked"), "{verified:?}");
}

#[test]
fn a_record_may_live_outside_the_lockfile() {
    let Some(project) = locked("[image.app]\n", COPY, &[("a", "a")]) else { return };
    let pins = project.read("repro.lock");
    project.repro(&["build", "--record=.git/record.lock"]).expect(0);
    assert_eq!(project.read("repro.lock"), pins);
    project.repro(&["verify"]).expect(3);
    project.repro(&["verify", "--record", ".git/record.lock"]).expect(0);
}

#[test]
fn a_published_image_is_compared_by_its_bytes() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    let project = locked("[image.app]\n", COPY, &[("a", "a")]).unwrap();
    project.repro(&["build", "--record", "-o", ".git/app.tar"]).expect(0);
    project.repro(&["build", "-o", ".git/layout/"]).expect(0);
    assert!(project.path().join(".git/layout/oci-layout").exists());
    let target = format!("docker://{}", registry_name("published:1"));
    let published = "registry.example/spine/published:1";
    run(Command::new("crane").args(["push", "--insecure"]).arg(project.path().join(".git/layout")).arg(&target[9..]));
    for against in [".git/app.tar", published] {
        let verified = project.repro(&["verify", "--against", against]).expect(0);
        assert!(verified.stdout.contains(against), "{verified:?}");
    }
    project.repro(&["verify", "--against", "registry.example/spine/absent:1"]).expect(4).says("absent");

    let mut bytes = fs::read(project.path().join(".git/app.tar")).unwrap();
    let layer = bytes.windows(3).position(|window| window == [0x1f, 0x8b, 8]).unwrap();
    bytes[layer + 40] ^= 1;
    project.write(".git/corrupted.tar", &bytes);
    project.repro(&["verify", "--against", ".git/corrupted.tar"]).expect(6).says("digest mismatch");

    project.write("a", "b");
    project.repro(&["build", "-o", ".git/other.tar"]).expect(0);
    project.write("a", "a");
    let differs = project.repro(&["verify", "--against", ".git/other.tar", "--format", "json"]).expect(1).json();
    assert_eq!(differs["images"][0]["platforms"][0]["verdict"], "differs", "{differs}");
    project.repro(&["build", "--archive", "docker", "-o", ".git/docker.tar"]).expect(0);
    run(Command::new("docker").args(["load", "-i"]).arg(project.path().join(".git/docker.tar")));
}
