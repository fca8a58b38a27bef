//! Verdicts that explain themselves, and what is read for it: no more than differs, and never less than it takes to call
//! something the same. No rig.

use std::fs;

use serde_json::Value;

use super::published::Published;
use crate::project::Project;

const NATIVE: [&str; 2] = ["--engine", "native"];

/// Builds the tree with `content` in its file, and records it; the lockfile, and the image as an archive of that name.
fn record(project: &Project, content: &str, archive: &str) -> String {
    project.write("f", content).commit();
    project.repro(&[&["build", "--record", "-o", archive], &NATIVE[..]].concat()).expect(0);
    project.read("repro.lock")
}

/// A tree whose record has the digests of another tree's image, whose bytes are in `.git/meant.tar`.
fn misrecorded() -> Project {
    let project = Project::new();
    project
        .write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = \"1700000000\"\n")
        .write("Dockerfile", "FROM scratch\nLABEL a=b\nCOPY f /d/\n");
    project.commit().repro(&["lock"]).expect(0);
    let meant = record(&project, "one\ntwo\n", ".git/meant.tar");
    let lockfile = record(&project, "one\nthree\n", ".git/other.tar");
    let is_digest = |line: &str| {
        let line = line.trim_start();
        ["manifest =", "config =", "layers ="].iter().any(|key| line.starts_with(key))
            || line.starts_with("\"sha256:") && line.ends_with("\",")
    };
    let mut digests = meant.lines().filter(|line| is_digest(line));
    let edited =
        lockfile.lines().map(|line| if is_digest(line) { digests.next().unwrap() } else { line }.to_owned() + "\n");
    project.write("repro.lock", edited.collect::<String>()).commit();
    project
}

/// The explanation in the document of `verify`.
fn explanation(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["verify"], &NATIVE[..], arguments, &["--format", "json"]].concat();
    let document = crate::schema::check("verify", &project.repro(&arguments).expect(1).stdout);
    document["images"][0]["explanation"].clone()
}

/// The difference of the file whose content was changed.
fn of_file(explanation: &Value) -> &Value {
    let differences = explanation["platforms"][0]["differences"].as_array().unwrap();
    differences.iter().find(|found| found["path"] == "d/f").unwrap_or_else(|| panic!("{explanation}"))
}

#[test]
fn a_rebuilt_image_is_held_against_the_recorded_bytes_where_they_are_at_hand() {
    let project = misrecorded();
    let told = project.repro(&["verify", "--engine", "native", "--expected", ".git/meant.tar"]).expect(1);
    for line in [
        "app: why the rebuilt image (rebuilt) is not the recorded one (.git/meant.tar):\n",
        "    layer 1 d/f content (Dockerfile line 3)\n",
        "      -two\n      +three\n",
    ] {
        assert!(told.stdout.contains(line), "{line}: {told:?}");
    }
    assert!(!told.stdout.contains('\u{1b}'), "colours are for terminals: {told:?}");
    let explained = explanation(&project, &["--expected", ".git/meant.tar"]);
    assert_eq!((&explained["question"], &of_file(&explained)["line"]), (&"recorded".into(), &3.into()));
}

#[test]
fn without_them_a_second_build_tells_whether_the_image_varies() {
    let project = misrecorded();
    let told = project.repro(&["verify", "--engine", "native"]).expect(1);
    assert!(told.stdout.contains("app: built again without cache it is the same"), "{told:?}");
    let explained = explanation(&project, &[]);
    assert_eq!((&explained["question"], &explained["same"]), (&"second-build".into(), &true.into()));
    let other = project.repro(&["verify", "--engine", "native", "--expected", ".git/other.tar"]).expect(1);
    assert!(other.says("`.git/other.tar` is not the recorded image").stdout.contains("built again without cache"));
    assert_eq!(explanation(&project, &["--no-explain"]), Value::Null);
}

