//! `repro inspect` on what others write, and others on what `repro` writes. Needs the rig (`tests/rig`): its docker,
//! BuildKit, crane and registry; skopeo, podman and buildah are tried where they are installed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod needs;
mod project;
mod schema;

use std::process::{Command, Stdio};

use needs::{not_run, variable};
use project::Project;
use serde_json::Value;

/// A project with what the rig's daemons need in its environment, and a Dockerfile of two layers.
fn project() -> Option<Project> {
    let mut project = Project::new();
    for name in ["REPRO_CONFIG", "BUILDKIT_HOST", "DOCKER_HOST", "DOCKER_CONFIG"] {
        project.set(name, &variable(name)?);
    }
    let base = format!("{}/busybox:1", variable("RIG_REGISTRY")?);
    project.write("Dockerfile", format!("FROM {base}\nRUN echo a > /etc/a && ln /etc/a /etc/b\nCOPY c /c\nENV A=b\n"));
    project.write("c", "c\n").commit();
    Some(project)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether a program is there; says so where it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        not_run(&format!("there is no {program}"));
    }
    found.is_ok()
}

#[track_caller]
fn valid(project: &Project, source: &str) -> Value {
    let outcome = project.repro(&["inspect", source, "--format", "json"]).expect(0);
    let document = schema::check("inspect", &outcome.stdout);
    assert_eq!(document["verdict"], "valid", "{source}: {document}");
    assert!(document["images"].as_array().is_some_and(|images| !images.is_empty()), "{source}: {document}");
    document
}

fn program(project: &Project, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(project.path());
    command
}

#[test]
fn every_form_that_buildkit_exports_is_valid() {
    const PROVENANCE: &[&str] = &["--opt", "attest:provenance=mode=max"];
    // Without a RUN step, which would need an emulator.
    const PLATFORMS: &[&str] = &["--opt", "platform=linux/amd64,linux/arm64", "--opt", "filename=Dockerfile.copy"];
    let Some(project) = project() else { return };
    project.write("Dockerfile.copy", "FROM scratch\nCOPY c /c\n");
    let forms: [(&str, &[&str]); 11] = [
        ("type=oci", &[]),
        ("type=oci", PROVENANCE),
        ("type=oci", PLATFORMS),
        ("type=docker", &[]),
        ("type=oci,compression=zstd,force-compression=true", &[]),
        ("type=oci,compression=uncompressed,force-compression=true", PLATFORMS),
        ("type=oci,compression=estargz,oci-mediatypes=true,force-compression=true", &[]),
        ("type=oci,oci-mediatypes=false", &[]),
        ("type=oci,rewrite-timestamp=true,name=registry.example/peer:1", PROVENANCE),
        ("type=oci,tar=false", &[]),
        ("type=oci,tar=false", PROVENANCE),
    ];
    for (number, (options, more)) in forms.into_iter().enumerate() {
        let target = format!("out-{number}");
        let local = ["--frontend=dockerfile.v0", "--local=context=.", "--local=dockerfile=."];
        let mut command = program(&project, "buildctl", &["build"]);
        run(command.args(local).args(more).args(["--output", &format!("{options},dest={target}")]));
        let document = valid(&project, &target);
        let images = document["images"].as_array().unwrap();
        let count = |role: &str| images.iter().filter(|image| image["role"] == role).count();
        let want = (if more == PLATFORMS { 2 } else { 1 }, usize::from(more == PROVENANCE));
        assert_eq!((count("image"), count("attestation")), want, "{options} {more:?}");
    }
}

