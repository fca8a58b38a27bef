//! `repro inspect` through the binary: what it takes, what it tells, how it ends.

use std::io::Write;
use std::process::Stdio;

use crate::project::Project;
use repro::parts::digest::Digest;
use serde_json::{Value, json};

/// A project with an image, built by the native engine into `app.tar` and `layout`.
fn built() -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nrepository = \"registry.example/app\"\ntags = [\"1\"]\n");
    let dockerfile = "FROM scratch\nCOPY a b* /data/\nUSER 7\nENV A=b\nLABEL l=v\nENTRYPOINT [\"/x\"]\n";
    project.write("Dockerfile", dockerfile).write("a", "a\n").write("b\u{1b}[31m", "b\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "-o", "app.tar"]).expect(0);
    project.repro(&["build", "-o", "docker.tar", "--archive", "docker"]).expect(0);
    project.repro(&["build", "-o", "layout/"]).expect(0);
    project
}

fn inspect(project: &Project, arguments: &[&str], status: i32) -> Value {
    let outcome = project.repro(&[&["inspect"], arguments, &["--format", "json"]].concat()).expect(status);
    let document = crate::schema::check("inspect", &outcome.stdout);
    assert_eq!(document["status"], status, "{document}");
    document
}

#[test]
fn an_image_tells_everything_about_itself_in_every_form() {
    let project = built();
    let first = inspect(&project, &["app.tar", "--layers"], 0);
    assert_eq!(first["form"], "oci");
    assert_eq!(first["verdict"], "valid");
    let image = &first["images"][0];
    assert_eq!(image["platform"], "linux/amd64");
    assert_eq!((&image["user"], &image["env"][1], &image["entrypoint"]), (&json!("7"), &json!("A=b"), &json!(["/x"])));
    assert_eq!(image["labels"], json!({"l": "v"}));
    assert_eq!(image["times_within_created"], true);
    assert_eq!(image["history"].as_array().unwrap().len(), 5);
    let layer = &image["layers"][0];
    assert_eq!((&layer["compression"], &layer["entries"]), (&json!("gzip"), &json!(3)));
    assert_eq!(layer["listing"][2]["path"], "data/b\u{1b}[31m");
    assert_eq!(
        layer["listing"][1],
        json!({"path": "data/a", "kind": "file", "mode": "0644", "uid": 0, "gid": 0,
        "size": 2, "mtime": 1_700_000_000})
    );
    for other in ["layout", "docker.tar"] {
        let document = inspect(&project, &[other, "--layers"], 0);
        for member in ["config", "user", "history", "platform"] {
            assert_eq!(document["images"][0][member], image[member], "{other} {member}");
        }
        assert_eq!(document["images"][0]["layers"][0]["listing"], layer["listing"], "{other}");
    }
    for command in ["inspect", "analyze"] {
        let text = project.repro(&[command, "app.tar", "--layers"]).expect(0).stdout;
        for part in ["image ", " for linux/amd64\n", "\"data/b\\u{1b}[31m\"", "COPY a b* /data/", "\nvalid: ", "| {"] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }
}

#[test]
fn an_archive_from_a_pipe_is_told_like_one_in_a_file() {
    let project = built();
    let mut command = project.command(&["inspect", "-", "--format", "json"]);
    let mut cat = std::process::Command::new("cat");
    let mut cat = cat.arg(project.path().join("app.tar")).stdout(Stdio::piped()).spawn().unwrap();
    let output = command.stdin(cat.stdout.take().unwrap()).output().unwrap();
    assert!(cat.wait().unwrap().success());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let piped = crate::schema::check("inspect", &String::from_utf8(output.stdout).unwrap());
    let mut read = inspect(&project, &["app.tar"], 0);
    read["source"] = piped["source"].clone();
    assert_eq!(piped, read);
}

