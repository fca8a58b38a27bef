//! What tests of git need: a base image with git in it, and a repository.

use std::path::Path;
use std::process::Command;

use crate::rig::{crane, registry_name, run, variable};

/// Copies git and the parts of it that clone over HTTPS, with all libraries that they name, into an empty directory.
const SCRIPT: &str = r#"
core=$(git --exec-path)
mkdir -p usr/bin "./$core" etc/ssl/certs tmp
cp "$(command -v git)" usr/bin/git
cp -L "$core/git-remote-http" "./$core/git-remote-https"
cp -L "$core/git-remote-http" "./$core/git-remote-http"
cp "$core/git-submodule" "$core/git-sh-setup" "$core/git-sh-i18n" "./$core/"
echo '# none of its own' > etc/ssl/certs/ca-certificates.crt
for program in usr/bin/git "./$core/git-remote-https"; do
    ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
        mkdir -p ".$(dirname "$library")"
        cp -L "$library" ".$library"
    done
done
"#;

/// Pushes busybox with this machine's git as `registry.example/spine/git:1`, once.
pub fn push_base(scratch: &Path) {
    let target = registry_name("git:1");
    let there = Command::new("crane").args(["digest", "--insecure", &target]).output().unwrap();
    if there.status.success() {
        return;
    }
    let root = scratch.join("git-base");
    std::fs::create_dir_all(&root).unwrap();
    run(Command::new("sh").args(["-euc", SCRIPT]).current_dir(&root));
    let layer = scratch.join("git-base.tar");
    run(Command::new("tar").args(["--owner=0", "--group=0", "-cf"]).arg(&layer).arg("-C").arg(&root).arg("."));
    let busybox = format!("{}/busybox:1", variable("RIG_REGISTRY").unwrap());
    crane(&["append", "--platform", "linux/amd64", "-b", &busybox, "-f", layer.to_str().unwrap(), "-t", &target]);
}

/// A repository on the rig's server, with a tag and a submodule; `https://git.example/` leads there.
pub fn repository(name: &str) {
    let root = variable("RIG_GIT_ROOT").unwrap();
    let script = format!(
        "set -eu; export GIT_AUTHOR_DATE=@1600000000 GIT_COMMITTER_DATE=@1600000000 GIT_CONFIG_GLOBAL=/dev/null
        work=$(mktemp -d); cd \"$work\"
        git='git -c user.name=a -c user.email=a@b.example -c init.defaultBranch=main -c protocol.file.allow=always'
        rm -rf {root}/{name}.git {root}/{name}-part.git
        $git init -q part; echo part > part/file; $git -C part add .; $git -C part commit -qm part
        $git init -q whole; for n in $(seq 40); do echo $n > whole/$n; done; $git -C whole add .; $git -C whole commit -qm one
        $git -C whole tag v1; $git clone -q --bare part {root}/{name}-part.git
        $git -C whole submodule --quiet add \"$work/part\" part
        $git -C whole config -f .gitmodules submodule.part.url https://git.example/{name}-part.git
        $git -C whole add .; $git -C whole commit -qm two
        $git clone -q --bare whole {root}/{name}.git; rm -rf \"$work\""
    );
    run(Command::new("sh").args(["-c", &script]));
}
