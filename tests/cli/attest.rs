//! `repro attest` on the cases of `tests/cases/attest`, and what people see of it.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use repro::parts::digest::Digest;
use serde_json::Value;

use crate::project::Project;

const CASES: &str = "tests/cases/attest/cases.jsonl";

fn content(file: &Value) -> Vec<u8> {
    if let Some(text) = file["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(text) = file["base64"].as_str() {
        return STANDARD.decode(text).unwrap();
    }
    if let Some(repeat) = file.get("repeat") {
        return content(repeat).repeat(repeat["times"].as_u64().unwrap() as usize);
    }
    file["parts"].as_array().unwrap().iter().flat_map(content).collect()
}

/// The command line of a case, without its form of output.
fn words(case: &Value) -> Vec<String> {
    let arguments = &case["arguments"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = |name: &str| arguments[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let mut words = vec!["attest".to_owned(), text(&case["command"])];
    words.extend(list("sources"));
    for name in ["from", "trust", "lock", "image", "threshold", "accept", "max_failed", "resource_uri", "key", "type"] {
        if let Some(value) = arguments.get(name) {
            words.extend([format!("--{}", name.replace('_', "-")), text(value)]);
        }
    }
    list("keys").into_iter().for_each(|key| words.extend(["--key".to_owned(), key]));
    if arguments["detached"] == true {
        words.push("--detached".to_owned());
    }
    if let Some(output) = arguments.get("output") {
        words.extend(["-o".to_owned(), text(output)]);
    }
    words
}

fn run(case: &Value, form: &str) -> (Project, Output) {
    let project = Project::bare();
    for (name, file) in case["files"].as_object().unwrap() {
        project.write(name, content(file));
        let mode = case["modes"][name].as_u64().unwrap_or(0o644);
        fs::set_permissions(project.path().join(name), Permissions::from_mode(mode as u32)).unwrap();
    }
    let mut words = words(case);
    words.extend(["--format".to_owned(), form.to_owned()]);
    let mut command = project.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, value) in case["environment"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    let output = command.output().unwrap();
    (project, output)
}

/// How many auditors each member called `name` tells, at any depth.
fn counts(document: &Value, name: &str, found: &mut Vec<usize>) {
    match document {
        Value::Object(members) => members.iter().for_each(|(key, value)| match value.as_array() {
            Some(votes) if key == name => {
                found.push(votes.iter().map(|vote| vote["auditor"].to_string()).collect::<BTreeSet<_>>().len());
            }
            _ => counts(value, name, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| counts(item, name, found)),
        _ => {}
    }
}

/// What is wrong with how the program takes a case.
fn wrong(case: &Value) -> Vec<String> {
    let (expect, command) = (&case["expect"], case["command"].as_str().unwrap());
    let statuses: Vec<i64> = expect["status"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
    let mut wrong = Vec::new();
    let mut shown = Vec::new();
    for form in if command == "verify" { &["json", "text"][..] } else { &["text"] } {
        let (project, output) = run(case, form);
        let status = i64::from(output.status.code().unwrap_or(-1));
        shown = [&output.stdout[..], &output.stderr].concat();
        if !statuses.contains(&status) {
            let text = String::from_utf8_lossy(&shown);
            wrong.push(format!("{form}: status {status}, expected {statuses:?}: {text:.300}"));
        }
        if *form == "json" {
            let document = crate::schema::check("attest", &String::from_utf8_lossy(&output.stdout));
            if status < 2 {
                for (word, name) in [("for", "passed"), ("against", "failed")] {
                    let Some(want) = expect[word].as_u64() else { continue };
                    let mut found = Vec::new();
                    counts(&document, name, &mut found);
                    let got = if word == "for" { found.iter().min() } else { found.iter().max() };
                    if got != Some(&(want as usize)) {
                        wrong.push(format!("`{name}` is {found:?}, expected {want}"));
                    }
                }
            }
        }
        if let Some(line) = expect["line"].as_str() {
            let want: Value = serde_json::from_str(line).unwrap();
            if serde_json::from_slice::<Value>(&output.stdout).ok() != Some(want) {
                wrong.push("another envelope".to_owned());
            }
        }
        if command == "keygen" && status == 0 {
            let mode = fs::metadata(project.path().join("new.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let text = String::from_utf8_lossy(&shown).to_lowercase();
    for words in expect["keywords"].as_array().unwrap() {
        if !words.as_str().unwrap().split('|').any(|word| text.contains(&word.to_lowercase())) {
            wrong.push(format!("the text names none of {words}: {text}"));
        }
    }
    for bytes in expect["forbidden"].as_array().unwrap() {
        let bytes = STANDARD.decode(bytes.as_str().unwrap()).unwrap();
        if shown.windows(bytes.len()).any(|window| window == bytes) {
            wrong.push(format!("the text holds {bytes:?} raw"));
        }
    }
    wrong
}

#[test]
fn every_case_is_decided_as_expected() {
    let text = fs::read_to_string(CASES).unwrap();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What depends on the clock is asked of `attest::quorum` alone.
    let cases: Vec<&Value> = cases.iter().filter(|case| case["needs_clock"] == false).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = &case["name"];
                    found.lock().unwrap().extend(wrong(case).into_iter().map(|wrong| format!("{name}: {wrong}")));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(cases.len(), 249, "cases");
}

/// A case's files, laid out.
fn laid(name: &str) -> Project {
    let text = fs::read_to_string(CASES).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let case = cases.into_iter().find(|case| case["name"] == name).unwrap();
    let project = Project::bare();
    for (name, file) in case["files"].as_object().unwrap() {
        project.write(name, content(file));
    }
    project
}

#[test]
fn what_is_told_names_everybody_and_everything() {
    let project = laid("good-3-of-4-one-failed-allowed");
    let words = ["attest", "verify", "s.intoto.jsonl", "--trust", "trust.toml", "--lock", "repro.lock"];
    let outcome = project.repro(&words).expect(1);
    outcome
        .prints("reproduced by 3 of 4 auditors (needs 3), 1 failed\n")
        .prints("tool linux/amd64 sha256:d819574b191efc15405bc7c0949d1e515765024692f2888f8d76a35fed31c39f: not met\n")
        .prints("  failed farm-")
        .prints("failed statements may be withheld");
    project.repro(&[&words[..], &["--max-failed", "1"]].concat()).expect(0).prints(": met\n");
}

#[test]
fn an_unsigned_statement_is_signed_shown_and_then_counts() {
    let project = laid("sign-failed");
    let made = project.repro(&["attest", "keygen", "-o", "auditor"]).expect(0);
    let id = made.stdout.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let sign =
        ["attest", "sign", "s.intoto.jsonl", "--key", "auditor.pem", "--lock", "repro.lock", "-o", "out/all.jsonl"];
    project.write("out/all.jsonl", "");
    project.repro(&sign).expect(0).says("signs FAILED with the lockfile sha256:").prints(&id);
    project.repro(&sign).expect(0);
    assert_eq!(project.read("out/all.jsonl").lines().count(), 2);
    project.repro(&["attest", "show", "out/all.jsonl"]).expect(0).prints("FAILED").prints("signature of SHA256:");
    let verify = ["attest", "verify", "out/", "--key", "auditor.pub.pem", "--lock", "repro.lock", "--format", "json"];
    let document = project.repro(&verify).expect(1).json();
    assert_eq!(
        (&document["failed"][0]["auditor"], document["failed"].as_array().unwrap().len()),
        (&Value::String(id), 1)
    );
    let shown = project.repro(&["attest", "show", "out/all.jsonl", "--format", "json"]).expect(0);
    let shown = crate::schema::check("attest-show", &shown.stdout);
    assert_eq!(shown["attestations"][1]["result"], "FAILED");
}

#[test]
fn an_encrypted_key_signs_with_its_passphrase_alone() {
    let project = laid("sign-failed");
    for name in ["pbes2", "cosign"] {
        let key = Path::new("tests/attest/keys").join(format!("{name}.pem"));
        project.write("k.pem", fs::read(key).unwrap());
        fs::set_permissions(project.path().join("k.pem"), Permissions::from_mode(0o600)).unwrap();
        let words = ["attest", "sign", "s.intoto.jsonl", "--key", "k.pem", "--detached"];
        project.repro(&words).expect(2).says("no passphrase");
        for (passphrase, status) in [("secret", 0), ("other", 2)] {
            let mut command = project.command(&words);
            let outcome = crate::project::outcome(command.env("REPRO_KEY_PASSPHRASE", passphrase));
            assert!(!outcome.expect(status).stderr.contains(passphrase));
        }
    }
}

#[test]
fn a_trust_file_of_the_repository_is_taken_only_when_that_is_typed() {
    let project = laid("good-2-of-3");
    let words = ["attest", "verify", "s.intoto.jsonl", "--lock", "repro.lock"];
    project.repro(&words).expect(2).says("nobody is trusted");
    let typed = [&words[..], &["--trust-from-repo"]].concat();
    project.repro(&typed).expect(0).prints("trust.toml, which is the project's own");
    let home = project.home().join(".config/repro");
    fs::create_dir_all(&home).unwrap();
    for name in ["trust.toml", "farm-a.pub.pem", "farm-b.pub.pem", "farm-c.pub.pem"] {
        fs::copy(project.path().join(name), home.join(name)).unwrap();
    }
    project.repro(&words).expect(0).prints("repro/trust.toml\n");
}

/// A recorded project of the native engine, with a remote that holds a password.
fn recorded() -> Project {
    let project = Project::new();
    project
        .write("repro.toml", "version = 1\n[image.app]\nrepository = \"registry.example/acme/App\"\n".to_lowercase());
    project.write("Dockerfile", "FROM scratch\nCOPY a /a\n").write("a", "a\n").write(".gitignore", "out\n").commit();
    project.git(&["remote", "add", "origin", "https://me:secret@git.example/app.git"]);
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    fs::create_dir(project.path().join("out")).unwrap();
    project.repro(&["attest", "keygen", "-o", "out/k"]).expect(0);
    project
}

const IDS: [&str; 6] =
    ["--key", "out/k.pem", "--builder-id", "https://a.example/builder", "--verifier-id", "https://a.example/verifier"];

/// The statements that a file holds.
fn payloads(text: &str) -> Vec<Value> {
    let payload = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["payload"].as_str() {
            Some(payload) => serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap(),
            None => line,
        }
    };
    text.lines().map(payload).collect()
}

#[test]
fn a_verdict_becomes_two_statements_that_others_count() {
    let project = recorded();
    project.repro(&[&["verify", "--attest", "out/o.jsonl"][..], &IDS].concat()).expect(0);
    let text = project.read("out/o.jsonl");
    let [provenance, summary] = &payloads(&text)[..] else { panic!("{text}") };
    assert_eq!(provenance["predicateType"], "https://slsa.dev/provenance/v1");
    let asked = &provenance["predicate"]["buildDefinition"]["externalParameters"];
    assert_eq!((&asked["source"], &asked["target"]), (&"https://git.example/app.git".into(), &"app".into()));
    let predicate = &summary["predicate"];
    assert_eq!(predicate["verificationResult"], "PASSED");
    assert_eq!(predicate["resourceUri"], "pkg:oci/app?repository_url=registry.example/acme/app");
    let line = text.lines().next().unwrap();
    let input = format!("sha256:{}", predicate["inputAttestations"][0]["digest"]["sha256"].as_str().unwrap());
    assert_eq!(input, Digest::of(line.as_bytes()).to_string());
    assert!(predicate["policy"]["uri"].as_str().unwrap().starts_with("git+https://git.example/app.git@"));
    assert!(!payloads(&text).iter().any(|statement| statement.to_string().contains("secret")));
    let count = ["attest", "verify", "out/o.jsonl", "--key", "out/k.pub.pem"];
    project.repro(&count).expect(0).prints("reproduced by 1 of 1 auditors");
    project.write("a", "b\n");
    project.repro(&[&["verify", "--attest", "out/o.jsonl"][..], &IDS].concat()).expect(3);
    project.repro(&["verify", "--attest", "out/o.jsonl", "--key", "out/k.pem"]).expect(2).says("--builder-id");
    assert_eq!(project.read("out/o.jsonl"), text, "nothing was verified");
}

#[test]
fn a_failure_is_attested_and_counts_against() {
    let project = recorded();
    let recorded = project.read("repro.lock");
    let manifest = recorded.lines().find(|line| line.starts_with("manifest")).unwrap();
    let other = recorded.replace(manifest, &format!("manifest = \"sha256:{}\"", "1".repeat(64)));
    project.write("repro.lock", other).commit();
    project.repro(&[&["verify", "--no-explain", "--attest", "out/f.jsonl"][..], &IDS].concat()).expect(1);
    let statements = payloads(&project.read("out/f.jsonl"));
    assert_eq!(statements[1]["subject"][0]["digest"]["sha256"], "1".repeat(64));
    assert_eq!(statements[1]["predicate"]["verifiedLevels"], serde_json::json!(["FAILED"]));
    project.repro(&["attest", "verify", "out/f.jsonl", "--key", "out/k.pub.pem"]).expect(1).prints("1 failed");
}

#[test]
fn what_is_built_is_attested_unsigned_and_counts_for_nothing() {
    let project = recorded();
    project.repro(&["build", "--attest", "out/p.jsonl"]).expect(0);
    project.repro(&["build", "--no-cache", "--attest", "out/p.jsonl"]).expect(0);
    let statements = payloads(&project.read("out/p.jsonl"));
    let cache = |place: usize| statements[place]["predicate"]["buildDefinition"]["internalParameters"]["cache"].clone();
    assert_eq!((cache(0), cache(1)), ("private".into(), "off".into()));
    project.repro(&["attest", "verify", "out/p.jsonl", "--key", "out/k.pub.pem"]).expect(1).prints("unsigned: 2");
    project.repro(&["attest", "show", "out/p.jsonl"]).expect(0).prints("unsigned").prints("unidentified");
}

#[test]
fn outside_a_project_the_question_is_missing_and_not_a_manifest() {
    let project = Project::bare();
    let nowhere = tempfile::tempdir().unwrap();
    let verify = ["-C", nowhere.path().to_str().unwrap(), "attest", "verify", "app.intoto.jsonl"];
    project
        .repro(&verify)
        .expect(2)
        .says("no lockfile says which image is asked about")
        .says("`--lock FILE` or `--image");
}

/// What BuildKit puts beside an image that it gave no name has no subject.
#[test]
fn provenance_of_buildkit_is_shown_though_it_is_about_nothing() {
    let project = Project::bare();
    for (document, kind) in [("34-default", "v1"), ("26-v02-min", "v0.2")] {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/imports/docs/{document}.tar"));
        let layout = format!("{document}/");
        project.repro(&["copy", archive.to_str().unwrap(), &layout]).expect(0);
        let shown = project.repro(&["attest", "show", "--from", &layout]).expect(0);
        shown.prints(&format!("https://slsa.dev/provenance/{kind}, unsigned")).prints("built by nobody named");
    }
}
