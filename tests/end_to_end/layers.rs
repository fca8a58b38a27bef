//! An image that the manifest makes of files, built by BuildKit too: every key, upon a base. Needs the rig.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::needs;
use crate::project::Project;

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
