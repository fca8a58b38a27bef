//! What commands print with `--format json`: one document, also on failure, as its schema describes it.

use std::collections::BTreeSet;

use crate::project::Project;
use serde_json::{Value, json};

/// A project whose image the native engine builds without asking any host.
fn project(manifest: &str, dockerfile: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", format!("version = 1\n[image.app]\n{manifest}"));
    project.write("Dockerfile", dockerfile).write("a", "a\n").commit();
    project
}

#[test]
fn every_result_fits_its_schema() {
    let project = project("", "FROM scratch\nCOPY a /a\n");
    let ask = |name: &str, arguments: &[&str], status: i32| {
        let outcome = project.repro(&[arguments, &["--format", "json"]].concat()).expect(status);
        let document = crate::schema::check(name, &outcome.stdout);
        assert_eq!(document["status"], status, "{document}");
        document
    };
    assert_eq!(ask("init", &["init"], 0)["written"], false);
    assert_eq!(ask("lock", &["lock", "--check"], 3)["error"]["status"], 3);
    assert_eq!(ask("lock", &["lock"], 0)["written"], true);
    assert_eq!(ask("lock", &["lock"], 0)["written"], false);
    assert_eq!(ask("lock", &["lock", "--check"], 0)["drift"], json!([]));
    assert_eq!(ask("sources", &["sources"], 0)["sources"][0]["paths"], json!(["a"]));
    assert_eq!(ask("outdated", &["outdated"], 0)["outdated"], json!([]));
    assert_eq!(ask("build", &["build"], 0)["images"][0]["recorded"], false);
    assert_eq!(ask("verify", &["verify"], 3)["images"], json!([]));
    assert_eq!(ask("build", &["build", "--record"], 0)["images"][0]["recorded"], true);
    assert_eq!(ask("verify", &["verify"], 0)["images"][0]["platforms"][0]["verdict"], "reproduced");
    assert_eq!(ask("cache", &["cache"], 0)["removed"], Value::Null);
    assert_eq!(ask("cache", &["cache", "clear"], 0)["bytes"], 0);

    let recorded = project.read("repro.lock");
    let manifest = recorded.lines().find(|line| line.starts_with("manifest")).unwrap();
    project.write("repro.lock", recorded.replace(manifest, &format!("manifest = \"sha256:{}\"", "1".repeat(64))));
    let verified = ask("verify", &["verify"], 1);
    assert_eq!(verified["images"][0]["platforms"][0]["verdict"], "packaging", "{verified}");
    assert_eq!(ask("build", &["build"], 1)["error"]["status"], 1);
}

