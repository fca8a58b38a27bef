//! The other forms of `repro lint`, many files at once, and what other commands say of it.

use serde_json::Value;

use crate::project::Project;

const BASE: &str = "FROM debian:12.5-slim@sha256:5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c\n";

/// A project whose Dockerfile, in a directory with a blank, has an error with a fix and an allowed warning.
fn project() -> Project {
    let project = Project::bare();
    let allow = "# repro: allow=R072 reason=\"a test\"\n";
    project.write(
        "a b/Dockerfile",
        format!("{BASE}RUN --network=none : é && date > /a\n{allow}RUN --network=none gzip /a\n"),
    );
    project
}

#[test]
fn sarif_has_rules_places_fixes_and_suppressions() {
    let log = project().repro(&["lint", "a b/Dockerfile", "--format", "sarif"]).expect(1).json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let [error, allowed] = [&results[0], &results[1]];
    let rule = &rules[usize::try_from(error["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!((&rule["id"], &error["ruleId"], &error["level"]), (&"R040".into(), &"R040".into(), &"error".into()));
    let place = &error["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/Dockerfile");
    let region =
        |region: &Value| ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64().unwrap());
    assert_eq!(region(&place["region"]), [2, 27, 2, 31]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let replacements = error["fixes"][0]["artifactChanges"][0]["replacements"].as_array().unwrap();
    assert_eq!(replacements.len(), 2);
    assert!(replacements.iter().any(|edit| edit["insertedContent"]["text"] == "ARG SOURCE_DATE_EPOCH\n"));
    assert_eq!(allowed["suppressions"][0]["justification"], "a test");
    assert_eq!(run["invocations"][0]["exitCode"], 1);
}

#[test]
fn code_hosts_are_told_lines_and_nothing_that_is_allowed() {
    let project = project();
    let text = project.repro(&["lint", "a b/Dockerfile", "--format", "github"]).expect(1).stdout;
    let start = "::error file=a b/Dockerfile,line=2,endLine=2,col=27,endColumn=31,title=R040 wall-clock::the clock enters the layer%0Ahelp: ";
    assert!(text.starts_with(start) && text.lines().count() == 1, "{text}");
    let report = project.repro(&["lint", "a b/Dockerfile", "--format", "gitlab"]).expect(1).json();
    let [entry] = report.as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&entry["check_name"], &entry["severity"]), (&"R040".into(), &"major".into()));
    assert_eq!(entry["location"], serde_json::json!({"path": "a b/Dockerfile", "lines": {"begin": 2, "end": 2}}));
    let fingerprint = entry["fingerprint"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(project.path().join("a b/Dockerfile")).unwrap();
    project.write("a b/Dockerfile", text.replace(BASE, &format!("{BASE}# one line more\n")));
    let report = project.repro(&["lint", "a b/Dockerfile", "--format", "gitlab"]).expect(1).json();
    assert_eq!(report[0]["fingerprint"], fingerprint);
    for format in ["sarif", "github", "gitlab"] {
        project.repro(&["lock", "--format", format]).expect(2).says("are forms of `repro lint`");
    }
}

#[test]
fn many_files_are_looked_at_and_one_that_fails_hides_none() {
    let project = Project::bare();
    for number in 0..50 {
        project.write(&format!("{number}.Dockerfile"), format!("{BASE}RUN --network=none date > /{number}\n"));
    }
    project.write("bad.Dockerfile", "FOO\n");
    let mut words = vec!["lint".to_owned(), "--format".to_owned(), "json".to_owned(), "bad.Dockerfile".to_owned()];
    words.extend((0..50).map(|number| format!("{number}.Dockerfile")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let document = project.repro(&words).expect(2).json();
    let files: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert_eq!(files, (0..50).map(|number| format!("{number}.Dockerfile")).collect::<Vec<_>>());
    assert!(document["error"]["message"].as_str().unwrap().contains("FOO"));
}

#[test]
fn text_is_coloured_for_terminals_only() {
    let words = ["lint", "a b/Dockerfile"];
    assert!(!project().repro(&words).stdout.contains('\u{1b}'));
    let coloured = project().repro(&["lint", "a b/Dockerfile", "--color", "always"]).stdout;
    assert!(coloured.contains("\u{1b}["), "{coloured}");
}

#[test]
fn what_the_manifest_scrubs_is_no_finding() {
    let project = Project::bare();
    let manifest = "version = 1\n[image.app]\nscrub = [\"ldconfig-cache\", \"shadow-day\", \"shadow-backup\"]\n";
    project.write("Dockerfile", format!("{BASE}RUN --network=none ldconfig\nRUN --network=none usermod -p x app\n"));
    project.repro(&["lint", "-f", "Dockerfile"]).expect(1).prints("R046").prints("R052").prints("R053");
    project.write("repro.toml", manifest);
    let document = project.repro(&["lint", "--format", "json"]).expect(0).json();
    assert_eq!(document["findings"], serde_json::json!([]));
}

#[test]
fn a_frontend_that_the_manifest_names_is_the_one_that_counts() {
    let project = Project::bare();
    project.write("Dockerfile", format!("# syntax=docker/dockerfile:1\n{BASE}COPY a /\n"));
    for (frontend, codes) in [("", "R004"), ("frontend = \"builtin\"\n", "")] {
        project.write("repro.toml", format!("version = 1\n[image.app]\n{frontend}"));
        let document = project.repro(&["lint", "--no-lock", "--format", "json"]).json();
        let found: String = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["code"].as_str().unwrap())
            .filter(|c| *c == "R004")
            .collect();
        assert_eq!(found, codes, "{frontend}");
    }
}

#[test]
fn init_offers_the_lines_that_settle_findings() {
    let project = Project::bare();
    project.write("Dockerfile", format!("{BASE}RUN --network=none useradd -u 1000 app\n"));
    project.repro(&["init"]).expect(0);
    let manifest = std::fs::read_to_string(project.path().join("repro.toml")).unwrap();
    assert!(
        manifest
            .contains("# run-env = { SOURCE_DATE_EPOCH = \"epoch\" } # settles what `repro lint` finds: R041, R046\n"),
        "{manifest}"
    );
    assert!(
        manifest
            .contains("# scrub = [\"shadow-backup\", \"shadow-day\"] # settles what `repro lint` finds: R046, R053\n"),
        "{manifest}"
    );
    let told = manifest.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
    project.write("repro.toml", told);
    let document = project.repro(&["lint", "--no-lock", "--format", "json"]).expect(0).json();
    assert_eq!(document["findings"], serde_json::json!([]));
}

#[test]
fn a_program_that_only_the_build_runs_may_hold_its_paths() {
    let tool = "FROM golang:1.26.3@sha256:5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c AS b\n\
                WORKDIR /src\nRUN go build -o /out/tool . && /out/tool > /gen/x\nFROM scratch\n";
    for (copied, is_found) in [("/gen/x", false), ("/out", true), ("/out/tool", true)] {
        let project = Project::bare();
        project.write("Dockerfile", format!("{tool}COPY --from=b {copied} /\n"));
        let text = project.repro(&["lint", "-f", "Dockerfile", "--fail-on", "info"]).stdout;
        assert_eq!(text.contains("R077"), is_found, "{copied}\n{text}");
    }
}

#[test]
fn lock_says_in_one_line_what_it_does_not_settle() {
    let project = Project::bare();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n");
    project.write("Dockerfile", "FROM scratch\nRUN --network=none date > /a\n");
    let line = "1 error that the lockfile does not settle: `repro lint` shows what may not reproduce";
    project.repro(&["lock"]).expect(0).says(line);
    assert!(!project.repro(&["lock", "-q"]).expect(0).stderr.contains(line));
    project.write("Dockerfile", "FROM scratch\nCOPY repro.toml /\n");
    assert!(!project.repro(&["lock"]).expect(0).stderr.contains("does not settle"));
}
