//! Projects that are not checked out here, and what is published under their own names. No rig: the native engine.

use crate::project::Project;
use crate::serving::Serving;

const MANIFEST: &str = "version = 1\n[image.app]\nrepository = \"HOST/team/app\"\ntags = [\"1\", \"latest\"]\n";

/// A recorded project whose image is published at `host`.
fn recorded(host: &str, more: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", MANIFEST.replace("HOST", host) + more);
    project.write("Dockerfile", "FROM scratch\nCOPY f /\n").write("f", "f").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    project
}

#[test]
fn a_repository_is_verified_without_a_checkout() {
    let project = recorded("registry.example", "");
    project.git(&["tag", "v1"]);
    let commit = project.git(&["rev-parse", "HEAD"]).trim().to_owned();
    project.write("f", "other").commit();
    let url = format!("file://{}", project.path().display());
    let here = Project::bare();
    let outcome = here.repro(&["verify", &url, "--rev", "v1", "--format", "json"]).expect(0);
    let document = crate::schema::check("verify", &outcome.stdout);
    assert_eq!(
        (&document["origin"]["commit"], &document["checkout"]["commit"]),
        (&commit.as_str().into(), &commit.as_str().into())
    );
    assert_eq!(document["origin"]["named_by"], "user");
    assert!(document["checkout"]["dirty"].as_array().unwrap().is_empty(), "{document}");
    here.repro(&["verify", &url, "app", "--rev", &commit, "-o", "rebuilt.tar"]).expect(0).prints(&commit);
    assert!(here.path().join("rebuilt.tar").is_file(), "files lie where the user stands");
    here.repro(&["verify", &url]).expect(3).says("repro build --record");
    here.repro(&["verify", &url, "--rev", "absent"]).expect(4).says("absent");
    here.repro(&["verify", &url, "--rev=--upload-pack=x"]).expect(2);
    here.repro(&["verify", "--rev", "v1"]).expect(2).says("give its URL");
    here.repro(&["verify", &format!("ext::{url}")]).expect(2);
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 1, "nothing else was left");
}

#[test]
fn what_is_published_is_what_the_manifest_names() {
    let server = Project::bare();
    let serving = Serving::start(&server, &["store", "--writable"]);
    let project = recorded(&serving.address, "");
    project.repro(&["verify", "--published"]).expect(4).says("/team/app/manifests/1");
    let pushed = project.repro(&["build", "--push", "--format", "json"]).expect(0);
    let pushed = crate::schema::check("build", &pushed.stdout);
    assert_eq!(pushed["images"][0]["pushed"]["names"].as_array().unwrap().len(), 2, "{pushed}");
    assert_eq!(pushed["images"][0]["pushed"]["digest"], pushed["images"][0]["platforms"][0]["manifest"]);
    project.repro(&["verify", "--published"]).expect(0).prints(&format!("and {}/team/app:1", serving.address));
    // One tag moves on, the other does not.
    let other = recorded(&serving.address, "[image.app.labels]\nx = \"y\"\n");
    other.repro(&["build", "-o", "other.tar"]).expect(0);
    other.repro(&["push", "other.tar", &serving.name("team/app:latest")]).expect(0);
    project.repro(&["verify", "--published"]).expect(1).says("team/app:latest` is published as");
    let nameless = Project::new();
    nameless.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", "FROM scratch\nCOPY f /\n");
    nameless.write("f", "f").commit().repro(&["lock"]).expect(0);
    nameless.repro(&["build", "--push"]).expect(2).says("it has no `repository`");
}

#[test]
fn labels_choose_what_is_rebuilt_and_lead_nowhere_else() {
    let here = Project::bare();
    for (labels, says) in [
        ("", "it has no labels `org.opencontainers.image.source`"),
        ("source=file:///etc revision=0123456789012345678901234567890123456789", "only https is followed"),
        ("source=https://git.example/app.git revision=main", "no commit"),
    ] {
        let table: String = labels
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| format!("\"org.opencontainers.image.{name}\" = \"{value}\"\n"))
            .collect();
        let project = recorded("registry.example", &format!("[image.app.labels]\n{table}"));
        let archive = here.path().join("app.tar");
        project.repro(&["build", "-o", archive.to_str().unwrap()]).expect(0);
        here.repro(&["verify", "--image", "./app.tar"]).expect(3).says(says);
    }
}
