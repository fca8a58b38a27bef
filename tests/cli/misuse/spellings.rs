//! Spellings: line ends, byte order marks, names that are no text, long paths, other umasks.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::{built, locked};
use crate::project::{Project, outcome};

#[test]
fn line_ends_and_byte_order_marks_do_not_matter_to_the_manifest_and_the_dockerfile() {
    let project = locked("FROM scratch\nCOPY f \\\n  /g\nENV a=b\n", &[("f", "f")]);
    let plain = built(&project, &[]);
    for name in ["Dockerfile", "repro.toml"] {
        let text = project.read(name);
        for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            project.write(name, other);
            assert_eq!(built(&project, &[]), plain, "{name}");
            project.repro(&["lock", "--check"]).expect(0);
        }
        project.write(name, text);
    }
    project.write("Dockerfile", [0xff, 0xfe, b'F', 0, b'R', 0]);
    project.repro(&["build"]).expect(2).says("Dockerfile:1");
    project.write("repro.toml", [0xff, 0xfe, b'v', 0]);
    project.repro(&["build"]).expect(2).says("not UTF-8");
}

#[test]
fn names_that_are_no_text_are_built_and_shown_escaped() {
    let project = locked("FROM scratch\nCOPY . /\n", &[("f", "f")]);
    let name = OsStr::from_bytes(b"a\xffb");
    fs::write(project.path().join(name), "x").unwrap();
    let outcome = project.repro(&["build"]).expect(0).says("a\\xffb");
    let without = outcome.stdout;
    project.commit();
    assert_ne!(built(&project, &[]), without);
    let mut command = project.command(&["build", "-o"]);
    crate::project::outcome(command.arg(name)).expect(0);
    let mut command = project.command(&["sources", "-f"]);
    crate::project::outcome(command.arg(OsStr::from_bytes(b"no\xff"))).expect(2).says("no\\xff");
    let mut command = project.command(&["build"]);
    crate::project::outcome(command.arg(OsStr::from_bytes(b"no\xff"))).expect(2).says("UTF-8");
}

#[test]
fn neither_the_umask_nor_deep_directories_change_an_image() {
    let deep = format!("{}/f", vec!["d".repeat(200); 15].join("/"));
    let project = locked("FROM scratch\nCOPY . /\n", &[(&deep, "f")]);
    let plain = built(&project, &[]);
    for umask in ["000", "077", "0777"] {
        fs::remove_dir_all(project.cache()).unwrap();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "umask $0; exec \"$@\"",
            umask,
            env!("CARGO_BIN_EXE_repro"),
            "build",
            "-o",
            ".git/app.tar",
        ]);
        command.current_dir(project.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", project.home());
        assert_eq!(outcome(&mut command).expect(0).stdout, plain, "umask {umask}");
        let mode =
            Command::new("stat").args(["-c", "%a", ".git/app.tar"]).current_dir(project.path()).output().unwrap();
        assert_eq!(mode.stdout, b"644\n", "umask {umask}");
    }
}

#[test]
fn a_context_deeper_than_the_limit_is_refused_by_name() {
    let project = Project::bare();
    project.write("Dockerfile", "FROM scratch\nCOPY . /\n");
    project.write(&format!("{}x", "e/".repeat(300)), "");
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1\n");
    project.repro(&["lock"]).expect(0);
    project.repro(&["build"]).expect(6).says("`context-depth` of 256").says("--limit context-depth=");
    project.repro(&["build", "--limit", "context-depth=400"]).expect(0);
}

#[test]
fn unknown_words_are_refused_with_status_2() {
    let project = locked("FROM scratch\n", &[]);
    for (arguments, says) in [
        (&["frob"][..], "unrecognized subcommand 'frob'"),
        (&["biuld"], "a similar subcommand exists: 'build'"),
        (&["build", "--recrod"], "a similar argument exists: '--record'"),
        (&["build", "aapp"], "no image is called `aapp`"),
        (&["build", "--platform", "--load"], "unexpected argument '--load'"),
        (&["build", "--platform=--push"], "invalid value"),
        (&["build", "--engine", "docker"], "[possible values: auto, native, buildctl, buildx, podman]"),
        (&["build", "--limit", "none=1"], "no limit is called `none`"),
        (&["lock", "--min-age", "7y"], "is not an age"),
        (&["build", "-C", "nowhere"], "cannot enter `nowhere`"),
        (&["build", "-C", "Dockerfile"], "cannot enter `Dockerfile`"),
        (&["-q", "-v", "build"], "cannot be used with"),
    ] {
        project.repro(arguments).expect(2).says(says);
    }
}

