//! What a daemon gets of base images and files, and from whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::own_registry::{OwnRegistry, Packing, base64, new_content};
use crate::project::Project;
use crate::rig::{Served, locked, manifest_digest, run, variable};

fn build(project: &Project, engine: &str) -> String {
    manifest_digest(project.repro(&["build", "--format", "json", "--engine", engine]))
}

#[test]
fn base_layers_are_the_pins_whatever_blob_the_daemon_saw_first() {
    let registry = OwnRegistry::start(&[]);
    let content = new_content("base");
    let packings = [("hub", Packing::Gzip(9)), ("level", Packing::Gzip(1)), ("zstd", Packing::Zstd)];
    for (repository, packing) in packings {
        registry.push(repository, "etc-unique", &content, packing);
    }
    let mut seen = Vec::new();
    for (repository, _) in packings {
        let dockerfile = format!("FROM {}/{repository}:1\nCOPY a /a\n", registry.host());
        let Some(project) = locked("[image.app]\n", &dockerfile, &[("a", "a")]) else { return };
        let native = build(&project, "native");
        assert_eq!(build(&project, "buildctl"), native, "{repository}");
        project.repro(&["build", "--record", "--self-check", "--engine", "buildctl"]).expect(0);
        project.repro(&["verify", "--engine", "native"]).expect(0);
        // The bytes are those of the pin, too.
        let archives = ["native", "buildctl"].map(|engine| {
            let path = project.home().join(engine);
            project.repro(&["build", "--engine", engine, "-o", path.to_str().unwrap()]).expect(0);
            fs::read(path).unwrap()
        });
        assert!(archives[0] == archives[1], "{repository}");
        seen.push(native);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "each packing makes another image manifest");
}

