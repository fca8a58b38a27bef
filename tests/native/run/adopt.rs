//! `repro adopt` with steps: how often they run, what is added to the manifest, and what a killed run leaves.
//!
//! With `-v` every line that a step writes is told, so a step's own words count its runs.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::{can_run, corpus};
use crate::project::{Outcome, Project};

const HEAD: &str = "FROM base.example/box:1\nRUN echo a-step-runs\n";

/// A project whose manifest names the base `box`; none where steps can't run.
fn project(dockerfile: &str) -> Option<Project> {
    if !can_run() {
        return None;
    }
    let project = Project::bare();
    let layout = json!(format!("oci-layout://{}", corpus().join("bases/box").display()));
    project.write("Dockerfile", format!("{HEAD}{dockerfile}")).write(
        "repro.toml",
        format!(
            "version = 1\n# mine\n[image.case]\nsource-date-epoch = 1700000000\nplatforms = [\"linux/amd64\"]\n\
             [image.case.contexts]\n\"base.example/box:1\" = {layout}\n"
        ),
    );
    Some(project)
}

fn adopt(project: &Project) -> Outcome {
    project.repro(&["adopt", "--engine", "native", "-v", "--format", "json"])
}

/// How often the step ran.
fn runs(outcome: &Outcome) -> usize {
    outcome.stderr.lines().filter(|line| *line == "a-step-runs").count()
}

#[test]
fn an_image_that_reproduces_is_built_twice() {
    let Some(project) = project("RUN mkdir -p /opt && echo $((1 + 1)) > /opt/two\n") else { return };
    let outcome = adopt(&project).expect(0);
    assert_eq!(runs(&outcome), 2, "{outcome:?}");
    let image = &outcome.json()["images"][0];
    assert_eq!((&image["builds"], &image["recorded"]), (&2.into(), &true.into()), "{image}");
    assert_eq!(image["verified"]["platforms"][0]["verdict"], "reproduced", "{image}");
    let verified = project.repro(&["verify", "--engine", "native", "--format", "json"]).expect(0).json();
    assert_eq!(verified["images"][0]["platforms"][0]["rebuilt"], image["verified"]["platforms"][0]["rebuilt"]);
}

#[test]
fn what_scrub_profiles_mend_is_not_built_again() {
    let Some(project) = project("RUN mkdir -p /var/log && date +%s > /var/log/dpkg.log && echo x > /etc/x\n") else {
        return;
    };
    let outcome = adopt(&project).expect(0);
    assert_eq!(runs(&outcome), 2, "{outcome:?}");
    let image = outcome.json()["images"][0].clone();
    assert_eq!((&image["builds"], &image["scrub"]), (&2.into(), &json!(["dpkg-log"])), "{image}");
    let manifest = project.read("repro.toml");
    assert!(manifest.contains("# mine") && manifest.contains("scrub = [\"dpkg-log\"]"), "{manifest}");
    project.repro(&["lock", "--check"]).expect(0);
    project.repro(&["verify", "--engine", "native"]).expect(0);
    // What is adopted stays as it is.
    let (manifest, lockfile) = (project.read("repro.toml"), project.read("repro.lock"));
    assert_eq!(runs(&adopt(&project).expect(0)), 2);
    assert_eq!((project.read("repro.toml"), project.read("repro.lock")), (manifest, lockfile));
}

#[test]
fn a_manifest_that_the_image_holds_costs_one_build_more() {
    let Some(project) = project("COPY . /app\nRUN mkdir -p /var/log && date +%s > /var/log/dpkg.log\n") else { return };
    let outcome = adopt(&project).expect(0);
    assert_eq!((runs(&outcome), &outcome.json()["images"][0]["builds"]), (3, &3.into()), "{outcome:?}");
    project.repro(&["verify", "--engine", "native"]).expect(0);
}

#[test]
fn what_nothing_mends_is_told_and_not_recorded() {
    let Some(project) = project("RUN date +%s > /stamp && mkdir -p /var/log && date +%s > /var/log/dpkg.log\n") else {
        return;
    };
    let outcome = adopt(&project).expect(1).says("`case` linux/amd64 is not reproducible");
    assert_eq!(runs(&outcome), 2, "{outcome:?}");
    let image = outcome.json()["images"][0].clone();
    assert_eq!((&image["recorded"], &image["scrub"]), (&false.into(), &json!(["dpkg-log"])), "{image}");
    assert_eq!(image["self_check"]["linux/amd64"]["layers"][0]["paths"][0]["path"], "/stamp", "{image}");
    assert!(!project.read("repro.lock").contains("record"));
}

#[test]
fn a_record_right_after_a_self_check_builds_nothing() {
    let Some(project) = project("RUN echo x > /x\n") else { return };
    project.repro(&["lock"]).expect(0);
    let build = |more: &[&str]| project.repro(&[&["build", "--engine", "native", "-v"], more].concat());
    assert_eq!(runs(&build(&["--self-check"]).expect(0)), 2);
    let recorded = build(&["--record", "--format", "json"]).expect(0).says("has just built it twice");
    assert_eq!(runs(&recorded), 0, "{recorded:?}");
    let digest = recorded.json()["images"][0]["platforms"][0]["manifest"].clone();
    let verified = project.repro(&["verify", "--engine", "native", "--format", "json"]).expect(0).json();
    assert_eq!(verified["images"][0]["platforms"][0]["rebuilt"]["manifest"], digest);
    // Another plan, and whatever needs the image itself, is built.
    assert_eq!(runs(&build(&["--record", "--no-cache"]).expect(0)), 1);
    assert_eq!(runs(&build(&["--record", "-o", "image.tar"]).expect(0)), 1);
    project.write("Dockerfile", format!("{HEAD}RUN echo y > /x\n"));
    assert_eq!(runs(&build(&["--record"]).expect(0)), 1);
}

#[test]
fn a_run_that_is_killed_is_gone_on_with() {
    let Some(project) = project("RUN sleep 2\n") else { return };
    for wait in [300, 1500, 3500] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_repro"))
            .args(["adopt", "--engine", "native"])
            .current_dir(project.path())
            .env("HOME", project.home())
            .env("REPRO_CACHE", project.cache())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(wait));
        run.kill().unwrap();
        run.wait().unwrap();
        if project.path().join("repro.lock").exists() {
            project.repro(&["lock", "--check"]).expect(0);
        }
    }
    adopt(&project).expect(0);
    project.repro(&["verify", "--engine", "native"]).expect(0);
    let left = fs::read_dir(project.path()).unwrap().flatten().map(|entry| entry.file_name());
    let mut left: Vec<_> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    left.sort();
    assert_eq!(left, ["Dockerfile", "repro.lock", "repro.toml"]);
}