#[test]
fn flags_in_place_of_a_manifest_are_held_to_its_rules() {
    let project = locked("FROM scratch AS Runtime\nCOPY f /\nFROM scratch\n", &[("f", "f")]);
    let build = ["build", "-f", "Dockerfile", "--engine", "native"];
    for argument in ["BUILDKIT_MULTI_PLATFORM=1", "BUILDKIT_SYNTAX=", "BUILDKIT_DOCKERFILE_CHECK=error=true"] {
        let name = argument.split('=').next().unwrap();
        let refused = format!("error: `--build-arg`: `{name}` is refused as a build argument");
        let outcome = project.repro(&[&build[..], &["--build-arg", argument]].concat()).expect(2);
        outcome.says(&refused).says("hint: ");
    }
    // Together they are longer than a manifest may be.
    let long = format!("A={}", "x".repeat(100_000));
    let many: Vec<String> = (0..12).map(|number| format!("A{number}{long}")).collect();
    let arguments = many.iter().flat_map(|argument| ["--build-arg", argument]);
    let outcome = project.repro(&build.into_iter().chain(arguments).collect::<Vec<_>>());
    outcome.expect(6).says("error: `--build-arg`: ").says("manifest-file");
    // A platform that is named twice is one platform.
    let once = project.repro(&[&build[..], &["--platform", "linux/amd64"]].concat()).expect(0);
    let twice = ["--platform", "linux/amd64", "--platform", "linux/x86_64"];
    assert_eq!(project.repro(&[&build[..], &twice].concat()).expect(0).stdout, once.stdout);
    project.repro(&[&build[..], &["--platform", "windows/amd64"]].concat()).expect(7).says("Dockerfile:3: FROM");
    // Stages are found in either case, and may have long names.
    let target = project.repro(&[&build[..], &["--target", "Runtime"]].concat()).expect(0).stdout;
    let digest = |line: &str| line.split_whitespace().last().unwrap().to_owned();
    for name in ["Runtime", "runtime", "RUNTIME"] {
        project.write("repro.toml", format!("version = 1\n[image.app]\ntarget = \"{name}\"\n"));
        project.repro(&["lock"]).expect(0);
        assert_eq!(
            digest(&project.repro(&["build", "--engine", "native"]).expect(0).stdout),
            digest(&target),
            "{name}"
        );
    }
}

#[test]
fn the_frontend_is_told_of_a_file_in_another_language_too() {
    let project = locked("FROM scratch\n", &[]);
    for (dockerfile, frontend) in [
        ("# syntax=f.example/x:1\nBAKE\n", "f.example/x:1"),
        ("// syntax=f.example/x:1\nFROM scratch\n", "f.example/x:1"),
        ("#!/usr/bin/env x\n{\"syntax\": \"f.example/x:1\"}", "f.example/x:1"),
        ("# syntax=f.example/x:1\n# syntax=f.example/y:1\nFROM scratch\n", "f.example/x:1"),
    ] {
        project.write("Dockerfile", dockerfile);
        project.repro(&["sources"]).expect(2).says("Dockerfile:");
        let document = project.repro(&["sources", "--format", "json"]).expect(2).json();
        assert_eq!(document["syntax"], frontend, "{dockerfile}");
        assert_eq!(document["error"]["status"], 2);
    }
}

#[test]
fn a_flag_can_give_a_platform_its_own_context() {
    let files = [("common/text", "common\n"), ("arm/text", "arm\n")];
    let project = locked("FROM scratch\n", &files);
    project.write("Dockerfile", "FROM scratch\nCOPY --from=docs /text /\n").commit();
    let digests = |contexts: &[&str]| {
        let mut arguments = vec!["build", "-f", "Dockerfile", "--platform", "linux/amd64,linux/arm64"];
        contexts.iter().for_each(|context| arguments.extend(["--build-context", context]));
        let lines = project.repro(&arguments).expect(0).stdout;
        let digest = |line: &str| line.split(' ').next_back().unwrap().to_owned();
        lines.lines().take(2).map(digest).collect::<Vec<_>>()
    };
    let (common, arm) = (digests(&["docs=common"]), digests(&["docs=arm"]));
    assert_ne!(common[1], arm[1]);
    let each = digests(&["docs=common", "docs::linux/arm64=arm"]);
    assert_eq!(each, [common[0].as_str(), arm[1].as_str()]);
    let build = ["build", "-f", "Dockerfile", "--build-context"];
    let refused = "error: `--build-context`: `docs::linux/AMD64`: BuildKit spells this platform `linux/amd64`";
    project.repro(&[&build[..], &["docs::linux/AMD64=arm"]].concat()).expect(2).says(refused);
}
