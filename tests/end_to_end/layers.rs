//! An image that the manifest makes of files, built by BuildKit too: every key, upon a base. Needs the rig.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::needs;
use crate::own_registry::{OwnRegistry, Packing};
use crate::project::Project;
use crate::rig::{locked, manifest_digest, run, variable};

const MANIFEST: &str = r#"version = 1

[image.all]
source-date-epoch = 1700000000
contexts = { "base.example/tcc:1" = "oci-layout://vendor/tcc" }
base = "base.example/tcc:1"

[[image.all.layers]]
paths = ["bin", "top"]
to = "/opt/x"
owner = "12:3000000"
mode = "0600"

[[image.all.layers]]
paths = ["etc/", "doc/a b", "doc/ü"]
to = "/etc"
mode = "0751"

[[image.all.layers]]
paths."linux/amd64" = ["doc/"]
to = "/"

[image.all.config]
env = { A = "q\"$x\\ 'y'", PATH = "/opt/x/bin" }
entrypoint = ["/opt/x/bin/run", "a\nb", "<&>"]
cmd = []
user = "1000:7"
workdir = "/made/here"
exposed-ports = ["53/udp", "8080"]
volumes = ["/data", "/a b"]
stop-signal = "SIGRTMIN+3"
labels = { x = "line\nbreak" }
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = fs::copy(entry.path(), to).unwrap() }
    }
}

#[test]
fn buildkit_makes_the_same_image_of_the_manifest_s_layers() {
    let Some(address) = needs::variable("BUILDKIT_HOST") else { return };
    let mut project = Project::new();
    project.set("BUILDKIT_HOST", &address);
    project.write("repro.toml", MANIFEST).write("bin/run", "#!/bin/sh\n").write("bin/notes", "text");
    project.write("etc/.x/hidden", "").write("doc/a b/c d.txt", "one").write("doc/ü", "two");
    fs::set_permissions(project.path().join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("run", project.path().join("bin/link")).unwrap();
    symlink("bin/run", project.path().join("top")).unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bases/tcc"), &project.path().join("vendor/tcc"));
    project.commit().repro(&["lock"]).expect(0);
    // Two engines that differ end with 1.
    project.repro(&["build", "--record", "--engine", "native", "--engine", "buildctl"]).expect(0);
    project.commit().repro(&["verify", "--engine", "buildctl"]).expect(0);
}

#[test]
fn a_builder_of_buildx_makes_the_recorded_image_of_layers_upon_a_base_of_a_registry() {
    let (Some(image), Some(remote)) = (variable("RIG_BUILDKIT_IMAGE"), variable("BUILDKIT_HOST")) else { return };
    let manifest = format!(
        "[buildkit]\nimage = \"{image}\"\n[image.app]\nbase = \"registry.example/busybox:1\"\n\
         [[image.app.layers]]\npaths = [\"f\"]\nto = \"/opt\"\nowner = \"7:8\"\n[image.app.config]\nuser = \"7\"\n"
    );
    let Some(mut project) = locked(&manifest, "", &[("f", "file\n")]) else { return };
    let native = manifest_digest(project.repro(&["build", "--record", "--engine", "native", "--format", "json"]));
    let state = project.home().join("buildx");
    project.set("BUILDX_CONFIG", state.to_str().unwrap());
    let create = ["create", "--name", "far", "--driver", "remote", &remote];
    run(Command::new("docker-buildx").args(create).env("BUILDX_CONFIG", &state));
    let built = project.repro(&["build", "--engine", "buildx", "--builder", "far", "--format", "json"]);
    assert_eq!(manifest_digest(built), native);
}

#[test]
fn a_base_from_a_registry_with_a_login_is_pinned_and_laid_below_the_files() {
    let registry = OwnRegistry::start(&[("private/base", "user:secret")]);
    registry.push("private/base", "below", "base\n", Packing::Gzip(6));
    let mut project = Project::new();
    let login = "{\"auths\":{\"HOST\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"}}}".replace("HOST", &registry.host());
    project.write(".home/auth.json", login);
    let file = project.path().join(".home/auth.json");
    project.set("REGISTRY_AUTH_FILE", file.to_str().unwrap());
    let manifest = "version = 1\n[image.app]\nsource-date-epoch = 1700000000\nbase = \"HOST/private/base:1\"\n\n\
                    [[image.app.layers]]\npaths = [\"f\"]\nto = \"/opt\"\n";
    project.write("repro.toml", manifest.replace("HOST", &registry.host())).write("f", "file\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record", "-o", "app.tar"]).expect(0);
    project.repro(&["verify"]).expect(0);
    let document = project.repro(&["inspect", "./app.tar", "--layers", "--format", "json"]).expect(0).json();
    let layers = document["images"][0]["layers"].as_array().unwrap();
    assert_eq!(layers.iter().map(|layer| layer["entries"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2], "{document}");
}