#[test]
fn offline_a_daemon_gets_everything_from_here_or_is_not_asked() {
    let Some(_) = variable("RIG_FILES_ROOT") else { return };
    let registry = OwnRegistry::start(&[]);
    registry.push("base", "unique", &new_content("offline"), Packing::Gzip(6));
    let file = Served::new("offline", &new_content("file"));
    let dockerfile =
        format!("FROM {}/base:1\nADD {} /one\nCOPY --from={0}/base:1 /unique /two\n", registry.host(), file.url);
    let Some(mut project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
    let asked = registry.requests();
    let verify = ["verify", "--offline", "--engine", "buildctl"];
    project.repro(&["build", "--record", "--engine", "native", "-o", ".git/app.tar"]).expect(0);
    let after = registry.requests();
    assert!(after > asked, "the base's layer was fetched");
    file.response(r#"{"fail": -1, "status": 503}"#);
    project.repro(&verify).expect(0);
    project.repro(&["build", "--offline", "--engine", "buildctl", "-o", ".git/again.tar"]).expect(0);
    assert_eq!(registry.requests(), after, "nobody was asked");
    assert!(
        fs::read(project.path().join(".git/app.tar")).unwrap()
            == fs::read(project.path().join(".git/again.tar")).unwrap()
    );
    project
        .repro(&[&verify[..], &["--addr", "tcp://127.0.0.1:1"]].concat())
        .expect(7)
        .says("`--offline`: the daemon is on another machine");
    // What is not at hand is named before the daemon is asked anything.
    let other = project.home().join("other-cache");
    project.set("REPRO_CACHE", other.to_str().unwrap());
    project.repro(&verify).expect(2).says("`--offline` rules out");
    assert_eq!(registry.requests(), after);
}

#[test]
fn offline_an_open_network_is_refused() {
    let dockerfile = "FROM scratch\nCOPY a /a\n";
    let Some(project) = locked("[image.app]\nnetwork = \"open\"\n", dockerfile, &[("a", "a")]) else { return };
    project
        .repro(&["build", "--offline", "--engine", "buildctl"])
        .expect(7)
        .says("`--offline`: `network = \"open\"` lets RUN ask every host");
}

/// A repository on the rig's server whose directory `sub` is another one there; gives its name.
fn repository_with_submodule() -> Option<String> {
    let (root, url) = (PathBuf::from(variable("RIG_GIT_ROOT")?), variable("RIG_GIT")?);
    let name = format!("submodule-{}", std::process::id());
    let work = tempfile::tempdir().unwrap();
    let script = format!(
        "set -e; export GIT_CONFIG_GLOBAL=/dev/null; git init -q inner; cd inner; echo inner >file; git add .; $COMMIT inner; cd ..
         git clone -q --bare inner {0}/{name}-inner.git; git init -q -b main outer; cd outer; echo outer >file; git add .
         git submodule --quiet add {url}/{name}-inner.git sub; $COMMIT outer; git clone -q --bare . {0}/{name}.git",
        root.display()
    );
    let commit = "git -c user.name=t -c user.email=t@t.example commit -q -m";
    run(Command::new("sh").args(["-c", &script]).current_dir(work.path()).env("COMMIT", commit));
    Some(name)
}

#[test]
fn what_no_two_clones_have_alike_is_built_by_no_engine() {
    let Some(name) = repository_with_submodule() else { return };
    let with_git = "a git repository with its `.git`, which no two clones have alike";
    let with_submodules = "a git repository with submodules, which no two clones have alike";
    for (dockerfile, line, told) in [
        (format!("FROM scratch\nADD https://git.example/{name}.git#main /src/\n"), 2, with_submodules),
        (
            // Only some of its files come into the result.
            format!(
                "FROM scratch AS a\nADD https://git.example/{name}.git#main /src/\nFROM scratch\nCOPY --from=a /src/file /\n"
            ),
            2,
            with_submodules,
        ),
        (format!("FROM scratch\nADD --keep-git-dir=true https://git.example/{name}-inner.git /src/\n"), 2, with_git),
        (
            format!("FROM scratch\nARG KEEP=keep-git-dir=1\nADD https://git.example/{name}-inner.git?$KEEP /src/\n"),
            3,
            with_git,
        ),
    ] {
        let Some(project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
        for engine in ["native", "buildctl", "auto"] {
            let outcome = project.repro(&["build", "--engine", engine]).expect(7);
            outcome.says(&format!("Dockerfile:{line}: `https://git.example/{name}")).says(told).says("hint: ");
        }
    }
    let dockerfile = format!("FROM scratch\nADD https://git.example/{name}-inner.git /src/\n");
    let Some(project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
    project.repro(&["build", "--engine", "native,buildctl"]).expect(0);
    let dockerfile = format!("FROM scratch\nADD https://git.example/{name}.git?branch=main&submodules=false /src/\n");
    let Some(project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
    project.repro(&["build", "--engine", "native,buildctl"]).expect(0);
}

/// A repository called `name` on the rig's server, with what `fill` writes as its one commit; gives the work tree.
fn repository(name: &str, fill: impl Fn(&Path)) -> Option<tempfile::TempDir> {
    let root = variable("RIG_GIT_ROOT")?;
    variable("BUILDKIT_HOST")?;
    let work = tempfile::tempdir().unwrap();
    fill(work.path());
    let script = format!(
        "set -e; export GIT_CONFIG_GLOBAL=/dev/null; git init -q -b main; git add .; $COMMIT files; $TAG v1
         git clone -q --bare . {root}/{name}.git"
    );
    let user = "git -c user.name=t -c user.email=t@t.example";
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(work.path());
    run(command.env("COMMIT", format!("{user} commit -q -m")).env("TAG", format!("{user} tag -m annotated")));
    Some(work)
}

#[test]
fn a_checkout_that_the_daemon_has_from_before_the_epoch_is_made_anew() {
    let name = format!("checkout-{}", std::process::id());
    let Some(_work) = repository(&name, |work| fs::write(work.join("file"), "file").unwrap()) else { return };
    let seconds = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for _ in 0..2 {
        let manifest = format!("[image.app]\nsource-date-epoch = {}\n", seconds());
        let dockerfile = format!("FROM scratch\nADD https://git.example/{name}.git#main /src/\n");
        let Some(project) = locked(&manifest, &dockerfile, &[]) else { return };
        project.repro(&["build", "--record", "--engine", "native,buildctl"]).expect(0);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

#[test]
fn layers_that_a_daemon_kept_from_before_the_epoch_are_no_difference() {
    let seconds = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let content = new_content("kept");
    let content = content.as_str();
    for is_recorded in [false, true] {
        let manifest = format!("[image.app]\nsource-date-epoch = {}\n", seconds());
        let Some(project) = locked(&manifest, "FROM scratch\nCOPY a /made/here/\n", &[("a", content)]) else { return };
        if is_recorded {
            project.repro(&["build", "--record", "--engine", "native"]).expect(0);
        }
        let built = project.repro(&["build", "--engine", "buildctl"]).expect(0);
        assert_eq!(built.stderr.contains("building again without that"), is_recorded, "{}", built.stderr);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

#[test]
fn a_checksum_may_be_that_of_an_annotated_tag() {
    let name = format!("tagged-{}", std::process::id());
    let Some(work) = repository(&name, |work| fs::write(work.join("file"), "file").unwrap()) else { return };
    let [tag, commit] =
        ["v1", "v1^{}"].map(|rev| run(Command::new("git").arg("-C").arg(work.path()).args(["rev-parse", rev])));
    assert_ne!(tag, commit);
    for checksum in [tag.as_str(), commit.as_str(), &tag[..12]] {
        let dockerfile = format!("FROM scratch\nADD --checksum={checksum} https://git.example/{name}.git#v1 /src/\n");
        let Some(project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
        assert_eq!(project.read("repro.lock").contains(&format!("tag = \"{tag}\"")), checksum != commit);
        project.repro(&["build", "--record", "--engine", "native,buildctl"]).expect(0);
        project.repro(&["verify", "--engine", "buildctl"]).expect(0);
        let wrong = "0".repeat(7);
        project.write("Dockerfile", dockerfile.replace(checksum, &wrong));
        project.repro(&["verify", "--engine", "native"]).expect(3).says("the Dockerfile demands 0000000");
        project.repro(&["lock"]).expect(4).says("the Dockerfile demands 0000000");
    }
}

#[test]
fn pointers_of_lfs_in_a_repository_are_told_whoever_builds() {
    let name = format!("pointers-{}", std::process::id());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n", "7".repeat(64));
    let fill = |work: &Path| {
        fs::create_dir(work.join("data")).unwrap();
        for (file, text) in [("data/big.bin", pointer.as_str()), ("data/other.bin", &pointer), ("small", "small")] {
            fs::write(work.join(file), text).unwrap();
        }
    };
    let Some(_work) = repository(&name, fill) else { return };
    for (subdir, told) in [("", "data/big.bin and 1 more"), (":data", "big.bin and 1 more")] {
        let dockerfile = format!("FROM scratch\nADD https://git.example/{name}.git#main{subdir} /\n");
        let Some(project) = locked("[image.app]\n", &dockerfile, &[]) else { return };
        for engine in ["native", "buildctl"] {
            project.repro(&["build", "--engine", engine]).expect(0).says(&format!(
                "https://git.example/{name}.git: {told}: the image gets pointers of Git LFS, not the files that they stand for"
            ));
        }
    }
}

#[test]
fn two_repositories_of_one_registry_may_have_a_login_each() {
    let registry = OwnRegistry::start(&[("first", "first:secret"), ("second", "second:secret")]);
    let host = registry.host();
    for name in ["first", "second"] {
        registry.push(name, name, &new_content(name), Packing::Gzip(6));
    }
    let dockerfile = format!("FROM {host}/first:1 AS a\nFROM {host}/second:1\nCOPY --from=a /first /\n");
    let Some(project) = crate::rig::project() else { return };
    let auth = |name: &str| format!("\"{host}/{name}\":{{\"auth\":\"{}\"}}", base64(&format!("{name}:secret")));
    let config = project.home().join("docker");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.json"), format!("{{\"auths\":{{{},{}}}}}", auth("first"), auth("second"))).unwrap();
    let mut project = project;
    project.set("DOCKER_CONFIG", config.to_str().unwrap());
    project.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", dockerfile).commit();
    project.repro(&["lock"]).expect(0);
    let native = build(&project, "native");
    assert_eq!(build(&project, "buildctl"), native);
    // A daemon elsewhere would have to ask by itself.
    project
        .repro(&["build", "--engine", "buildctl", "--addr", "tcp://127.0.0.1:1"])
        .expect(4)
        .says("need different logins");
}
