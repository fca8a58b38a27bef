//! `repro lint`: the corpus whole, what people read, what allows a finding, and what the lockfile does to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::project::Project;

const BASE: &str = "FROM debian:12.5-slim@sha256:5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c\n";

/// The committed corpus, or another one of the same kind.
fn corpus() -> PathBuf {
    match std::env::var_os("LINT_CORPUS") {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/lint"),
    }
}

#[test]
fn every_dockerfile_of_the_corpus_is_judged_as_expected() {
    let judged = Command::new("python3")
        .arg(corpus().join("run.py"))
        .arg(env!("CARGO_BIN_EXE_repro"))
        .arg(corpus().join("cases.jsonl"))
        .output()
        .expect("python3 judges the corpus");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{said}{}", String::from_utf8_lossy(&judged.stderr));
    assert!(said.contains("Dockerfiles judged as expected") && !said.trim_start().starts_with("0 of"), "{said}");
}

/// What is found in a Dockerfile without a manifest: code, severity, line.
fn found(dockerfile: &str) -> Vec<String> {
    let project = Project::bare();
    project.write("Dockerfile", dockerfile);
    let outcome = project.repro(&["lint", "-f", "Dockerfile", "--format", "json"]);
    let document = outcome.json();
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(line).collect()
}

fn line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    format!("{} {} {}:{}", text("code"), text("severity"), finding["line"], finding["column"])
}

#[test]
fn a_finding_stands_where_its_words_do() {
    for (run, want) in [
        ("RUN --network=none true && \\\n    date > /a\n", "R040 error 3:5"),
        ("RUN --network=none <<EOF\n  date > /a\nEOF\n", "R040 error 3:3"),
        ("RUN --network=none sh -c 'true; date > /a'\n", "R040 error 2:33"),
        ("RUN --network=none [\"sh\", \"-c\", \"date > /a\"]\n", "R040 error 2:34"),
        ("RUN --network=none true \\\n# comment\n\n && sudo -E date > /a\n", "R040 error 5:13"),
        ("RUN --network=none cat <<A | sh\ntrue\n date > /a\nA\n", "R040 error 4:2"),
        ("RUN --network=none echo \"é $(date)\" > /a\n", "R040 error 2:30"),
    ] {
        assert_eq!(found(&format!("{BASE}{run}")), [want], "{run}");
    }
}

#[test]
fn what_cannot_be_read_is_told_once_and_hides_nothing_else() {
    let dockerfile = format!("{BASE}RUN --network=none if true; then echo $( ; fi\nRUN --network=none date > /a\n");
    assert_eq!(found(&dockerfile), ["R197 info 2:39", "R040 error 3:20"]);
    let foreign = format!("{BASE}SHELL [\"pwsh\", \"-c\"]\nRUN date > /a\nRUN date > /b\n");
    assert_eq!(found(&foreign), ["R196 info 3:1"]);
}