#[test]
fn what_docker_crane_and_skopeo_save_is_valid() {
    let Some(project) = project() else { return };
    let Some(registry) = variable("RIG_REGISTRY") else { return };
    let busybox = format!("{registry}/busybox:1");
    run(&mut program(&project, "docker", &["pull", "-q", &busybox]));
    run(&mut program(&project, "docker", &["save", "-o", "docker.tar", &busybox]));
    let saved = valid(&project, "docker.tar");
    let streamed = valid(&project, &format!("docker-daemon:{busybox}"));
    assert_eq!(saved["images"][0]["config"], streamed["images"][0]["config"]);
    for format in ["legacy", "tarball", "oci"] {
        let name = format!("crane-{format}");
        run(&mut program(
            &project,
            "crane",
            &["pull", "--insecure", "--format", format, "--platform", "linux/amd64", &busybox, &name],
        ));
        valid(&project, &name);
    }
    let pulled = valid(&project, &format!("docker://{busybox}"));
    assert_eq!(pulled["documents"][0]["kind"], "index", "{pulled}");
    let fast = project.repro(&["inspect", &format!("docker://{busybox}"), "--fast"]).expect(0);
    assert!(fast.stdout.contains("layers were not read"), "{fast:?}");
    let digest = pulled["documents"][0]["digest"].as_str().unwrap();
    let pinned = format!("docker://{registry}/busybox@{digest}");
    project.repro(&["inspect", &pinned, "--expected-image-digest", digest]).expect(0);
    if has("skopeo") {
        let from = format!("docker://{busybox}");
        for target in [
            "oci-archive:skopeo-oci.tar:busybox:1",
            "docker-archive:skopeo-docker.tar:busybox:1",
            "oci:skopeo-layout:1",
        ] {
            run(&mut program(&project, "skopeo", &["copy", "--src-tls-verify=false", &from, target]));
            valid(&project, target.split(':').nth(1).unwrap());
        }
        run(&mut program(
            &project,
            "skopeo",
            &["copy", "--all", "--src-tls-verify=false", &from, "oci-archive:skopeo-all.tar"],
        ));
        assert_eq!(valid(&project, "skopeo-all.tar")["images"].as_array().unwrap().len(), 2);
    }
    for engine in ["podman", "buildah"] {
        if !has(engine) {
            continue;
        }
        let storage = ["--root", "storage", "--runroot", "run", "--storage-driver", "vfs"];
        let mut pull = program(&project, engine, &storage);
        run(pull.args(["pull", "--tls-verify=false", "-q", &busybox]));
        for target in ["oci-archive", "docker-archive"] {
            let file = format!("{engine}-{target}.tar");
            let mut save = program(&project, engine, &storage);
            if engine == "podman" {
                run(save.args(["save", "--format", target, "-o", &file, &busybox]));
            } else {
                run(save.args(["push", &busybox, &format!("{target}:{file}:busybox:1")]));
            }
            valid(&project, &file);
        }
    }
}

#[test]
fn what_repro_writes_loads_everywhere() {
    let Some(project) = project() else { return };
    let manifest = "version = 1\n[image.app]\nrepository = \"registry.example/peers\"\ntags = [\"1\"]\n";
    project.write("repro.toml", manifest).write("Dockerfile", "FROM scratch\nCOPY c /c\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "-o", "oci.tar"]).expect(0);
    project.repro(&["build", "-o", "docker.tar", "--archive", "docker"]).expect(0);
    project.repro(&["build", "-o", "layout/"]).expect(0);
    for source in ["oci.tar", "docker.tar", "layout"] {
        valid(&project, source);
    }
    let config = valid(&project, "docker.tar")["images"][0]["config"].as_str().unwrap().to_owned();
    run(&mut program(&project, "docker", &["load", "-q", "-i", "docker.tar"]));
    let mut ask = program(&project, "docker", &["image", "inspect", "--format", "{{.Id}}", "registry.example/peers:1"]);
    let id = String::from_utf8(ask.output().unwrap().stdout).unwrap();
    let manifest = valid(&project, "oci.tar")["images"][0]["manifest"].as_str().unwrap().to_owned();
    // With the containerd store an image's id is its manifest's digest.
    assert!([&config, &manifest].iter().any(|known| id.trim() == known.as_str()), "{id}");
    run(&mut program(&project, "crane", &["validate", "--tarball", "docker.tar"]));
    if has("skopeo") {
        for source in ["oci-archive:oci.tar", "docker-archive:docker.tar", "oci:layout"] {
            run(&mut program(&project, "skopeo", &["copy", source, &format!("dir:{}", source.replace(':', "-"))]));
        }
    }
    if has("podman") {
        let storage = ["--root", "storage", "--runroot", "run", "--storage-driver", "vfs"];
        for file in ["oci.tar", "docker.tar"] {
            run(program(&project, "podman", &storage).args(["load", "-q", "-i", file]));
        }
    }
}
