//! Images that the manifest makes of files, without a Dockerfile. No rig.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::project::{Outcome, Project};

const MANIFEST: &str = "\
version = 1

[image.tools]
source-date-epoch = 1700000000
platforms = [\"linux/amd64\", \"linux/arm64\"]

[[image.tools.layers]]
paths = [\"bin\", \"doc/guide/\", \"current\"]
to = \"/usr\"
mode = \"0640\"

[[image.tools.layers]]
paths.\"linux/amd64\" = [\"build/amd64/tool\"]
paths.\"linux/arm64\" = [\"build/arm64/tool\"]
to = \"/usr/bin\"
owner = \"7:8\"

[image.tools.config]
entrypoint = [\"/usr/bin/tool\"]
env = { LANG = \"C.UTF-8\", PROMPT = \"$ \" }
user = \"1000\"
labels = { role = \"tool\" }
";

/// What the manifest stands for, as `docs/formats.md` tells it.
const DOCKERFILE: &str = "\
FROM scratch AS layers-linux-amd64
COPY --parents --chmod=u=rwX,g=rX,o= [\"bin\",\"doc/guide/./*\",\"current\",\"/usr/\"]
COPY --parents --chown=7:8 [\"build/amd64/./tool\",\"/usr/bin/\"]
FROM scratch AS layers-linux-arm64
COPY --parents --chmod=u=rwX,g=rX,o= [\"bin\",\"doc/guide/./*\",\"current\",\"/usr/\"]
COPY --parents --chown=7:8 [\"build/arm64/./tool\",\"/usr/bin/\"]
FROM layers-$TARGETOS-$TARGETARCH$TARGETVARIANT
ENV LANG=\"C.UTF-8\" PROMPT=\"\\$ \"
USER 1000
ENTRYPOINT [\"/usr/bin/tool\"]
";

/// The lines that `build` prints of it.
const BUILT: &str = "\
tools linux/amd64 sha256:961850c5a21e8103d34d588e61b61f80c115ce09925b0aa816e25492f7c33d1a
tools linux/arm64 sha256:dd34eb1f850d2ab9f7c17471634b59a8c2dd9bf0e67d0ac7a4eb1a9089751f6d
tools index sha256:91436942a04b707ce5907d84ef1daf3791f1b6d2939456c65592be392bc1c76c
";

fn project(manifest: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", manifest);
    project.write("bin/run", "#!/bin/sh\n").write("bin/notes", "text").write("other/unnamed", "no");
    project.write("doc/guide/1.txt", "one").write("doc/guide/.hidden", "two");
    project.write("build/amd64/tool", "amd64").write("build/arm64/tool", "arm64");
    symlink("bin/run", project.path().join("current")).unwrap();
    fs::set_permissions(project.path().join("bin/run"), Permissions::from_mode(0o755)).unwrap();
    project.commit();
    project
}

fn recorded(manifest: &str) -> Project {
    let project = project(manifest);
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    project
}

fn verify(project: &Project) -> Outcome {
    project.repro(&["verify"])
}

#[test]
fn files_of_the_tree_become_an_image_that_is_locked_and_verified() {
    let project = recorded(MANIFEST);
    let built = project.repro(&["build"]).expect(0);
    assert_eq!(built.stdout, BUILT);
    let verified = verify(&project).expect(0);
    assert_eq!(verified.stdout.matches(": reproduced sha256:").count(), 2, "{verified:?}");
    assert!(verified.stdout.contains("rebuilt with native"), "{verified:?}");
    project.repro(&["lock", "--check"]).expect(0);
    project.repro(&["build", "--self-check"]).expect(0);
    let sources = project.repro(&["sources", "--format", "json"]).expect(0).json();
    let paths = &sources["sources"][0]["paths"];
    let want = ["bin", "build/amd64/tool", "current", "doc/guide/*"];
    assert_eq!(paths.as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect::<Vec<_>>(), want);
    project.repro(&["build", "--platform", "linux/arm64", "-o", "arm64.tar"]).expect(0);
    let inspected = project.repro(&["inspect", "arm64.tar"]).expect(0);
    assert!(inspected.stdout.contains("linux/arm64"), "{inspected:?}");
}

#[test]
fn the_image_is_that_of_the_documented_dockerfile() {
    let layers = project(MANIFEST);
    layers.repro(&["lock"]).expect(0);
    let by_layers = layers.repro(&["build", "--format", "json"]).expect(0).json();
    let table = "version = 1\n[image.tools]\nsource-date-epoch = 1700000000\nlabels = { role = \"tool\" }\n";
    let dockerfile = project(&format!("{table}platforms = [\"linux/amd64\", \"linux/arm64\"]\n"));
    dockerfile.write("Dockerfile", DOCKERFILE).commit();
    dockerfile.repro(&["lock"]).expect(0);
    let by_dockerfile = dockerfile.repro(&["build", "--format", "json"]).expect(0).json();
    assert_eq!(by_layers["images"][0]["platforms"], by_dockerfile["images"][0]["platforms"]);
    assert_eq!(by_layers["images"][0]["index"], by_dockerfile["images"][0]["index"]);
}

#[test]
fn what_becomes_of_the_files_is_seen_in_the_layers() {
    let project = project(MANIFEST);
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--platform", "linux/amd64", "-o", "out/"]).expect(0);
    let blobs = project.path().join("out/blobs/sha256");
    let index: serde_json::Value = serde_json::from_str(&project.read("out/index.json")).unwrap();
    let document = |digest: &serde_json::Value| -> serde_json::Value {
        let name = digest["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
        serde_json::from_slice(&fs::read(blobs.join(name)).unwrap()).unwrap()
    };
    let manifest = document(&index["manifests"][0]);
    let entries: Vec<Vec<String>> =
        manifest["layers"].as_array().unwrap().iter().map(|layer| listed(&blobs, layer)).collect();
    let first = [
        "usr/ 755 0:0",
        "usr/.hidden 640 0:0",
        "usr/1.txt 640 0:0",
        "usr/bin/ 750 0:0",
        "usr/bin/notes 640 0:0",
        "usr/bin/run 750 0:0",
        "usr/current 777 0:0 -> bin/run",
    ];
    let second = ["usr/ 755 0:0", "usr/bin/ 750 0:0", "usr/bin/tool 644 7:8"];
    assert_eq!(entries, [first.to_vec(), second.to_vec()]);
    let config = document(&manifest["config"]);
    assert_eq!(config["config"]["User"], "1000");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/usr/bin/tool"]));
    assert_eq!(config["config"]["Env"].as_array().unwrap()[1..], ["LANG=C.UTF-8", "PROMPT=$ "]);
    assert_eq!(config["config"]["Labels"], serde_json::json!({ "role": "tool" }));
}

fn listed(blobs: &Path, layer: &serde_json::Value) -> Vec<String> {
    let name = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let file = fs::File::open(blobs.join(name)).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let (path, header) = (entry.path().unwrap().display().to_string(), entry.header());
        let owner = format!("{}:{}", header.uid().unwrap(), header.gid().unwrap());
        let target = entry.link_name().unwrap().map(|target| format!(" -> {}", target.display())).unwrap_or_default();
        format!("{path} {:o} {owner}{target}", header.mode().unwrap())
    });
    entries.collect()
}

#[test]
fn a_path_that_is_not_there_is_named_with_its_line() {
    for (from, to, says) in [
        ("\"bin\"", "\"bim\"", "repro.toml:8: image `tools`: `bim` is not in the context"),
        ("doc/guide/", "doc/guide/1.txt/", "repro.toml:8: image `tools`: `doc/guide/1.txt` is not in the context"),
        ("build/arm64/tool", "build/arm64", ""),
        (
            "build/arm64/tool",
            "build/arm6",
            "repro.toml:14: image `tools`: `build/arm6` is not in the context (linux/arm64)",
        ),
    ] {
        let project = project(&MANIFEST.replace(from, to));
        project.repro(&["lock"]).expect(0);
        let built = project.repro(&["build"]);
        if says.is_empty() {
            built.expect(0);
        } else {
            built.expect(2).says(says).says("a context holds what git tracks");
        }
    }
    let untracked = project(MANIFEST);
    untracked.repro(&["lock"]).expect(0);
    untracked.git(&["rm", "-q", "-r", "--cached", "bin"]);
    untracked.repro(&["build"]).expect(2).says("`bin` is not in the context");
}

#[test]
fn a_record_is_of_these_layers_and_these_files_only() {
    let project = recorded(MANIFEST);
    project.write("other/unnamed", "changed");
    verify(&project).expect(0);
    project.write("doc/guide/1.txt", "changed");
    verify(&project).expect(3).says("the record was made of another context");
    project.git(&["checkout", "-q", "--", "."]);
    for (from, to) in [("\"7:8\"", "\"7:9\""), ("user = \"1000\"", "user = \"1001\""), ("\"0640\"", "\"0600\"")] {
        project.write("repro.toml", MANIFEST.replace(from, to));
        verify(&project).expect(3).says("the record was made of another Dockerfile or other layers");
    }
    project.write("repro.toml", MANIFEST.replace("role = \"tool\"", "role = \"\""));
    verify(&project).expect(3).says("`labels.role` is ``");
    project.write("repro.toml", format!("# a remark\n\n{MANIFEST}"));
    verify(&project).expect(0);
}

#[test]
fn a_base_is_pinned_like_that_of_a_dockerfile() {
    let base = "contexts = { \"base.example/tcc:1\" = \"oci-layout://vendor/tcc\" }\nbase = \"base.example/tcc:1\"\n";
    let manifest = MANIFEST
        .replace("platforms = [\"linux/amd64\", \"linux/arm64\"]\n", base)
        .replace("paths.\"linux/arm64\" = [\"build/arm64/tool\"]\n", "");
    let project = project(&manifest);
    copy(Path::new("examples/bases/tcc"), &project.path().join("vendor/tcc"));
    project.commit();
    let stale = project.repro(&["lock", "--check"]).expect(3);
    assert!(stale.stderr.contains("not locked") || stale.stderr.contains("no `repro.lock`"), "{stale:?}");
    project.repro(&["lock"]).expect(0);
    let lock = project.read("repro.lock");
    assert!(lock.contains("layout = \"base.example/tcc:1\""), "{lock}");
    project.repro(&["build", "--record"]).expect(0);
    verify(&project).expect(0);
    project.write("repro.lock", lock.split("[[source]]").next().unwrap().to_owned() + "[image.tools]\nsources = []\n");
    project.repro(&["build"]).expect(3).says("(`base`) is not locked");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn two_recipes_for_one_image_are_refused_where_they_stand() {
    let project = project(&MANIFEST.replace("[image.tools]\n", "[image.tools]\ndockerfile = \"Dockerfile\"\n"));
    for command in ["lock", "build", "sources", "verify"] {
        let told = project.repro(&[command]).expect(2);
        let want = "`image.tools.dockerfile` belongs to a Dockerfile, and this image has `layers` in place of one";
        let told = told.says(want);
        assert!(told.stderr.contains("repro.toml:4"), "{told:?}");
    }
}
