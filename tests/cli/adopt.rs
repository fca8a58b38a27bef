//! `repro adopt` without steps: a new manifest, several Dockerfiles, and what it refuses.

use std::fs;

use crate::project::Project;

fn committed(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (path, text) in files {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    project.commit();
    project
}

#[test]
fn a_dockerfile_comes_to_a_record_in_one_go() {
    let project = committed(&[("Dockerfile", "FROM scratch\nCOPY . /\n"), ("index.html", "hello\n")]);
    let outcome = project.repro(&["adopt", "--name", "site", "--format", "json"]).expect(0);
    let document = crate::schema::check("adopt", &outcome.stdout);
    assert_eq!((&document["written"], &document["images"][0]["builds"]), (&true.into(), &2.into()), "{document}");
    project.commit();
    project.repro(&["verify"]).expect(0).prints("site linux/amd64: reproduced sha256:");
    let again = project.repro(&["adopt"]).expect(0).prints("site: built 2 times without cache\n");
    assert!(!again.stdout.contains("wrote repro.toml"), "{again:?}");
}

#[test]
fn every_dockerfile_gives_an_image_and_says_why() {
    let project = committed(&[
        ("web/Dockerfile", "FROM scratch\nCOPY page /\n"),
        ("web/page", "x"),
        ("api/Dockerfile", "FROM scratch\nCOPY api/main /\n"),
        ("api/main", "y"),
        ("compose.yaml", "services: {}\n"),
    ]);
    let outcome = project.repro(&["adopt"]).expect(0);
    for line in [
        "note: compose.yaml: its services: `docker compose config --format json",
        "note: api/Dockerfile:2: the context is `.`: it takes `api/main`",
        "note: web/Dockerfile: the context is `web`, where it lies\n",
        "api linux/amd64: reproduced sha256:",
        "web linux/amd64: reproduced sha256:",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {outcome:?}");
    }
}

#[test]
fn what_can_not_be_adopted_is_told_and_leaves_nothing_half_done() {
    let project = committed(&[("README.md", "")]);
    let failed = project.repro(&["adopt", "--format", "json"]).expect(2).says("no Dockerfile at `Dockerfile`");
    crate::schema::check("adopt", &failed.stdout);
    assert!(!project.path().join("repro.toml").exists());
    project.repro(&["adopt", "--locked"]).expect(2).says("`--locked` forbids");
    project.write("Dockerfile", "FROM registry.example/none:1\n");
    project.repro(&["adopt", "--offline"]).expect(2).says("not pinned yet");
    assert!(project.path().join("repro.toml").exists() && !project.path().join("repro.lock").exists());
}
