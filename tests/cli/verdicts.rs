//! What `repro verify` says of an image that is equal, and is more than that or less. No rig.

use serde_json::{Value, json};

use crate::project::{Outcome, Project};

const VERIFY: [&str; 3] = ["verify", "--engine", "native"];

/// A project of one file, recorded and committed; `table` is added to the image's table.
fn recorded(table: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", format!("version = 1\n[image.app]\nsource-date-epoch = \"1700000000\"\n{table}"));
    project.write("Dockerfile", "FROM scratch\nCOPY d /d\n").write("d/f", "content");
    record(&project);
    project
}

fn record(project: &Project) {
    project.commit().repro(&["lock"]).expect(0);
    project.repro(&["build", "--record", "--engine", "native"]).expect(0);
    project.commit();
}

fn verify(project: &Project, arguments: &[&str]) -> Outcome {
    project.repro(&[&VERIFY[..], arguments].concat())
}

fn document(project: &Project, arguments: &[&str]) -> Value {
    verify(project, &[arguments, &["--format", "json"]].concat()).json()
}

#[test]
fn an_open_network_is_never_plainly_reproduced() {
    let project = recorded("network = \"open\"\n");
    for (arguments, status) in [(&[][..], 1), (&["--allow-open-network"], 0)] {
        let told = verify(&project, arguments).expect(status);
        assert!(told.stdout.starts_with("app linux/amd64: open-network sha256:"), "{told:?}");
        assert!(!told.stdout.contains("reproduced"), "{told:?}");
        assert_eq!(told.stdout.contains("`--allow-open-network`"), status == 1, "{told:?}");
        let document = document(&project, arguments);
        let platform = &document["images"][0]["platforms"][0];
        assert_eq!((&platform["verdict"], &platform["status"]), (&json!("open-network"), &json!(status)));
        assert_eq!(document["status"], status);
    }
    let checked = project.repro(&["build", "--self-check", "--engine", "native"]).expect(0);
    assert!(checked.stdout.contains("but RUN could reach the whole network"), "{checked:?}");
    let project = recorded("allow = [{ what = \"network.host\", reason = \"a test\" }]\n");
    verify(&project, &[]).expect(0);
    let told = verify(&project, &["--allow-from-repo"]).expect(1);
    assert!(told.stdout.contains("open-network"), "{told:?}");
}

#[test]
fn what_is_not_committed_is_called_dirty_with_its_names() {
    let project = recorded("");
    let commit = project.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let clean = verify(&project, &[]).expect(0);
    assert!(!clean.stdout.contains("dirty"), "{clean:?}");
    let checkout = document(&project, &[])["checkout"].clone();
    assert_eq!(checkout, json!({ "commit": commit, "branch": "main", "dirty": [] }));

    project.write("Dockerfile", "FROM scratch\nCOPY d /d\nENTRYPOINT [\"/other\"]\n");
    project.write("repro.toml", format!("{}\n", project.read("repro.toml")));
    project.repro(&["build", "--record", "--engine", "native"]).expect(0);
    let dirty = format!("dirty: not as commit {commit} has it: Dockerfile, repro.lock, repro.toml\n");
    for staged in [false, true] {
        if staged {
            project.git(&["add", "-A"]);
            project.git(&["update-index", "--assume-unchanged", "Dockerfile"]);
        }
        let told = verify(&project, &[]).expect(0);
        assert!(told.stdout.ends_with(&dirty), "{told:?}");
        let checkout = document(&project, &[])["checkout"].clone();
        assert_eq!(checkout["dirty"], json!(["Dockerfile", "repro.lock", "repro.toml"]));
    }
    project.git(&["update-index", "--no-assume-unchanged", "Dockerfile"]);
    project.commit().git(&["checkout", "-q", "--detach"]);
    let checkout = document(&project, &[])["checkout"].clone();
    assert_eq!((&checkout["branch"], &checkout["dirty"]), (&Value::Null, &json!([])));
}

#[test]
fn what_a_context_holds_otherwise_than_the_commit_is_dirty_staged_or_not() {
    let project = recorded("include = [\"d/generated\"]\n");
    project.write("d/gone/f", "").write("other", "").commit();
    let commit = |project: &Project| drop(project.git(&["commit", "-q", "-m", "the lockfile", "repro.lock"]));
    let record = |project: &Project| {
        project.repro(&["build", "--record", "--engine", "native"]).expect(0);
        commit(project);
        document(project, &[])["checkout"]["dirty"].clone()
    };
    project.write("d/gone/f", "edited").write("other", "not reached");
    assert_eq!(record(&project), json!(["d/gone/f"]));
    project.git(&["add", "-A"]);
    assert_eq!(document(&project, &[])["checkout"]["dirty"], json!(["d/gone/f"]), "staged, and as the lockfile has it");
    project.git(&["rm", "-q", "-rf", "d/gone"]);
    assert_eq!(record(&project), json!(["d/gone"]));
    project.write("d/generated", "untracked");
    project.git(&["commit", "-q", "-m", "all but that"]);
    assert_eq!(record(&project), json!(["d/generated"]));
    let told = verify(&project, &[]).expect(0);
    assert!(told.stdout.contains("has it: d/generated\n"), "{told:?}");
}

