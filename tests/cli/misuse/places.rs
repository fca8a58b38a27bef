//! Places: subdirectories, worktrees, submodules, bare repositories, links.

use std::fs;
use std::os::unix::fs::symlink;

use super::{built, locked};
use crate::project::Project;

#[test]
fn a_subdirectory_a_worktree_and_a_submodule_build_the_same_image() {
    let project = locked("FROM scratch\nCOPY f d /\n", &[("f", "f"), ("d/deep/x", "x")]);
    let here = built(&project, &[]);
    assert_eq!(built(&project, &["-C", "d/deep"]), here);
    assert_eq!(fs::read_dir(project.path().join("d/deep")).unwrap().count(), 1, "nothing was written there");

    let tree = project.home().join("tree");
    let tree = tree.to_str().unwrap();
    project.git(&["worktree", "add", "-q", tree]);
    assert_eq!(built(&project, &["-C", tree]), here);
    project.repro(&["-C", tree, "build", "--record"]).expect(0);
    project.repro(&["-C", tree, "verify"]).expect(0);

    let outer = Project::new();
    outer.write("repro.toml", "version = 1\n[image.outer]\n").write("Dockerfile", "FROM scratch\nCOPY . /\n");
    let inner = project.path().to_str().unwrap();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "lib"]);
    outer.commit().repro(&["lock"]).expect(0);
    built(&outer, &[]);
    assert_eq!(built(&outer, &["-C", "lib"]), here);
    outer.git(&["submodule", "deinit", "-q", "-f", "lib"]);
    outer.repro(&["build"]).expect(2).says("submodule lib is not checked out").says("git submodule update");
}

/// What is beside the context is read by itself: the Dockerfile, the lockfile, tapes.
#[test]
fn a_checkout_with_other_line_ends_is_the_recorded_tree() {
    let project = locked("FROM scratch\nCOPY text /\nCOPY <<T /here\none\ntwo\nT\n", &[("text", "l1\nl2\n")]);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    let clone = project.home().join("clone");
    project.git(&["clone", "-q", "-c", "core.autocrlf=true", ".", clone.to_str().unwrap()]);
    assert!(fs::read_to_string(clone.join("Dockerfile")).unwrap().contains("\r\n"));
    let verify = || project.repro(&["-C", clone.to_str().unwrap(), "verify"]);
    verify().expect(0);
    // What was edited counts as it lies there.
    fs::write(clone.join("Dockerfile"), "FROM scratch\r\nCOPY text /\r\n").unwrap();
    verify().expect(3);
}

#[test]
fn a_bare_repository_has_no_manifest() {
    let project = locked("FROM scratch\n", &[]);
    let bare = project.home().join("bare.git");
    project.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    for command in ["build", "lock", "sources", "verify", "outdated"] {
        project.repro(&["-C", bare.to_str().unwrap(), command]).expect(2).says("no `repro.toml`");
    }
    project.repro(&["-C", bare.to_str().unwrap(), "init"]).expect(2).says("no Dockerfile at");
}

#[test]
fn a_dockerfile_that_leads_out_of_the_repository_is_refused_and_not_shown() {
    let project = locked("FROM scratch\n", &[]);
    let outside = project.home().join("private");
    fs::write(&outside, "hunter2 in here\n").unwrap();
    fs::remove_file(project.path().join("Dockerfile")).unwrap();
    symlink(&outside, project.path().join("Dockerfile")).unwrap();
    for arguments in
        [&["sources"][..], &["lock"], &["build"], &["sources", "-f", "Dockerfile"], &["build", "-f", "Dockerfile"]]
    {
        let outcome = project.repro(arguments).expect(2).says("`Dockerfile` leads out of the repository");
        assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
    }
    fs::remove_file(project.path().join("repro.toml")).unwrap();
    symlink(&outside, project.path().join("repro.toml")).unwrap();
    let outcome = project.repro(&["build"]).expect(2).says("leads out of the repository");
    assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
}

#[test]
fn a_dockerfile_may_be_a_link_within_the_repository() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    let plain = built(&project, &[]);
    fs::create_dir(project.path().join("docker")).unwrap();
    fs::rename(project.path().join("Dockerfile"), project.path().join("docker/real")).unwrap();
    symlink("docker/real", project.path().join("Dockerfile")).unwrap();
    assert_eq!(built(&project, &[]).split(' ').nth(2), plain.split(' ').nth(2));
}

