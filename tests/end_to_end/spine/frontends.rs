//! Dockerfile frontends that read an instruction in two ways.

use crate::rig::{allow_older_daemons, locked, variable};

const DOCKERFILE: &str = "FROM registry.example/busybox:1\nCOPY --chown=1000: a /a\n";

#[test]
fn another_frontend_is_named_as_the_cause_and_the_native_engine_builds_neither_way() {
    let (Some(previous), Some(_)) = (variable("RIG_BUILDKIT_PREVIOUS"), variable("BUILDKIT_HOST")) else { return };
    let mut project = locked("[image.app]\n", DOCKERFILE, &[("a", "a")]).unwrap();
    allow_older_daemons(&mut project);
    project.repro(&["build", "--record", "--engine", "buildctl", "--addr", &previous]).expect(0);
    let lock = project.read("repro.lock");
    assert!(lock.contains("\nrevision = 1\n") && lock.contains("\nfrontend = \"1."), "{lock}");
    project.repro(&["verify", "--engine", "buildctl", "--addr", &previous]).expect(0);
    let verify = ["verify", "--engine", "buildctl"];
    let differs = project.repro(&verify).expect(1);
    assert!(differs.stdout.contains("\n  cause: Dockerfile frontend 1."), "{differs:?}");
    assert!(differs.stdout.contains(", 1.28.0 the other"), "{differs:?}");
    let document = project.repro(&[&verify[..], &["--format", "json"]].concat()).expect(1).json();
    let cause = document["images"][0]["platforms"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("1.28.0 the other"), "{document}");
    project.repro(&["build", "--engine", "buildctl"]).expect(1).says("1.28.0 the other");
    project
        .repro(&["build", "--engine", "native"])
        .expect(7)
        .says("Dockerfile:2: COPY: the group behind the colon is the user's own since Dockerfile 1.28");
}

#[test]
fn the_manifest_chooses_the_frontend_and_every_verdict_says_so() {
    if variable("RIG_FRONTEND").is_none() {
        return;
    }
    let plain = "FROM registry.example/busybox:1\nCOPY a /a\nRUN echo \"$V\" > /v\n";
    // Nobody has this image: nothing may ask for it.
    let old = "registry.example/nobody/dockerfile:1.4";
    let manifest = |frontend: &str| format!("[image.app]\nrun-env = {{ V = \"1\" }}\n{frontend}\n");
    let project = locked(&manifest(""), plain, &[("a", "a")]).unwrap();
    let without = project.repro(&["build", "--format", "json"]).expect(0).json();
    let digest = |document: &serde_json::Value| document["images"][0]["platforms"][0]["manifest"].clone();

    project.write("Dockerfile", format!("# syntax={old}\n# check=skip=none\n{plain}"));
    project.write("repro.toml", format!("version = 1\n{}", manifest("frontend = \"builtin\"")));
    project.repro(&["build"]).expect(3).says("frontend");
    project.repro(&["lock"]).expect(0);
    assert!(project.read("repro.lock").contains("\nfrontend = \"builtin\"\n"), "{}", project.read("repro.lock"));
    assert!(!project.read("repro.lock").contains(old), "{}", project.read("repro.lock"));
    let built = project.repro(&["build", "--record", "--format", "json"]).expect(0).json();
    assert_eq!(digest(&built), digest(&without));
    let verified = project.repro(&["verify"]).expect(0);
    assert!(
        verified.stdout.contains(&format!("  Dockerfile read by builtin, not by {old} (`frontend`)")),
        "{verified:?}"
    );
    assert_eq!(project.repro(&["verify", "--format", "json"]).expect(0).json()["images"][0]["frontend"], "builtin");

    // Another image in its place is locked under its own name.
    project.write("repro.toml", format!("version = 1\n{}", manifest("frontend = \"registry.example/dockerfile:1\"")));
    project.repro(&["lock"]).expect(0);
    let lock = project.read("repro.lock");
    assert!(lock.contains("image = \"registry.example/dockerfile:1\"") && !lock.contains(old), "{lock}");
    let built = project.repro(&["build", "--no-cache", "--format", "json"]).expect(0).json();
    assert_eq!(digest(&built), digest(&without));
}