#[test]
fn what_is_staged_inside_a_submodule_is_dirty() {
    let inner = Project::bare();
    inner.git(&["init", "-q", "-b", "main"]);
    inner.write("f", "f").write("g", "g").commit();
    let project = recorded("");
    let url = inner.path().to_str().unwrap();
    project.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", url, "d/sub"]);
    project.commit();
    let dirty = || {
        project.repro(&["build", "--record", "--engine", "native"]).expect(0);
        project.git(&["commit", "-q", "-m", "the lockfile", "repro.lock"]);
        document(&project, &[])["checkout"]["dirty"].clone()
    };
    assert_eq!(dirty(), json!([]));
    project.write("d/sub/f", "other").git(&["-C", "d/sub", "add", "f"]);
    assert_eq!(dirty(), json!(["d/sub/f"]));
    project.git(&["-C", "d/sub", "rm", "-q", "-f", "g"]);
    assert_eq!(dirty(), json!(["d/sub/f", "d/sub/g"]));
}

#[test]
fn a_link_in_the_place_of_a_committed_file_is_dirty_and_a_committed_link_is_not() {
    use std::fs;
    use std::os::unix::fs::symlink;
    let project = Project::new();
    project
        .write("repro.toml", "version = 1\n[image.app]\ndockerfile = \"docker/Dockerfile\"\n")
        .write("d/f", "content");
    project.write("one/Dockerfile", "FROM scratch\nCOPY d /d\n").write("two/Dockerfile", "FROM scratch\nCOPY d /d\n");
    let link = project.path().join("docker");
    symlink("one", &link).unwrap();
    record(&project);
    let dirty = || document(&project, &[])["checkout"]["dirty"].clone();
    assert_eq!(dirty(), json!([]));
    fs::remove_file(&link).unwrap();
    symlink("two", &link).unwrap();
    assert_eq!(dirty(), json!(["docker/Dockerfile"]));
    fs::remove_file(&link).unwrap();
    fs::create_dir(&link).unwrap();
    symlink("../one/Dockerfile", link.join("Dockerfile")).unwrap();
    assert_eq!(dirty(), json!(["docker", "docker/Dockerfile"]));
}

#[test]
fn line_ends_that_a_checkout_made_are_not_dirty() {
    let project = recorded("");
    project.write(".gitattributes", "*.toml text eol=crlf\nDockerfile text\n").commit();
    let manifest = project.read("repro.toml").replace('\n', "\r\n");
    project.write("repro.toml", manifest);
    let checkout = document(&project, &[])["checkout"].clone();
    assert_eq!(checkout["dirty"], json!([]));
}

#[test]
fn a_record_that_contradicts_itself_is_malformed() {
    let one = recorded("");
    let two = recorded("platforms = [\"linux/amd64\", \"linux/arm64\"]\n");
    let digest = format!("\"sha256:{}\"", "e".repeat(64));
    let edit = |text: &str, key: &str, line: &str| -> String {
        let mut is_done = false;
        let edited = text.lines().map(|old| {
            let is_it = !is_done && text.find(old) > text.find(".record]") && old.trim_start().starts_with(key);
            is_done |= is_it;
            if is_it { line.to_owned() } else { old.to_owned() }
        });
        edited.map(|line| line + "\n").collect()
    };
    for (project, key, line) in [
        (&one, "config", format!("config = {digest}")),
        (&one, "\"sha256:", format!("    {digest},")),
        (&one, "layers", format!("layers = [\n    {digest},")),
        (&one, "size", "size = 17".to_owned()),
        (
            &one,
            "dockerfile",
            format!(
                "{}\nindex = {digest}",
                one.read("repro.lock").lines().find(|line| line.starts_with("dockerfile")).unwrap()
            ),
        ),
        (&two, "index", format!("index = {digest}")),
        (&two, "index", String::new()),
        (&two, "size", "size = 17".to_owned()),
    ] {
        let before = project.read("repro.lock");
        let edited = edit(&before, key, &line);
        assert_ne!(edited, before, "{key}");
        project.write("repro.lock", edited);
        for arguments in [
            &VERIFY[..],
            &["verify", "--engine", "native", "--platform", "linux/amd64"],
            &["build"],
            &["build", "--locked"],
        ] {
            let told = project.repro(arguments).expect(6).says("by hand or by an attacker");
            assert!(!told.stdout.contains("reproduced"), "{key}: {told:?}");
        }
        project.write("repro.lock", before);
        verify(project, &[]).expect(0);
    }
}
