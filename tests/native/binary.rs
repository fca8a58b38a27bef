//! The golden cases (`tests/cases/native`) as a user builds them: a project outside git, `repro lock`, `repro build`.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};

use crate::golden::Case;
use crate::project::{Outcome, Project};
use repro::parts::digest::Digest;

pub const ARCHIVE: &str = "out.tar";

/// The case as a project.
pub fn set_up(case: &Case) -> Project {
    let project = Project::bare();
    for file in ["Dockerfile", "Dockerfile.dockerignore"] {
        if let Ok(bytes) = fs::read(case.directory.join(file)) {
            project.write(file, bytes);
        }
    }
    case.lay_out_context(&project.path().join("context"));
    let local = case.lay_out_named_contexts(&project.path().join("contexts"));
    project.write("repro.toml", manifest(case, &local));
    project
}

fn manifest(case: &Case, local: &[String]) -> String {
    let (bases, case) = (case.corpus.join("bases"), &case.json);
    let platforms: Vec<&str> = case["platform"].as_str().unwrap().split(',').collect();
    let mut text = format!(
        "version = 1\n[image.case]\ndockerfile = \"Dockerfile\"\ncontext = \"context\"\nplatforms = {}\nsource-date-epoch = {}\n",
        json!(platforms),
        case["source_date_epoch"]
    );
    for (key, value) in [("target", &case["target"]), ("build-platform", &case["builder_platform"])] {
        if !value.is_null() {
            writeln!(text, "{key} = {value}").unwrap();
        }
    }
    for (table, from) in [("args", "build_args"), ("labels", "labels"), ("annotations", "annotations")] {
        writeln!(text, "[image.case.{table}]").unwrap();
        for (key, value) in case[from].as_object().into_iter().flatten() {
            writeln!(text, "{} = {value}", json!(key)).unwrap();
        }
    }
    writeln!(text, "[image.case.contexts]").unwrap();
    for (reference, fixture) in case["bases"].as_object().unwrap() {
        let layout = bases.join(fixture.as_str().unwrap());
        writeln!(text, "{} = {}", json!(reference), json!(format!("oci-layout://{}", layout.display()))).unwrap();
    }
    for name in local {
        writeln!(text, "{} = {}", json!(name), json!(format!("contexts/{name}"))).unwrap();
    }
    text
}

/// The last run: `lock` if it fails, else `build`.
pub fn build(project: &Project) -> Outcome {
    let locked = project.repro(&["lock", "--offline"]);
    if locked.status != 0 {
        return locked;
    }
    project.repro(&["build", "--engine", "native", "-o", ARCHIVE, "--format", "json"])
}

/// How the outcome differs from what BuildKit gave.
fn difference(case: &Case) -> Option<String> {
    let project = set_up(case);
    let outcome = build(&project);
    match case.reason() {
        Some(reason) => wrong_failure(&outcome, reason),
        None if outcome.status != 0 => Some(format!("ends with {}: {}", outcome.status, outcome.stderr)),
        None => wrong_image(case, &project, &outcome.json()),
    }
}

fn wrong_failure(outcome: &Outcome, reason: &str) -> Option<String> {
    // What is printed has its backslashes doubled.
    let told = outcome.stderr.replace("\\\\", "\\").contains(reason);
    let right = told && (2..=7).contains(&outcome.status);
    (!right).then(|| format!("ends with {}, wanted `{reason}`: {}", outcome.status, outcome.stderr))
}

fn wrong_image(case: &Case, project: &Project, document: &Value) -> Option<String> {
    let expected = &case.json["expected"];
    let archive = fs::read(project.path().join(ARCHIVE)).unwrap();
    let wanted = expected.get("index_digest").unwrap_or(&expected["manifest_digest"]);
    let (found, image) = (top(&archive), &document["images"][0]);
    if found != *wanted {
        return Some(format!("the archive's first digest is {found}, wanted {wanted}"));
    }
    let told = image.get("index").filter(|index| !index.is_null()).unwrap_or(&image["platforms"][0]["manifest"]);
    if told != wanted {
        return Some(format!("`--format json` tells {told}, wanted {wanted}"));
    }
    let archive = Digest::of(&archive).hex();
    (archive != expected["oci_archive_sha256"]).then(|| format!("the archive's own digest is {archive}"))
}

/// The first digest of the archive's `index.json`.
pub fn top(archive: &[u8]) -> Value {
    let mut archive = tar::Archive::new(archive);
    let index = archive.entries().unwrap().map(Result::unwrap).find(|entry| entry.path_bytes() == &b"index.json"[..]);
    let index: Value = serde_json::from_reader(index.unwrap()).unwrap();
    index["manifests"][0]["digest"].clone()
}

#[test]
fn every_case_gives_through_the_binary_what_buildkit_gave() {
    let cases = Case::all();
    let (rest, differences) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = rest.lock().unwrap().next() else { break };
                    if let Some(difference) = difference(case) {
                        differences.lock().unwrap().push(format!("== {}: {difference}", case.name));
                    }
                }
            });
        }
    });
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    assert!(differences.is_empty(), "{} of {} cases\n{}", differences.len(), cases.len(), differences.join("\n"));
}

/// The Dockerfiles of the corpus that run nothing and take nothing from outside; each file that they name is made.
#[test]
fn every_dockerfile_that_needs_the_context_only_builds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/dockerfiles/sources.jsonl");
    let text = fs::read_to_string(corpus).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_local = |case: &Value| {
        let mut sources = case["sources"].as_array().into_iter().flatten();
        case["error"].is_null() && case["exec_ops"] == 0 && sources.all(|source| source["type"] == "local")
    };
    let (mut built, mut refused) = (0, Vec::new());
    for case in cases.filter(is_local) {
        let project = Project::bare();
        let list =
            |key: &str| case["sources"].as_array().into_iter().flatten().map(|source| source[key].clone()).collect();
        let paths: Vec<Value> = list("paths");
        for path in paths.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
            let path = project.path().join("context").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        project.write("Dockerfile", case["dockerfile"].as_str().unwrap());
        let mut manifest = "version = 1\n[image.case]\ncontext = \"context\"\ndockerfile = \"Dockerfile\"\n\
            source-date-epoch = 1700000000\n"
            .to_owned();
        for (key, value) in case["build_args"].as_object().into_iter().flatten() {
            writeln!(manifest, "args.{} = {value}", json!(key)).unwrap();
        }
        project.write("repro.toml", manifest);
        let outcome = build(&project);
        match outcome.status {
            0 => built += 1,
            status => refused.push(format!("{} ({status}): {}", case["name"], outcome.stderr)),
        }
    }
    assert!(refused.is_empty() && built >= 6, "{built} built\n{}", refused.join("\n"));
}