#[test]
fn links_in_circles_end() {
    let project = locked("FROM scratch\nCOPY . /\n", &[("f", "f")]);
    for (target, link) in [("a", "b"), ("b", "a"), (".", "self"), ("/", "root")] {
        symlink(target, project.path().join(link)).unwrap();
    }
    project.commit();
    built(&project, &[]);
    // BuildKit's client follows a link once, so that the native engine has no say about more.
    for (copied, status) in [("self/f", 0), ("self/self/self/f", 7), ("a", 5), ("root/etc/passwd", 5)] {
        project.write("Dockerfile", format!("FROM scratch\nCOPY {copied} /\n"));
        project.repro(&["build", "--engine", "native"]).expect(status);
    }
    for name in ["Dockerfile", "repro.toml"] {
        fs::remove_file(project.path().join(name)).unwrap();
        symlink(name, project.path().join(name)).unwrap();
        project.repro(&["build"]).expect(2).says(name).says("links");
    }
}

#[test]
fn what_is_no_dockerfile_is_refused_by_name() {
    let project = locked("FROM scratch\n", &[]);
    fs::remove_file(project.path().join("Dockerfile")).unwrap();
    for command in ["sources", "lock", "build"] {
        project.repro(&[command]).expect(2).says("Dockerfile`: No such file");
    }
    fs::create_dir(project.path().join("Dockerfile")).unwrap();
    for command in ["sources", "lock", "build"] {
        project.repro(&[command]).expect(2).says("Dockerfile`: it is not a regular file");
    }
    project.repro(&["sources", "-f", "/dev/zero"]).expect(2).says("not a regular file");
}

#[test]
fn a_fifo_in_place_of_a_file_is_refused_at_once() {
    let mut project = locked("FROM scratch\n", &[]);
    for (name, commands) in [
        ("repro.lock", &[&["build"][..], &["lock"], &["verify"], &["sources"]][..]),
        ("repro.toml", &[&["build"], &["lock"], &["sources"]]),
        ("Dockerfile", &[&["build"], &["lock"], &["sources"], &["sources", "-f", "Dockerfile"]]),
    ] {
        make_fifo(&project, name);
        for arguments in commands {
            project.repro(arguments).expect(2).says(&format!("{name}`: it is not a regular file"));
        }
        fs::remove_file(project.path().join(name)).unwrap();
        project.git(&["checkout", "-q", "--", name]);
    }
    built(&project, &[]);
    make_fifo(&project, "config.toml");
    project.set("REPRO_CONFIG", "config.toml");
    project.repro(&["build"]).expect(2).says("config.toml`: it is not a regular file");
    let project = locked("FROM scratch\n", &[]);
    make_fifo(&project, "config.toml");
    project.repro(&["build", "--record=config.toml"]).expect(2).says("not a regular file");
    project.repro(&["verify", "-f", "Dockerfile", "--record=config.toml"]).expect(2).says("not a regular file");
    project.write("repro.toml", "version = 1\n[image.app]\nnetwork = \"locked\"\n");
    project.write("Dockerfile", "FROM scratch\nRUN x\n");
    make_fifo(&project, "repro.app.tape");
    for command in ["lock", "build"] {
        project.repro(&[command]).expect(2).says("repro.app.tape`: it is not a regular file");
    }
}

/// Puts a fifo in a file's place.
fn make_fifo(project: &Project, name: &str) {
    let path = project.path().join(name);
    let _ = fs::remove_file(&path);
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
}

#[test]
fn an_unpacked_archive_of_git_is_told_what_it_lacks() {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", "FROM scratch\nCOPY . /\n");
    project.write("secret.txt", "s").write("docs/a.md", "a").write("kept", "k");
    project.write(".gitattributes", "secret.txt export-ignore\n/docs/ export-ignore\nkept text\n").commit();
    project.repro(&["lock"]).expect(0);
    let unpacked = || {
        project.commit();
        project.repro(&["build", "--record", "--engine", "native"]).expect(0);
        project.commit();
        project.git(&["archive", "-o", ".git/archive.tar", "HEAD"]);
        let other = Project::bare();
        let archive = std::fs::File::open(project.path().join(".git/archive.tar")).unwrap();
        tar::Archive::new(archive).unpack(other.path()).unwrap();
        other
    };
    let outcome = unpacked().repro(&["verify", "--engine", "native"]).expect(3);
    outcome.says("not there: `docs`, `secret.txt`, left out of archives").says("hint: clone the repository");
    // What the Dockerfile itself names is told without `.gitattributes`, too.
    project.write("Dockerfile", "FROM scratch\nCOPY kept secret.txt /x/\n");
    project.write(".gitattributes", "secret.txt export-ignore\n.gitattributes export-ignore\n");
    let outcome = unpacked().repro(&["verify", "--engine", "native"]).expect(3);
    outcome.says("not there: `secret.txt`, which the Dockerfile takes");
    project.write(".gitattributes", "");
    unpacked().repro(&["verify", "--engine", "native"]).expect(0);
}
