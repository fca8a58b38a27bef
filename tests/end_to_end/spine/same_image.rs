//! One manifest and lockfile give one image, whatever builds it, cached or not, from whichever clone.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::rig::{allow_older_daemons, crane, locked, manifest_digest, run, variable};

const STAGES: &str = "FROM registry.example/busybox:1 AS made\n\
    ARG VERSION\n\
    RUN mkdir -p /out && echo \"made $VERSION\" > /out/made\n\
    FROM registry.example/busybox:1\n\
    ARG VERSION\n\
    LABEL version=$VERSION\n\
    COPY --from=made /out /out\n\
    COPY src /src\n\
    RUN cat /src/a /src/run.sh > /joined && ln -s joined /link\n";

const FILES: &[(&str, &str)] = &[("src/a", "first\n"), ("src/run.sh", "#!/bin/sh\necho second\n")];

#[test]
fn every_engine_gives_the_image_that_buildctl_alone_gives_cached_or_not() {
    let (Some(image), Some(usual), Some(previous), Some(old), Some(other_go)) = (
        variable("RIG_BUILDKIT_IMAGE"),
        variable("BUILDKIT_HOST"),
        variable("RIG_BUILDKIT_PREVIOUS"),
        variable("RIG_BUILDKIT_OLD"),
        variable("RIG_BUILDKIT_GO127"),
    ) else {
        return;
    };
    let manifest = format!("[buildkit]\nimage = \"{image}\"\n[image.app]\nargs = {{ VERSION = \"1.2\" }}\n");
    let mut project = locked(&manifest, STAGES, FILES).unwrap();
    allow_older_daemons(&mut project);
    let recorded = manifest_digest(project.repro(&["build", "--record", "--format", "json"]));
    project.commit();

    let epoch = project.git(&["log", "-1", "--format=%ct"]);
    let metadata = project.path().join(".git").join("metadata.json");
    let archive = project.path().join(".git").join("plain.tar");
    let staged = tempfile::tempdir().unwrap();
    run(Command::new("cp").args(["-r", "src", "Dockerfile"]).arg(staged.path()).current_dir(project.path()));
    run(Command::new("buildctl")
        .args(["--addr", &usual, "build", "--no-cache", "--frontend", "dockerfile.v0"])
        .arg(format!("--local=context={}", staged.path().display()))
        .arg(format!("--local=dockerfile={}", staged.path().display()))
        .args(["--opt", "platform=linux/amd64", "--opt", "build-arg:VERSION=1.2", "--opt"])
        .arg(format!("build-arg:SOURCE_DATE_EPOCH={}", epoch.trim()))
        .arg("--output")
        .arg(format!("type=oci,rewrite-timestamp=true,oci-mediatypes=true,compression=gzip,dest={}", archive.display()))
        .arg("--metadata-file")
        .arg(&metadata));
    let metadata: serde_json::Value = serde_json::from_slice(&fs::read(&metadata).unwrap()).unwrap();
    assert_eq!(metadata["containerimage.digest"], recorded.as_str(), "what buildctl gives without repro");
    let written = project.path().join(".git").join("ours.tar");
    project.repro(&["build", "-o", written.to_str().unwrap()]).expect(0);
    assert!(fs::read(&written).unwrap() == fs::read(&archive).unwrap(), "the archives differ in some byte");

    let clones = tempfile::tempdir().unwrap();
    for (name, umask) in [("one", "077"), ("two", "002")] {
        let clone = clones.path().join(name);
        let script =
            format!("umask {umask} && git clone -q . {0} && find {0} -exec touch -d @{umask}1 {{}} +", clone.display());
        run(Command::new("sh").args(["-c", &script]).current_dir(project.path()));
    }
    let clone = |name: &str| clones.path().join(name).to_str().unwrap().to_owned();
    for (from, engine, more) in [
        ("one", "buildctl", vec!["--no-cache"]),
        ("two", "buildctl", vec![]),
        ("one", "buildctl", vec!["--addr", &previous, "--no-cache"]),
        ("one", "buildctl", vec!["--addr", &old, "--no-cache"]),
        ("two", "buildctl", vec!["--addr", &other_go, "--no-cache"]),
        ("one", "buildx", vec!["--no-cache"]),
        ("two", "buildx", vec![]),
    ] {
        let directory = clone(from);
        let mut arguments = vec!["-C", &directory, "build", "--format", "json", "--engine", engine];
        arguments.extend(&more);
        assert_eq!(manifest_digest(project.repro(&arguments)), recorded, "{engine} {more:?} from clone {from}");
    }
    let verified = project.repro(&["-C", &clone("one"), "verify", "--engine", "buildctl,buildx"]).expect(0);
    assert!(verified.stdout.contains("reproduced"), "{verified:?}");
}

