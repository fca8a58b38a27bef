//! The golden corpus of Dockerfiles: sources, errors and warnings as BuildKit's own frontend gives them.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use repro::dockerfile::sources::Sources;
use repro::dockerfile::target::{Question, ResolveError, Target, UnknownImages, resolve};
use repro::dockerfile::{DockerfileError, parse};
use serde_json::{Value, json};

fn question(case: &Value) -> Question {
    let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let platform = text("platform").parse().unwrap();
    let build_platform = case["build_platform"].as_str().map_or_else(|| platform_of(&text("platform")), platform_of);
    let build_args = case["build_args"].as_object().into_iter().flatten();
    Question {
        target: text("target"),
        platform,
        build_platform,
        build_args: build_args.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect(),
        contexts: BTreeMap::new(),
    }
}

fn platform_of(text: &str) -> repro::platform::Platform {
    text.parse().unwrap()
}

fn answer(dockerfile: &str, question: &Question) -> Result<Target, DockerfileError> {
    match resolve(&parse(dockerfile.as_bytes())?, question, &mut UnknownImages) {
        Ok(target) => Ok(target),
        Err(ResolveError::Dockerfile(error)) => Err(error),
        Err(ResolveError::Base { source, .. }) => match source {},
    }
}

/// What identifies a source: everything but its place in the file.
fn key(source: &Value) -> String {
    let mut source = source.clone();
    source.as_object_mut().unwrap().retain(|key, _| key != "lines" && key != "id");
    source.to_string()
}

/// A message without the suggestion at its end.
fn sense(message: &str) -> &str {
    message.split(" (did you mean").next().unwrap_or_default()
}

#[test]
fn every_dockerfile_of_the_corpus_gives_what_buildkit_gives() {
    let corpus = std::fs::read_to_string("tests/cases/dockerfiles/sources.jsonl").unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in corpus.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let question = question(&case);
        let got = answer(case["dockerfile"].as_str().unwrap(), &question);
        let problem = match (&got, case["error"].as_object()) {
            (Err(error), Some(want)) => {
                let alternatives = want.get("or_else").and_then(Value::as_array).into_iter().flatten();
                let messages: Vec<&str> = std::iter::once(&want["message"])
                    .chain(alternatives)
                    .filter_map(Value::as_str)
                    .map(sense)
                    .collect();
                let stage = json!(error.phase.name());
                if messages.contains(&sense(&error.message)) && (want["stage"] == stage) {
                    None
                } else {
                    Some(format!("{error:?}\n     want {want:?}"))
                }
            }
            (Ok(target), None) => compare(target, &case),
            (got, want) => Some(format!("{got:?}\n     want {want:?}")),
        };
        wrong.extend(problem.map(|problem| format!("{}: {problem}", case["name"])));
    }
    assert_eq!(count, 204, "the corpus is not whole");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(target: &Target, case: &Value) -> Option<String> {
    let sources = Sources::of(target);
    let keys = |list: &[Value]| list.iter().map(key).collect::<BTreeSet<_>>();
    let got = serde_json::to_value(&sources.used).unwrap();
    let (got, want) = (keys(got.as_array().unwrap()), keys(case["sources"].as_array().unwrap()));
    if got != want {
        return Some(format!("sources {got:#?}\n     want {want:#?}"));
    }
    if json!(sources.runs) != case["exec_ops"] {
        return Some(format!("runs {} want {}", sources.runs, case["exec_ops"]));
    }
    let mut warnings: BTreeMap<String, usize> = BTreeMap::new();
    for warning in &target.warnings {
        *warnings.entry(warning.rule.name()).or_default() += 1;
    }
    (json!(warnings) != case["lint"]).then(|| format!("warnings {warnings:?} want {}", case["lint"]))
}
