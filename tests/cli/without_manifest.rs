//! A context directory in the place of a manifest: its epoch, and what it excludes.

use serde_json::Value;

use crate::project::{Outcome, Project};

fn project() -> Project {
    let project = Project::new();
    project.write("app/Dockerfile", "FROM scratch\nCOPY f /f\n").write("app/f", "f\n").commit();
    project
}

fn digest(outcome: Outcome) -> String {
    let document: Value = outcome.expect(0).json();
    document["images"][0]["platforms"][0]["manifest"].as_str().unwrap().to_owned()
}

fn build(project: &Project, more: &[&str]) -> Outcome {
    project.repro(&[&["build", "--format", "json"], more].concat())
}

#[test]
fn a_directory_is_built_as_its_dockerfile_is() {
    let project = project();
    let whole = digest(build(&project, &["-f", "app/Dockerfile"]));
    for words in [&["app/"][..], &["./app"], &["-C", "app", "."], &["-f", "app/Dockerfile", "app/"]] {
        assert_eq!(digest(build(&project, words)), whole, "{words:?}");
    }
    project.repro(&["sources", "app/"]).expect(0);
    project.repro(&["build", "app"]).expect(2);
}

#[test]
fn an_epoch_is_that_of_the_flag_or_else_of_a_variable() {
    let mut project = project();
    let want = digest(build(&project, &["app/", "--epoch", "1704153600"]));
    for words in [["--epoch", "2024-01-02T00:00:00Z"], ["--sde", "1704153600"], ["--datetime", "2024-01-02"]] {
        assert_eq!(digest(build(&project, &[&["app/"], &words[..]].concat())), want, "{words:?}");
    }
    build(&project, &["app/", "--datetime", "2024-01-02"]).expect(0).says("has no zone: 2024-01-02T00:00:00Z is taken");
    for bad in ["-1", "9999-01-01", "2024-02-30", "soon", "8000000000"] {
        build(&project, &["app/", "--epoch", bad]).expect(2);
    }
    project.set("REPRO_SOURCE_DATE_EPOCH", "1704153600");
    assert_eq!(digest(build(&project, &["app/"])), want);
    project.set("REPRO_DATETIME", "2024-01-03");
    build(&project, &["app/"]).expect(2).says("expected one");
    assert_eq!(digest(build(&project, &["app/", "--epoch", "1704153600"])), want);
}

#[test]
fn what_needs_no_manifest_is_refused_beside_one() {
    let project = project();
    for (words, want) in [
        (&["app", "-f", "app/Dockerfile"][..], "`--dockerfile` and images of repro.toml exclude each other"),
        (&["app/", "--context", "x"], "the context is given twice"),
        (&["app", "--build-arg", "A=1"], "`--build-arg` needs `--dockerfile FILE`"),
        (&["--epoch", "1"], "`--epoch` needs `--dockerfile FILE`"),
        (&["app/", "--self-check", "--fix"], "`--fix` needs repro.toml"),
    ] {
        project.repro(&[&["build"], words].concat()).expect(2).says(want);
    }
}

#[test]
fn the_engine_may_be_that_of_a_variable() {
    let mut project = project();
    project.set("REPRO_ENGINE", "podman");
    project.repro(&["build", "app/"]).expect(7).says("the lockfile pins no BuildKit image");
    project.repro(&["build", "app/", "--engine", "native"]).expect(0);
}