#[test]
fn what_is_published_is_explained_first_and_reported() {
    let project = misrecorded();
    project.write("repro.lock", project.git(&["show", "HEAD~1:repro.lock"])).commit();
    record(&project, "one\nthree\n", ".git/other.tar");
    project.commit();
    let told = project
        .repro(&[
            "verify",
            "--engine",
            "native",
            "--against",
            "./.git/meant.tar",
            "--report",
            "why.json",
            "--report",
            "why.md",
        ])
        .expect(1);
    assert!(told.stdout.contains("is not the published one (./.git/meant.tar):\n"), "{told:?}");
    let document = crate::schema::check("diff", &project.read("why.json"));
    assert_eq!((&document["question"], &document["status"]), (&"published".into(), &1.into()));
    assert!(of_file(&document)["detail"]["hunks"].is_array() && project.read("why.md").contains("`d/f`"));
    fs::remove_file(project.path().join("why.md")).unwrap();

    project.repro(&["verify", "--engine", "native", "--report", "why.json"]).expect(0);
    let document = crate::schema::check("diff", &project.read("why.json"));
    assert_eq!((&document["question"], &document["same"]), (&"nothing".into(), &true.into()));
    project.repro(&["verify", "--engine", "native", "--report", "why.txt"]).expect(2);
}

#[test]
fn a_record_is_compared_as_far_as_its_digests_tell() {
    let project = misrecorded();
    let diff = |second: &str, status| {
        let told = project.repro(&["diff", "lock:app", second, "--format", "json"]).expect(status);
        crate::schema::check("diff", &told.stdout)["platforms"][0].clone()
    };
    assert_eq!(diff(".git/meant.tar", 0)["verdict"], "same");
    assert_eq!(diff("lock:app", 0)["verdict"], "same");
    let other = diff(".git/other.tar", 1);
    let told: Vec<(&Value, &Value)> =
        other["differences"].as_array().unwrap().iter().map(|found| (&found["code"], &found["level"])).collect();
    assert_eq!(told, [(&"C009".into(), &"config".into()), (&"C009".into(), &"layer".into())]);
    project.repro(&["diff", "lock:absent", ".git/meant.tar"]).expect(2);
    project.repro(&["build", "-o", ".git/meant-docker.tar", "--archive", "docker", "--engine", "native"]).expect(1);
    let docker = diff(".git/meant-docker.tar", 1);
    assert_eq!(docker["verdict"], "differs");
}

#[test]
fn of_a_registry_only_what_differs_is_fetched() {
    let published = Published::new();
    let layer = published.manifest()["layers"][0]["digest"].as_str().unwrap().to_owned();
    let (server, name) = published.serve();
    let name = format!("docker://{name}");
    let fetched = || server.seen().iter().filter(|seen| seen.path().contains(&layer)).count();
    published.project.repro(&["diff", ".git/layout", &name]).expect(0);
    let mut config: Value = {
        let digest = published.manifest()["config"]["digest"].as_str().unwrap().to_owned();
        serde_json::from_slice(&fs::read(published.blob(&digest)).unwrap()).unwrap()
    };
    config["config"]["User"] = "7".into();
    let mut manifest = published.manifest();
    let media_type = manifest["config"]["mediaType"].as_str().unwrap().to_owned();
    manifest["config"] = published.put(&media_type, config.to_string().as_bytes());
    published.name(&published.put(crate::server::images::OCI_MANIFEST, manifest.to_string().as_bytes()));
    let told = published.project.repro(&["diff", ".git/layout", &name]).expect(1);
    assert!(told.stdout.contains("C023"), "{told:?}");
    assert_eq!(fetched(), 0);
    let other = Published::new();
    other.project.write("f", "other").commit().repro(&["build", "--engine", "native", "-o", "other.tar"]).expect(0);
    let told = other.project.repro(&["diff", "other.tar", &name]).expect(1);
    assert!(told.stdout.contains("f content"), "{told:?}");
    assert_eq!(fetched(), 1);
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_never_called_the_same() {
    let project = Project::new();
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let noise: Vec<u8> = noise.take(200 << 10).collect();
    project.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", "FROM scratch\nCOPY f /\n");
    project.write("f", noise).commit().repro(&["lock"]).expect(0);
    for layout in ["one/", "two/"] {
        project.repro(&["build", "--engine", "native", "-o", layout]).expect(0);
    }
    project.repro(&["diff", "one", "two"]).expect(0);
    let blobs = fs::read_dir(project.path().join("two/blobs/sha256")).unwrap().map(|blob| blob.unwrap().path());
    let layer = blobs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = fs::read(&layer).unwrap();
    bytes[100_000] ^= 1;
    fs::write(&layer, bytes).unwrap();
    project.repro(&["diff", "one", "two"]).expect(6).says("digest mismatch");
}
