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