#[test]
fn a_failure_is_one_document_of_the_command() {
    let project = project("", "FROM scratch\nCOPPY a /a\n");
    let empty = Project::new();
    for (at, arguments, name, status) in [
        (&project, &["lock"][..], "lock", 2),
        (&project, &["lock", "--check"], "lock", 3),
        (&project, &["sources"], "sources", 2),
        (&project, &["sources", "absent"], "sources", 2),
        (&project, &["build"], "build", 3),
        (&project, &["verify"], "verify", 3),
        (&project, &["outdated"], "outdated", 3),
        (&project, &["policy"], "failure", 3),
        (&project, &["build", "--nonsense"], "failure", 2),
        (&empty, &["sources"], "sources", 2),
        (&empty, &["init"], "init", 2),
        (&empty, &["build", "-C", "absent"], "build", 2),
    ] {
        for format in [&["--format", "json"][..], &["--format=json"]] {
            let outcome = at.repro(&[arguments, format].concat()).expect(status);
            let document = crate::schema::check(name, &outcome.stdout);
            assert_eq!(document["status"], status, "{arguments:?}: {document}");
            assert!(document["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{document}");
            assert!(outcome.stderr.contains("error: "), "{outcome:?}");
        }
        assert_eq!(at.repro(arguments).expect(status).stdout, "", "errors are for stderr");
    }
}

#[test]
fn what_would_move_a_terminal_is_escaped_everywhere() {
    let hostile = "a\u{1b}[31m\u{202e}b\u{7f}";
    let project = project(&format!("args = {{ V = {:?} }}\n", "x"), "FROM scratch\nCOPY a /a\n");
    project
        .write("hostile/Dockerfile", format!("FROM registry.example/{hostile}\nFROM scratch\nCOPY \"{hostile}\" /\n"));
    project.write("broken/Dockerfile", format!("FROM scratch\n{hostile} x\n"));
    project
        .write("bad/repro.toml", format!("version = 1\n[image.app]\ntarget = 1\n\"{}\" = 1\n", "\\u001b[31m\\u202e"));
    project.write(&format!("{hostile}/Dockerfile"), "FROM scratch\n");
    for arguments in [
        &["sources", "-f", "hostile/Dockerfile"][..],
        &["sources", "-f", "broken/Dockerfile"],
        &["sources", "-f", &format!("{hostile}/Dockerfile")],
        &["sources", "-f", &format!("{hostile}/absent")],
        &["sources", hostile],
        &["sources", "-C", hostile],
        &["sources", "-C", "bad"],
        &["lock", "--update", hostile],
        &["build", "-f", "broken/Dockerfile"],
        &["build", "--secret", &format!("{hostile}=a")],
        &["init", "--name", hostile],
        &["init", "--dockerfile", hostile],
    ] {
        for format in ["text", "json"] {
            let outcome = project.repro(&[arguments, &["--format", format]].concat());
            for text in [&outcome.stdout, &outcome.stderr] {
                let found = text.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
                assert_eq!(found, None, "{arguments:?}: {text:?}");
            }
        }
    }
}

/// What identifies a source: everything but its place in the file and its pin.
fn key(source: &Value) -> String {
    let mut source = source.clone();
    source.as_object_mut().unwrap().retain(|key, _| key != "lines" && key != "id" && key != "pin");
    source.to_string()
}

/// A message without the suggestion at its end.
fn sense(message: &Value) -> &str {
    message.as_str().unwrap().split(" (did you mean").next().unwrap_or_default()
}

#[test]
fn every_dockerfile_of_the_corpus_is_answered_through_the_binary() {
    let corpus = std::fs::read_to_string("tests/cases/dockerfiles/sources.jsonl").unwrap();
    let project = Project::bare();
    let mut wrong = Vec::new();
    for line in corpus.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        project.write("Dockerfile", case["dockerfile"].as_str().unwrap());
        let mut arguments =
            vec!["sources".to_owned(), "--dockerfile=Dockerfile".to_owned(), "--format=json".to_owned()];
        let mut give = |flag: &str, value: &Value| {
            let value = value.as_str().unwrap_or_default();
            arguments.extend((!value.is_empty()).then(|| format!("{flag}={value}")));
        };
        give("--target", &case["target"]);
        give("--platform", &case["platform"]);
        give("--build-platform", case.get("build_platform").unwrap_or(&case["platform"]));
        for (name, value) in case["build_args"].as_object().into_iter().flatten() {
            give("--build-arg", &json!(format!("{name}={}", value.as_str().unwrap())));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = project.repro(&arguments).expect(if case["error"].is_null() { 0 } else { 2 });
        let got = crate::schema::check("sources", &outcome.stdout);
        wrong.extend(difference(&got, &case).map(|what| format!("{}: {what}", case["name"])));
    }
    assert_eq!(corpus.lines().count(), 204, "the corpus is not whole");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(got: &Value, case: &Value) -> Option<String> {
    let error = &case["error"];
    if !error.is_null() {
        let alternatives = error["or_else"].as_array().into_iter().flatten();
        let same = std::iter::once(&error["message"])
            .chain(alternatives)
            .any(|want| sense(want) == sense(&got["error"]["message"]));
        let fits = same && got["error"]["stage"] == error["stage"] && got["sources"] == json!([]);
        return (!fits).then(|| format!("{}\n     want {error}", got["error"]));
    }
    let keys = |list: &Value| list.as_array().unwrap().iter().map(key).collect::<BTreeSet<_>>();
    for list in ["sources", "resolved_only"] {
        let want = keys(case.get(list).unwrap_or(&json!([])));
        if keys(&got[list]) != want {
            return Some(format!("{list} {}\n     want {want:#?}", got[list]));
        }
    }
    ["syntax", "exec_ops"]
        .into_iter()
        .find(|name| got[name] != case[name])
        .map(|name| format!("{name} is {}, want {}", got[name], case[name]))
}
