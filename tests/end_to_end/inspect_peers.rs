//! `repro inspect` on what others write, and others on what `repro` writes. Needs the rig (`tests/rig`): its docker,
//! BuildKit, crane, registry, podman, buildah and skopeo.

use std::process::Command;

use crate::needs::variable;
use crate::project::Project;
use serde_json::Value;

/// A project with what the rig's daemons need in its environment, and a Dockerfile of two layers.
fn project() -> Option<Project> {
    let mut project = Project::new();
    for name in
        ["REPRO_CONFIG", "BUILDKIT_HOST", "DOCKER_HOST", "DOCKER_CONFIG", "CONTAINERS_STORAGE_CONF", "CONTAINERS_CONF"]
    {
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

#[track_caller]
fn valid(project: &Project, source: &str) -> Value {
    let outcome = project.repro(&["inspect", source, "--format", "json"]).expect(0);
    let document = crate::schema::check("inspect", &outcome.stdout);
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

/// A program's stdout, trimmed.
fn response(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn config_of(document: &Value) -> String {
    document["images"][0]["config"].as_str().unwrap().to_owned()
}

#[test]
fn what_docker_and_crane_save_is_valid() {
    let Some(project) = project() else { return };
    let Some(registry) = variable("RIG_REGISTRY") else { return };
    let busybox = format!("{registry}/busybox:1");
    run(&mut program(&project, "docker", &["pull", "-q", &busybox]));
    run(&mut program(&project, "docker", &["save", "-o", "docker.tar", &busybox]));
    let saved = valid(&project, "docker.tar");
    let streamed = valid(&project, &format!("docker-daemon:{busybox}"));
    assert_eq!(config_of(&saved), config_of(&streamed));
    for format in ["legacy", "tarball", "oci"] {
        let name = format!("crane-{format}");
        run(&mut program(
            &project,
            "crane",
            &["pull", "--insecure", "--format", format, "--platform", "linux/amd64", &busybox, &name],
        ));
        assert_eq!(config_of(&valid(&project, &name)), config_of(&saved), "{format}");
    }
    // All platforms.
    run(&mut program(&project, "crane", &["pull", "--insecure", "--format", "oci", &busybox, "crane-all"]));
    assert_eq!(valid(&project, "crane-all")["images"].as_array().unwrap().len(), 2);
    let pulled = valid(&project, &format!("docker://{busybox}"));
    assert_eq!(pulled["documents"][0]["kind"], "index", "{pulled}");
    let fast = project.repro(&["inspect", &format!("docker://{busybox}"), "--fast"]).expect(0);
    assert!(fast.stdout.contains("layers were not read"), "{fast:?}");
    let digest = pulled["documents"][0]["digest"].as_str().unwrap();
    let pinned = format!("docker://{registry}/busybox@{digest}");
    project.repro(&["inspect", &pinned, "--expected-image-digest", digest]).expect(0);
}

#[test]
fn what_skopeo_copies_is_valid() {
    let Some(project) = project() else { return };
    let Some(registry) = variable("RIG_REGISTRY") else { return };
    let from = format!("docker://{registry}/busybox:1");
    let copy = |more: &[&str], target: &str| {
        run(program(&project, "skopeo", &["copy", "-q", "--src-tls-verify=false"]).args(more).args([&from, target]));
        valid(&project, target.split(':').nth(1).unwrap())
    };
    let config = config_of(&copy(&[], "oci-archive:oci.tar:busybox:1"));
    let forms: [(&[&str], &str); 5] = [
        (&[], "docker-archive:docker.tar:rig.example/busybox:1"),
        (&[], "docker-archive:nameless.tar"),
        (&[], "oci:layout:1"),
        (&["--dest-compress-format", "zstd"], "oci:zstd:1"),
        (&["--format", "v2s2"], "oci-archive:v2s2.tar"),
    ];
    for (more, target) in forms {
        assert_eq!(copy(more, target)["images"].as_array().unwrap().len(), 1, "{target}");
    }
    assert_eq!(config_of(&valid(&project, "layout")), config);
    // A second image in the same layout, and an index of all platforms.
    run(&mut program(&project, "skopeo", &["copy", "-q", "docker-archive:docker.tar", "oci:layout:2"]));
    let names = valid(&project, "layout");
    assert_eq!(names["images"][0]["names"].as_array().unwrap().len(), 1, "{names}");
    assert_eq!(copy(&["--all"], "oci-archive:all.tar")["images"].as_array().unwrap().len(), 2);
    assert_eq!(copy(&["--all"], "oci:all:1")["images"].as_array().unwrap().len(), 2);
}

#[test]
fn what_podman_saves_is_valid() {
    let Some(project) = project() else { return };
    let Some(registry) = variable("RIG_REGISTRY") else { return };
    let busybox = format!("{registry}/busybox:1");
    run(&mut program(&project, "podman", &["pull", "-q", &busybox]));
    let id = response(&mut program(&project, "podman", &["image", "inspect", "--format", "{{.Id}}", &busybox]));
    for (format, target) in [("oci-archive", "oci.tar"), ("docker-archive", "docker.tar"), ("oci-dir", "layout")] {
        run(&mut program(&project, "podman", &["save", "-q", "--format", format, "-o", target, &busybox]));
        let document = valid(&project, target);
        if format == "docker-archive" {
            assert_eq!(config_of(&document), format!("sha256:{id}"));
        }
    }
    let streamed = valid(&project, &format!("podman:{busybox}"));
    assert_eq!(config_of(&streamed), format!("sha256:{id}"));
    // Several images in one archive, one of them with two names.
    run(&mut program(&project, "podman", &["tag", &busybox, "rig.example/other:1"]));
    run(&mut program(&project, "podman", &["save", "-q", "-m", "-o", "many.tar", &busybox, "rig.example/other:1"]));
    assert_eq!(valid(&project, "many.tar")["images"][0]["names"].as_array().unwrap().len(), 2);
    project.repro(&["inspect", "podman:rig.example/absent:1"]).expect(7).says("`podman save` failed");
}

#[test]
fn what_buildah_pushes_is_valid() {
    let Some(project) = project() else { return };
    let container = response(&mut program(&project, "buildah", &["from", "scratch"]));
    run(&mut program(&project, "buildah", &["copy", "-q", &container, "c", "/c"]));
    let settings = ["--entrypoint", "[\"/c\"]", "--label", "a=b", "--env", "E=f", "--annotation", "g=h"];
    run(program(&project, "buildah", &["config"]).args(settings).arg(&container));
    for (format, target) in [
        ("oci", "oci-archive:oci.tar:rig.example/scratch:1"),
        ("oci", "oci:layout:1"),
        ("docker", "docker-archive:docker.tar:rig.example/scratch:1"),
        ("docker", "oci-archive:converted.tar"),
    ] {
        let name = format!("rig.example/{format}:1");
        run(&mut program(&project, "buildah", &["commit", "-q", "--format", format, &container, &name]));
        run(&mut program(&project, "buildah", &["push", "-q", &name, target]));
        let image = &valid(&project, target.split(':').nth(1).unwrap())["images"][0];
        assert_eq!((&image["entrypoint"][0], &image["labels"]["a"]), (&"/c".into(), &"b".into()), "{target}");
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
    let config = config_of(&valid(&project, "docker.tar"));
    let manifest = valid(&project, "oci.tar")["images"][0]["manifest"].as_str().unwrap().to_owned();
    run(&mut program(&project, "docker", &["load", "-q", "-i", "docker.tar"]));
    let ask = ["image", "inspect", "--format", "{{.Id}}", "registry.example/peers:1"];
    let id = response(&mut program(&project, "docker", &ask));
    // With the containerd store an image's id is its manifest's digest.
    assert!([&config, &manifest].contains(&&id), "{id}");

    run(&mut program(&project, "crane", &["validate", "--tarball", "docker.tar"]));
    let Some(registry) = variable("RIG_REGISTRY") else { return };
    let pushed = response(&mut program(&project, "crane", &["push", "layout", &format!("{registry}/peers:layout")]));
    assert!(pushed.ends_with(&manifest), "{pushed}");
    run(&mut program(&project, "crane", &["validate", "--remote", &pushed]));

    for source in ["oci-archive:oci.tar", "docker-archive:docker.tar", "oci:layout"] {
        let target = format!("dir:{}", source.replace(':', "-"));
        run(&mut program(&project, "skopeo", &["copy", "-q", source, &target]));
        let raw = response(&mut program(&project, "skopeo", &["inspect", "--raw", source]));
        assert!(raw.contains(&config), "{raw}");
    }

    for file in ["oci.tar", "docker.tar"] {
        let loaded = response(&mut program(&project, "podman", &["load", "-q", "-i", file]));
        let name = loaded.rsplit(' ').next().unwrap();
        let id = response(&mut program(&project, "podman", &["image", "inspect", "--format", "{{.Id}}", name]));
        assert_eq!(format!("sha256:{id}"), config, "{file}");
    }
    run(&mut program(&project, "podman", &["pull", "-q", "oci:layout"]));
}
