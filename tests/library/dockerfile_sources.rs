//! The golden corpus of Dockerfiles: sources, errors and warnings as BuildKit's own frontend gives them.

use std::collections::{BTreeMap, BTreeSet};

use repro::parts::dockerfile::sources::Sources;
use repro::parts::dockerfile::target::{Question, ResolveError, Target, UnknownImages, resolve};
use repro::parts::dockerfile::{DockerfileError, parse};
use repro::parts::limits::Limits;
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

fn platform_of(text: &str) -> repro::parts::platform::Platform {
    text.parse().unwrap()
}

fn response(dockerfile: &str, question: &Question) -> Result<Target, DockerfileError> {
    match resolve(&parse(dockerfile.as_bytes(), &Limits::default())?, question, &mut UnknownImages) {
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
        let got = response(case["dockerfile"].as_str().unwrap(), &question);
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
    let mut warnings: BTreeMap<&str, usize> = BTreeMap::new();
    for warning in &target.warnings {
        *warnings.entry(warning.rule.name()).or_default() += 1;
    }
    (json!(warnings) != case["lint"]).then(|| format!("warnings {warnings:?} want {}", case["lint"]))
}

fn plain_question() -> Question {
    Question {
        target: String::new(),
        platform: platform_of("linux/amd64"),
        build_platform: platform_of("linux/amd64"),
        build_args: BTreeMap::new(),
        contexts: BTreeMap::new(),
    }
}

fn response_bytes(dockerfile: &[u8]) -> Result<Target, DockerfileError> {
    match resolve(&parse(dockerfile, &Limits::default())?, &plain_question(), &mut UnknownImages) {
        Ok(target) => Ok(target),
        Err(ResolveError::Dockerfile(error)) => Err(error),
        Err(ResolveError::Base { source, .. }) => match source {},
    }
}

#[test]
fn a_hostile_dockerfile_meets_a_limit_soon() {
    let doubling: String = (0..40).map(|_| "ENV A=$A$A\n").collect();
    let wide = format!("FROM a\nENV A={}\n", "x".repeat(60_000));
    for (name, text) in [
        ("too many bytes", "#".repeat(2 << 20)),
        ("too many stages", "FROM a\n".repeat(2_000)),
        ("too many instructions", format!("FROM a\n{}", "USER a\n".repeat(20_000))),
        ("doubling", format!("FROM a\nENV A=aaaaaaaa\n{doubling}")),
        ("deep nesting", format!("FROM {}", "${a:-".repeat(10_000))),
        ("long values many times", format!("{wide}{}", "USER ${A:+}${A:+}${A:+}${A:+}\n".repeat(5_000))),
        ("patterns", format!("{wide}USER ${{A//{}/}}\n", "*y".repeat(10_000))),
        ("triggers", many_triggers(900)),
        ("environments", format!("FROM a AS s0\nENV{}\n{}", " A=1".repeat(10_000), chain(900))),
        ("a NUL", "FROM a\nUSER a\0b\n".to_owned()),
    ] {
        let start = std::time::Instant::now();
        let got = response_bytes(text.as_bytes());
        let is_limit = got.as_ref().is_err_and(|error| error.is_limit);
        assert!(
            is_limit || name == "environments" && got.is_ok(),
            "{name}: {:?}",
            got.map(|target| target.stages.len())
        );
        assert!(start.elapsed().as_secs() < 20, "{name} took {:?}", start.elapsed());
    }
}

/// One stage with `count` triggers, as many stages that fire them, and a target that needs all of these.
fn many_triggers(count: usize) -> String {
    let stages: String = (0..count).map(|n| format!("FROM x AS s{n}\n")).collect();
    let copies: String = (0..count).map(|n| format!("COPY --from=s{n} / /\n")).collect();
    format!("FROM a AS x\n{}{stages}FROM a\n{copies}", "ONBUILD USER a\n".repeat(count))
}

fn chain(stages: usize) -> String {
    (1..stages).map(|n| format!("FROM s{} AS s{n}\n", n - 1)).collect()
}

#[test]
fn deep_triggers_and_long_lines_are_errors_of_the_language() {
    for (text, want) in [
        (
            format!("FROM a\n{}RUN x\n", "ONBUILD ".repeat(8_000)),
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
        ),
        (format!("FROM a\nRUN {}\n", "x".repeat(65_532)), "dockerfile line greater than max allowed size of 65535"),
        (format!("FROM a\nRUN [{}\n", "[".repeat(60_000)), ""),
    ] {
        match response_bytes(text.as_bytes()) {
            Ok(_) => assert_eq!(want, ""),
            Err(error) => assert!(error.message.ends_with(want) && !error.is_limit, "{}", error.message),
        }
    }
}

/// The Dockerfiles of the corpus.
fn corpus() -> Vec<Vec<u8>> {
    let corpus = std::fs::read_to_string("tests/cases/dockerfiles/sources.jsonl").unwrap();
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["dockerfile"].as_str().unwrap().to_owned();
    corpus.lines().map(|line| text(line).into_bytes()).collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = response_bytes(&bytes);
        let _ = response_bytes(&[b"FROM a\n".as_slice(), &bytes].concat());
    }

    #[test]
    fn no_change_to_a_real_file_makes_the_reader_panic(
        file in 0..204_usize,
        other in 0..204_usize,
        changes in proptest::collection::vec((0..4_u8, 0..400_usize, proptest::sample::select(
            b"\\\"'$\n\r \t#=<>-`{}[]:/@,*?%\xff\xc3\xa0\x85\0FROMadd".to_vec())), 0..12),
    ) {
        let files = corpus();
        let mut bytes = files[file].clone();
        for (kind, at, byte) in changes {
            let at = at.min(bytes.len());
            match kind {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.drain(at..(at + 1).min(bytes.len()))),
                2 if at < bytes.len() => bytes[at] = byte,
                _ => drop(bytes.splice(at..at, files[other].iter().copied())),
            }
        }
        let _ = response_bytes(&bytes);
    }
}