#[test]
fn people_see_the_words_the_reason_and_the_help() {
    let project = Project::bare();
    project.write("Dockerfile", format!("{BASE}RUN --network=none true && \\\n    date > /built\n"));
    let text = project.repro(&["lint", "-f", "Dockerfile"]).expect(1).stdout;
    for part in [
        "error: the clock enters the layer (R040 wall-clock)",
        "Dockerfile:3:5",
        "    date > /built",
        "^^^^",
        "help: `ARG SOURCE_DATE_EPOCH`",
        "1 errors, 0 warnings",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    project.repro(&["lint", "--explain", "R040"]).expect(0).prints("R040 wall-clock").prints("severity: error");
    project.repro(&["lint", "--explain", "wall-clock"]).expect(0).prints("R040 wall-clock");
    project.repro(&["lint", "--explain", "R999"]).expect(2).says("no rule is called `R999`");
}

#[test]
fn fail_on_says_from_which_severity_on_it_fails() {
    let project = Project::bare();
    project.write("Dockerfile", format!("{BASE}RUN --network=none sort /a > /b\n"));
    for (severity, status) in [("error", 0), ("warn", 0), ("info", 1)] {
        project.repro(&["lint", "-f", "Dockerfile", "--fail-on", severity]).expect(status);
    }
}

#[test]
fn a_comment_allows_with_a_reason_only() {
    let comment = |comment: &str| {
        let project = Project::bare();
        project.write("Dockerfile", format!("{BASE}{comment}\nRUN --network=none date > /a\n"));
        let outcome = project.repro(&["lint", "-f", "Dockerfile", "--format", "json"]);
        let document = outcome.json();
        let findings = document["findings"].as_array().unwrap();
        (
            outcome.status,
            findings.iter().map(|finding| format!("{} {}", line(finding), finding["allowed"])).collect::<Vec<_>>(),
        )
    };
    let allowed = "R040 error 3:20 true".to_owned();
    let told = "R040 error 3:20 false".to_owned();
    assert_eq!(comment("# repro: allow=R040 reason=\"a test\""), (0, vec![allowed]));
    assert_eq!(comment("# repro: allow=R040"), (1, vec!["R199 warn 2:1 false".to_owned(), told.clone()]));
    assert_eq!(comment("# repro: allow=R021 reason=\"a test\""), (1, vec!["R198 warn 2:1 false".to_owned(), told]));
    assert_eq!(comment("# repro: allow=R021").1[0], "R199 error 2:1 false");
}

#[test]
fn a_dockerfile_that_is_none_is_an_error_of_its_own() {
    let project = Project::bare();
    project.write("Dockerfile", "FROM a\nFOO b\n");
    let outcome =
        project.repro(&["lint", "-f", "Dockerfile", "--format", "json"]).expect(2).says("unknown instruction: FOO");
    assert_eq!(outcome.json()["status"], 2);
    assert!(outcome.json()["error"]["message"].as_str().unwrap().contains("FOO"));
}

/// A project with a manifest, whose RUN reads the clock and whose base has no digest.
fn with_manifest(more: &str) -> Project {
    let project = Project::bare();
    project.write("repro.toml", format!("version = 1\n[image.app]\n{more}"));
    project.write("Dockerfile", "FROM debian:12.5-slim\nRUN --network=none date > /a\n");
    project
}

#[test]
fn the_manifest_allows_with_a_reason_and_unused_ones_are_told() {
    let allow = |code: &str| format!("[[lint.allow]]\ncode = \"{code}\"\npath = \"Dockerfile\"\nreason = \"a test\"\n");
    let project = with_manifest(&(allow("R001") + &allow("R040")));
    project.repro(&["lint"]).expect(0);
    let project = with_manifest(&allow("R021"));
    project.repro(&["lint"]).expect(1).says("`[[lint.allow]]` of R021 in `Dockerfile` allows nothing");
    let elsewhere = "[[lint.allow]]\ncode = \"R040\"\npath = \"other/Dockerfile\"\nreason = \"a test\"\n";
    with_manifest(elsewhere).repro(&["lint"]).expect(1);
    for (wrong, said) in [
        ("[[lint.allow]]\ncode = \"R040\"\n", "`reason` is missing"),
        ("[[lint.allow]]\ncode = \"R040\"\nreason = \" \"\n", "the reason is empty"),
        ("[[lint.allow]]\ncode = \"wall-clock\"\nreason = \"x\"\n", "is no code of a rule"),
        ("[lint]\nallows = []\n", "did you mean `allow`?"),
    ] {
        with_manifest(wrong).repro(&["lint"]).expect(2).says(said);
    }
}

#[test]
fn the_manifests_arguments_and_variables_count() {
    let project = Project::bare();
    project.write(
        "repro.toml",
        "version = 1\n[image.app]\nargs = { BASE = \"scratch\" }\nrun-env = { SOURCE_DATE_EPOCH = \"epoch\" }\n",
    );
    project.write("Dockerfile", "ARG BASE=debian:latest\nFROM $BASE\nRUN --network=none useradd -u 1000 app\n");
    let outcome = project.repro(&["lint", "--format", "json"]).expect(0);
    let document = outcome.json();
    let codes: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["R053"]);
}