#[test]
fn the_native_engine_gives_the_image_that_buildctl_gives() {
    let dockerfile = "FROM registry.example/busybox:1 AS base\nWORKDIR /app\nCOPY src/ ./\n\
        FROM base\nENV A=b\nUSER 1000\nCOPY --from=base --chown=1:2 --chmod=700 /app/a /copied/\nCMD [\"sh\"]\n";
    let Some(project) = locked("[image.app]\n", dockerfile, FILES) else { return };
    let native = manifest_digest(project.repro(&["build", "--format", "json", "--engine", "native"]));
    let buildctl = manifest_digest(project.repro(&["build", "--format", "json", "--engine", "buildctl", "--no-cache"]));
    assert_eq!(native, buildctl);
    project.repro(&["build", "--engine", "native,buildctl"]).expect(0);
    let automatic = project.repro(&["build", "--format", "json"]).expect(0).json();
    assert_eq!(automatic["images"][0]["engine"], "native");
    project.repro(&["build", "--record"]).expect(0);
    let verify = ["verify", "--engine", "native,buildctl"];
    let told = project.repro(&verify).expect(0);
    assert!(told.stdout.contains("rebuilt with native and buildctl"), "{told:?}");
    let verified = project.repro(&[&verify[..], &["--format", "json"]].concat()).expect(0).json();
    let image = &verified["images"][0];
    assert_eq!(image["engines"], serde_json::json!(["native", "buildctl"]));
    assert_eq!(image["platforms"][0]["verdict"], "reproduced");
    assert_eq!(image["platforms"][0]["rebuilt"]["manifest"], native);
}

#[test]
fn an_uncompressed_archive_is_the_same_whether_the_engines_is_taken_or_copied() {
    let dockerfile = "FROM registry.example/busybox:1\nCOPY src /src\nWORKDIR /src\n";
    let manifest = "[image.app]\noutput = { compression = \"uncompressed\" }\n";
    let Some(project) = locked(manifest, dockerfile, FILES) else { return };
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let beside = project.home();
    for form in ["oci", "docker"] {
        let build = |engine: &str, path: &Path| {
            project.repro(&["build", "--engine", engine, "--archive", form, "-o", path.to_str().unwrap()]).expect(0);
            fs::read(path).unwrap()
        };
        let native = build("native", &beside.join("native.tar"));
        // The second one replaces the first.
        for path in [beside.join("app.tar"), beside.join("app.tar"), elsewhere.path().join("app.tar")] {
            assert!(build("buildctl", &path) == native, "{form} {}", path.display());
        }
    }
    assert_eq!(fs::read_dir(project.cache().join("work")).unwrap().count(), 0);
}

#[test]
fn an_edit_that_keeps_the_size_reaches_the_image_of_a_cached_build() {
    let Some(image) = variable("RIG_BUILDKIT_IMAGE") else { return };
    let manifest = format!("[buildkit]\nimage = \"{image}\"\n[image.app]\n");
    let dockerfile = "FROM registry.example/busybox:1\nCOPY edited /edited\n";
    let project = locked(&manifest, dockerfile, &[("edited", "yesterday\n")]).unwrap();
    for engine in ["buildctl", "buildx"] {
        let mut seen = Vec::new();
        for content in ["yesterday\n", "right now\n", "tomorrow.\n", "yesterday\n"] {
            project.write("edited", content);
            let digest = manifest_digest(project.repro(&["build", "--format", "json", "--engine", engine]));
            let truth = manifest_digest(project.repro(&["build", "--format", "json", "--engine", "native"]));
            assert_eq!(digest, truth, "{engine} with {content:?}");
            seen.push(digest);
        }
        assert_eq!(seen[0], seen[3]);
        assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2], "{seen:?}");
    }
}

#[test]
fn the_frontend_that_a_dockerfile_names_is_locked_and_builds() {
    if variable("RIG_FRONTEND").is_none() {
        return;
    }
    let plain = "FROM registry.example/busybox:1\nCOPY --from=more /x /x\nRUN true\n";
    let project = locked("[image.app]\ncontexts = { more = \"more\" }\n", plain, &[("more/x", "x")]).unwrap();
    let without = manifest_digest(project.repro(&["build", "--format", "json"]));
    project.write("Dockerfile", format!("# syntax=registry.example/dockerfile:1\n{plain}"));
    project.repro(&["build"]).expect(3).says("`registry.example/dockerfile:1` (frontend) is not locked");
    project.repro(&["lock"]).expect(0);
    assert_eq!(manifest_digest(project.repro(&["build", "--no-cache", "--format", "json"])), without);
    // Another frontend under the same name changes nothing: what is locked runs.
    let frontend = crane(&["digest", &variable("RIG_FRONTEND").unwrap()]);
    assert!(project.read("repro.lock").contains(&frontend), "{}", project.read("repro.lock"));
    project.repro(&["build", "--record"]).expect(0);
    project.repro(&["verify"]).expect(0);
}

#[test]
fn images_without_layers_are_built_by_every_engine() {
    for dockerfile in ["FROM scratch\nENV A=1\n", "FROM registry.example/busybox:1 AS a\nFROM scratch\nLABEL a=b\n"] {
        let Some(project) = locked("[image.app]\n", dockerfile, &[]) else { return };
        project.repro(&["build", "--record", "--engine", "native,buildctl"]).expect(0);
        project.repro(&["verify", "--engine", "buildctl"]).expect(0);
    }
}