#[test]
fn a_wait_for_a_silent_pipe_ends_with_a_signal() {
    let project = built();
    let pipe = project.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = project.command(&["inspect", "pipe"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Opened once the other side is, which then listens for signals.
    let mut writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(&std::fs::read(project.path().join("app.tar")).unwrap()[..1500]).unwrap();
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_expected_digest_is_compared_with_or_without_its_algorithm() {
    let project = built();
    let document = inspect(&project, &["app.tar"], 0);
    let digest = document["images"][0]["manifest"].as_str().unwrap();
    let config = document["images"][0]["config"].as_str().unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    for (source, expected, status) in [
        ("app.tar", digest, 0),
        ("app.tar", &digest["sha256:".len()..], 0),
        ("layout", digest, 0),
        ("app.tar", &other, 1),
        ("app.tar", config, 1),
        ("docker.tar", config, 1),
        ("docker.tar", digest, 0),
        ("app.tar", "sha256:abc", 2),
        ("app.tar", "md5:abc", 2),
        ("app.tar", "SHA256:abc", 2),
        ("absent.tar", digest, 2),
    ] {
        let outcome = project.repro(&["inspect", source, "--expected-image-digest", expected]);
        assert_eq!(outcome.status, status, "{source} {expected}: {outcome:?}");
        assert_eq!(outcome.stdout.contains("as expected"), status == 0, "{outcome:?}");
    }
    let outcome = inspect(&project, &["app.tar", "--expected-image-digest", &other], 1);
    assert_eq!(outcome["expected"], json!({"expected": other, "found": digest, "equal": false}));
    assert_eq!(outcome["error"]["status"], 1);
}

#[test]
fn a_broken_image_never_has_the_expected_digest() {
    let project = built();
    let digest = inspect(&project, &["app.tar"], 0)["images"][0]["manifest"].as_str().unwrap().to_owned();
    let layer = inspect(&project, &["layout"], 0)["images"][0]["layers"][0]["digest"].as_str().unwrap().to_owned();
    project.write(&format!("layout/blobs/sha256/{}", &layer["sha256:".len()..]), "another layer");
    let document = inspect(&project, &["layout", "--expected-image-digest", &digest], 6);
    assert_eq!((&document["verdict"], &document["expected"]), (&json!("invalid"), &Value::Null));
    let rules: Vec<_> = document["faults"].as_array().unwrap().iter().map(|violation| &violation["rule"]).collect();
    assert!(rules.len() >= 2 && rules.iter().all(|rule| *rule == "V1"), "digest and size are told: {rules:?}");
}

#[test]
fn a_choice_that_the_archive_does_not_have_is_named_with_those_that_it_has() {
    let project = built();
    inspect(&project, &["app.tar", "--platform", "linux/amd64"], 0);
    for (arguments, message) in [
        (&["app.tar", "--platform", "linux/arm64"][..], "no image is for `linux/arm64`; there are: linux/amd64"),
        (&["docker.tar", "--image", "other"], "no image is called other"),
        (&["absent.tar"], "cannot read absent.tar"),
    ] {
        project.repro(&[&["inspect"], arguments].concat()).expect(2).says(message);
        let document = inspect(&project, arguments, 2);
        assert!(document["error"]["message"].as_str().unwrap().contains(message), "{document}");
    }
}

#[test]
fn what_is_no_image_archive_is_refused() {
    let project = built();
    project.write("empty.tar", "").write("text", "hello\n").write("folder/file", "x").write("zip", b"PK\x03\x04xxxx");
    project.write("packed.tar.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    for source in ["empty.tar", "text", "folder", "zip", "packed.tar.gz", "/dev/null"] {
        let outcome = project.repro(&["inspect", source]).expect(6);
        assert!(outcome.stdout.contains("invalid: ") || outcome.stderr.contains("device"), "{outcome:?}");
    }
}

#[test]
fn fast_leaves_layers_unread_and_says_so() {
    let project = built();
    let document = inspect(&project, &["app.tar", "--fast"], 0);
    assert_eq!(document["verdict"], "documents-valid");
    assert_eq!(document["images"][0]["layers"][0]["entries"], Value::Null);
    let text = project.repro(&["inspect", "app.tar", "--fast"]).expect(0).stdout;
    assert!(text.contains("layers were not read (`--fast`)") && !text.contains("\nvalid:"), "{text}");
}

#[test]
fn limits_are_lowered_and_raised_by_their_names() {
    let project = built();
    for limit in ["json-bytes=10", "layer-bytes=100", "tar-entries=1", "archive-members=1", "json-depth=1"] {
        let outcome = project.repro(&["inspect", "app.tar", "--limit", limit]).expect(6);
        let name = limit.split('=').next().unwrap();
        assert!(outcome.stderr.contains(&format!("limit `{name}`")), "{outcome:?}");
    }
    project.repro(&["inspect", "app.tar", "--limit", "json-bites=10"]).expect(2);
}

#[test]
fn a_layer_that_is_no_tar_is_refused_by_its_media_type() {
    let project = built();
    let blob = |digest: &Value| format!("layout/blobs/{}", digest.as_str().unwrap().replace(':', "/"));
    let index: Value = serde_json::from_str(&project.read("layout/index.json")).unwrap();
    let mut manifest = index["manifests"][0].clone();
    let mut image: Value = serde_json::from_str(&project.read(&blob(&manifest["digest"]))).unwrap();
    for (media_type, says) in [
        ("application/vnd.oci.image.layer.v1.erofs", "layers are tars; file system images such as EROFS are not read"),
        ("application/vnd.erofs.layer.v1", "layers are tars; file system images such as EROFS are not read"),
        ("application/vnd.oci.image.layer.v1.tar+xz", "layers are plain, gzip or zstd; other encodings are refused"),
    ] {
        image["layers"][0]["mediaType"] = json!(media_type);
        let text = image.to_string();
        manifest["digest"] = json!(Digest::of(text.as_bytes()).to_string());
        manifest["size"] = json!(text.len());
        project.write(&blob(&manifest["digest"]), &text);
        let index = json!({"schemaVersion": 2, "mediaType": index["mediaType"], "manifests": [manifest]});
        project.write("layout/index.json", index.to_string());
        let outcome = project.repro(&["inspect", "layout"]).expect(6);
        let said = outcome.stdout + &outcome.stderr;
        assert!(said.contains(&format!("`{media_type}`: {says}")), "{said}");
    }
}
