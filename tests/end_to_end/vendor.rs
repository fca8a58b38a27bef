//! Builds from a vendor folder where there is no network: a name space of its own, with nothing but loopback.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::{Outcome, Project, outcome};
use crate::rig::{self, Served, locked, push_base, run, variable};

/// Runs the binary without network, without daemons that run already, with a new home, and every connection told in a file.
fn cut_off(project: &Project, arguments: &[&str], trace: &Path) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let inner = project.command(arguments);
    let mut command = Command::new("unshare");
    // A loopback that is down answers nobody.
    command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    command.args(["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-e", "signal=none", "-o"]).arg(trace);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(project.path());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home.path());
    outcome(&mut command)
}

/// Whether nobody but this machine itself was called.
#[track_caller]
fn stayed_inside(trace: &Path) {
    let text = fs::read_to_string(trace).unwrap();
    let calls = text.lines().filter(|line| line.contains("connect(") && line.contains("AF_INET"));
    // The step's way to BuildKit's proxy is a bridge in the same name space.
    let inside = ["inet_addr(\"127.", "\"::1\"", "inet_addr(\"10.89."];
    let outside: Vec<&str> = calls.filter(|line| !inside.iter().any(|own| line.contains(own))).collect();
    assert!(outside.is_empty(), "{outside:#?}");
}

/// A repository with several commits and an annotated tag of the last but one, on the rig's server; gives its URL.
fn repository(name: &str) -> String {
    let root = Path::new(&variable("RIG_GIT_ROOT").unwrap()).join(format!("{name}.git"));
    fs::remove_dir_all(&root).ok();
    let work = Project::new();
    for number in 0..3 {
        work.write("chapters/one", format!("text {number}\n")).write("run", "#!/bin/sh\n").commit();
        if number == 1 {
            work.git(&["tag", "-a", "v1", "-m", "one"]);
        }
    }
    run(Command::new("git").args(["clone", "-q", "--bare"]).arg(work.path()).arg(&root));
    format!("https://git.example/{name}.git")
}

#[test]
fn an_image_with_all_kinds_of_sources_is_rebuilt_without_network() {
    if variable("RIG_GIT_ROOT").is_none() || !rustix::process::geteuid().is_root() {
        return;
    }
    push_base("vendored", "base");
    let (added, taped) = (Served::new("vendored-added", "added\n"), Served::new("vendored-taped", "taped\n"));
    let git = repository("vendored");
    let dockerfile = format!(
        "# syntax=registry.example/dockerfile:1\nFROM registry.example/spine/vendored\nADD {} /added\nADD {git}#v1 /chapters\n\
         RUN wget -O /taped {} && cat /added /taped > /both\n",
        added.url,
        taped.url.replace("https:", "http:"),
    );
    let Some(mut project) = rig::project() else { return };
    let manifest = "version = 1\n[image.app]\nnetwork = \"locked\"\nsource-date-epoch = \"1700000000\"\n";
    project.write("repro.toml", manifest).write("Dockerfile", dockerfile);
    // What RUN asks for comes over plain HTTP.
    let config = fs::read_to_string(variable("REPRO_CONFIG").unwrap()).unwrap();
    let path = project.home().join("config.toml");
    fs::write(&path, format!("{config}\"http://files.example/\" = \"{}/\"\n", variable("RIG_FILES").unwrap())).unwrap();
    project.set("REPRO_CONFIG", path.to_str().unwrap());
    project.commit().repro(&["lock"]).expect(0);
    project.repro(&["build", "--record", "--engine", "buildctl"]).expect(0);
    project.repro(&["vendor", "-o", ".git/vendor"]).expect(0);
    let trace = project.home().join("trace");
    let verify = ["verify", "--engine", "buildctl", "--vendor", ".git/vendor"];
    cut_off(&project, &verify, &trace).expect(0).prints("reproduced");
    stayed_inside(&trace);
    // With the network cut but without the folder it is not.
    cut_off(&project, &["verify", "--engine", "buildctl"], &trace).expect(4);
}

#[test]
fn the_native_engine_rebuilds_an_image_without_network_too() {
    if variable("RIG_GIT_ROOT").is_none() || !rustix::process::geteuid().is_root() {
        return;
    }
    push_base("vendored-native", "base");
    let added = Served::new("vendored-native", "added\n");
    let git = repository("vendored-native");
    let dockerfile =
        format!("FROM registry.example/spine/vendored-native\nADD {} /added\nADD {git}#v1 /chapters\n", added.url);
    let Some(project) = locked("[image.app]\nsource-date-epoch = \"1700000000\"\n", &dockerfile, &[]) else { return };
    project.repro(&["build", "--record", "--engine", "buildctl"]).expect(0);
    project.repro(&["vendor", "-o", ".git/vendor.tar"]).expect(0);
    let trace = project.home().join("trace");
    for engine in ["native", "buildctl"] {
        let verify = ["verify", "--engine", engine, "--vendor", ".git/vendor.tar"];
        cut_off(&project, &verify, &trace).expect(0).prints("reproduced");
        stayed_inside(&trace);
    }
}

#[test]
fn a_builder_gets_its_own_image_from_the_folder() {
    let (Some(_), Some(image)) = (variable("RIG_GIT_ROOT"), variable("RIG_BUILDKIT_IMAGE")) else { return };
    let manifest = format!("[buildkit]\nimage = \"{image}\"\n[image.app]\nsource-date-epoch = \"1700000000\"\n");
    let dockerfile = "# syntax=registry.example/dockerfile:1\nFROM registry.example/busybox:1\nRUN echo made > /made\n";
    let Some(mut project) = locked(&manifest, dockerfile, &[]) else { return };
    project.repro(&["build", "--record", "--engine", "buildctl"]).expect(0);
    project.repro(&["vendor", "-o", ".git/vendor"]).expect(0);
    // The user's mirrors and registries play no part.
    let nowhere = project.home().join("nowhere.toml");
    fs::write(&nowhere, "").unwrap();
    project.set("REPRO_CONFIG", nowhere.to_str().unwrap());
    let cache = project.home().join("other-cache");
    project.set("REPRO_CACHE", cache.to_str().unwrap());
    let outcome = project.repro(&["verify", "--engine", "buildx", "--vendor", ".git/vendor", "-v"]).expect(0);
    outcome.prints("rebuilt with buildx");
}
