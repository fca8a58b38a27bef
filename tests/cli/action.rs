//! The steps of the CI action, run as CI runs them.

use std::fs;
use std::process::{Command, Output};

use crate::project::Project;

fn project() -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n");
    project.write("Dockerfile", "FROM scratch\nCOPY f /f\n").write("f", "f\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    project
}

/// Runs the step; gives its output, summary and outputs.
fn run(project: &Project, inputs: &[(&str, &str)]) -> (Output, String, String) {
    let [summary, outputs] = ["summary", "outputs"].map(|name| project.home().join(name));
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/action/run"));
    command.env_clear().envs(["PATH"].map(|name| (name, std::env::var_os(name).unwrap())));
    command.env("HOME", project.home()).env("RUNNER_TEMP", project.home()).current_dir(project.path());
    command.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
    command.env("INPUT_REPRO", env!("CARGO_BIN_EXE_repro"));
    command.envs(inputs.iter().map(|(name, value)| (format!("INPUT_{name}"), value)));
    let output = command.output().unwrap();
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    (output, read(&summary), read(&outputs))
}

#[test]
fn a_verdict_is_a_row_of_the_summary_and_an_output() {
    let project = project();
    let (output, summary, outputs) = run(&project, &[("IMAGES", "app\n"), ("ENGINE", "native"), ("REPORT", "v.xml")]);
    assert!(output.status.success(), "{output:?}");
    assert!(summary.contains("| app | linux/amd64 | reproduced | sha256:"), "{summary}");
    assert!(outputs.starts_with("status=0\ndocument="), "{outputs}");
    assert!(project.read("v.xml").contains("tests=\"1\" failures=\"0\""));
    let (output, summary, _) = run(&project, &[("COMMAND", "build")]);
    assert!(output.status.success() && summary.contains("| app | linux/amd64 |"), "{output:?} {summary}");
}

#[test]
fn a_wrong_line_of_a_dockerfile_is_annotated() {
    let project = project();
    project.write("Dockerfile", "FROM scratch\nCOPY nothing /f\n").commit();
    project.repro(&["lock"]).expect(0);
    let (output, summary, outputs) = run(&project, &[("COMMAND", "build")]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(outputs.starts_with("status=5\n") && summary.contains("**error:** Dockerfile:2"), "{outputs}{summary}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("::error file=Dockerfile,line=2::"), "{said}");
}

#[test]
fn inputs_are_words_and_never_shell() {
    let project = project();
    let odd = "app$(touch made)`touch made`;touch made";
    for name in ["IMAGES", "PLATFORMS", "ENGINE", "SHARD", "AGAINST", "DIRECTORY", "SECRETS", "COMMAND"] {
        let (output, _, _) = run(&project, &[(name, odd)]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        assert!(!project.path().join("made").exists(), "{name}");
    }
}
