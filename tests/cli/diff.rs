//! `repro diff` through the binary: every pair of `tests/cases/explain` is explained as its page says, and what people
//! are told of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{Project, outcome};
use serde_json::Value;

/// The generator's and the judge's directory: the committed corpus, or another one of the same kind.
fn corpus() -> PathBuf {
    match std::env::var_os("EXPLAIN_CORPUS") {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/explain"),
    }
}

#[test]
fn every_pair_of_the_corpus_is_explained_as_expected() {
    let directory = tempfile::tempdir().unwrap();
    let pairs = directory.path().join("pairs");
    let generate = Command::new("python3")
        .arg(corpus().join("generate.py"))
        .args(["--set", "open"])
        .arg(&pairs)
        .output()
        .expect("python3 writes the corpus");
    assert!(generate.status.success(), "{}", String::from_utf8_lossy(&generate.stderr));
    let judged = Command::new("python3")
        .arg(corpus().join("run.py"))
        .arg(env!("CARGO_BIN_EXE_repro"))
        .arg(&pairs)
        .output()
        .expect("python3 judges the corpus");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{said}{}", String::from_utf8_lossy(&judged.stderr));
    assert!(said.contains("pairs explained as expected") && !said.starts_with('0'), "{said}");
}

/// A project whose image was built twice, the second time with another file and another user.
fn built() -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n");
    project
        .write("Dockerfile", "FROM scratch\nCOPY a b /data/\nUSER 7\n")
        .write("a", "one\ntwo\n")
        .write("b", "b\n")
        .commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "-o", "first.tar"]).expect(0);
    project.repro(&["build", "-o", "layout/"]).expect(0);
    project.repro(&["build", "-o", "docker.tar", "--archive", "docker"]).expect(0);
    project.write("Dockerfile", "FROM scratch\nCOPY a b /data/\nUSER 0\n").write("a", "one\nthree\n").commit();
    project.repro(&["build", "-o", "second.tar"]).expect(0);
    project
}

fn diff(project: &Project, arguments: &[&str], status: i32) -> Value {
    let outcome = project.repro(&[&["diff"], arguments, &["--format", "json"]].concat()).expect(status);
    let document = crate::schema::check("diff", &outcome.stdout);
    assert_eq!(document["status"], status, "{document}");
    document
}

#[test]
fn two_builds_are_told_apart_down_to_the_line() {
    let project = built();
    let text = project.repro(&["diff", "first.tar", "second.tar"]).expect(1).stdout;
    for part in ["linux/amd64: differs (2 security", "C023 runtime-config", "User", "- 7", "layer 1 data/a content"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let place = |code: &str| text.find(code).unwrap_or(usize::MAX);
    assert!(place("C023") < place("C020"), "the worst comes first: {text}");
    let document = diff(&project, &["first.tar", "second.tar"], 1);
    let differences = document["platforms"][0]["differences"].as_array().unwrap();
    assert!(
        differences.iter().any(|found| found["path"] == "data/a" && found["aspects"] == serde_json::json!(["content"]))
    );
    assert!(!differences.iter().any(|found| found["path"] == "data/b"));
}

#[test]
fn the_same_image_in_another_wrapping_is_the_same() {
    let project = built();
    for other in ["layout", "docker.tar"] {
        let same = diff(&project, &["first.tar", other], 0);
        assert_eq!((&same["same"], &same["platforms"][0]["verdict"]), (&true.into(), &"same".into()), "{other}");
    }
}

#[test]
fn what_is_not_to_be_had_is_told_from_what_is_broken_and_from_what_differs() {
    let project = built();
    diff(&project, &["first.tar", "absent.tar"], 4);
    project.write("broken.tar", "no archive");
    let broken = diff(&project, &["first.tar", "broken.tar"], 6);
    assert!(broken["error"]["message"].as_str().unwrap().contains("broken.tar"), "{broken}");
    diff(&project, &["first.tar", "second.tar", "--platform", "linux/s390x"], 2);
    project.repro(&["diff", "first.tar", "second.tar", "--exit-zero"]).expect(0);
}

#[test]
fn what_is_seen_in_the_end_is_not_the_same_where_only_one_side_deletes() {
    let (project, name) = (Project::new(), "c047-whiteout-missing");
    let mut generate = Command::new("python3");
    generate.arg(corpus().join("generate.py")).args(["--set", "open", "--only", name]).arg(project.path().join("pair"));
    assert!(generate.output().expect("python3 writes the pair").status.success());
    let [deleted, kept] = ["a", "b"].map(|side| format!("pair/{name}.{side}.tar"));
    for extra in [&[][..], &["--rootfs"]] {
        let document = diff(&project, &[&[deleted.as_str(), kept.as_str()], extra].concat(), 1);
        let platform = &document["platforms"][0];
        assert_eq!(platform["verdict"], "differs", "{extra:?} {document}");
        let paths: Vec<&str> =
            platform["differences"].as_array().unwrap().iter().filter_map(|found| found["path"].as_str()).collect();
        assert!(paths == ["etc/os-release"] || paths == ["etc/.wh.os-release"], "{extra:?} {paths:?}");
    }
}

#[test]
fn an_image_on_stdin_can_be_compared() {
    let project = built();
    let archive = std::fs::File::open(project.path().join("first.tar")).unwrap();
    let outcome = outcome(project.command(&["diff", "-", "second.tar"]).stdin(archive)).expect(1);
    assert!(outcome.stdout.contains("C023"), "{}", outcome.stdout);
}
