//! What others left on a daemon does not reach an image, and nothing of theirs is removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;
use crate::rig::{allow_older_daemons, locked, manifest_digest, run, variable};

const DOCKERFILE: &str = "FROM scratch\nCOPY . /all/\n";
const FILES: &[(&str, &str)] = &[("d/file", "ours\n"), ("d/e/other", "other\n"), (".dockerignore", "repro.*\n")];

/// The staged context, which a dry run leaves until the next run.
fn staged(project: &Project) -> PathBuf {
    let dry = project.repro(&["build", "--engine", "buildctl", "--dry-run"]).expect(0).stdout;
    let word = dry.split_whitespace().find_map(|word| word.strip_prefix("context="));
    PathBuf::from(word.unwrap_or_else(|| panic!("no context in {dry}")))
}

/// Builds as a user of the same daemon would, who does not stage: a tree with names, sizes and times of the staged one,
/// but another content, and directories of 2012.
fn build_a_lookalike(address: &str, staged: &Path, directory: &Path) {
    let lookalike = directory.join("lookalike");
    run(Command::new("cp").arg("-a").args([staged, &lookalike]));
    let file = lookalike.join("d/file");
    fs::write(&file, "lies\n").unwrap();
    run(Command::new("touch").arg("-r").arg(staged.join("d/file")).arg(&file));
    for path in ["d/e", "d", ""] {
        run(Command::new("touch").args(["-d", "2012-03-04T05:06:07Z"]).arg(lookalike.join(path)));
    }
    let dockerfile = directory.join("dockerfile");
    fs::create_dir(&dockerfile).unwrap();
    fs::write(dockerfile.join("Dockerfile"), DOCKERFILE).unwrap();
    run(Command::new("buildctl")
        .args(["--addr", address, "build", "--no-cache", "--frontend", "dockerfile.v0"])
        .arg(format!("--local=context={}", lookalike.display()))
        .arg(format!("--local=dockerfile={}", dockerfile.display())));
}

#[test]
fn a_lookalike_that_others_sent_to_the_daemon_is_not_taken_for_the_context() {
    let (Some(usual), Some(old)) = (variable("BUILDKIT_HOST"), variable("RIG_BUILDKIT_OLD")) else { return };
    for address in [&usual, &old] {
        let mut project = locked("[image.app]\n", DOCKERFILE, FILES).unwrap();
        allow_older_daemons(&mut project);
        let truth = manifest_digest(project.repro(&["build", "--format", "json", "--engine", "native"]));
        let build = |more: &[&str]| {
            let arguments = ["build", "--format", "json", "--engine", "buildctl", "--addr", address];
            manifest_digest(project.repro(&[&arguments, more].concat()))
        };
        for more in [&["--no-cache"][..], &[]] {
            let directory = tempfile::tempdir().unwrap();
            build_a_lookalike(address, &staged(&project), directory.path());
            assert_eq!(build(more), truth, "{address} {more:?}");
        }
        let local = ["--addr", address, "du", "--filter", "type==source.local", "--verbose"];
        let kept = run(Command::new("buildctl").args(local));
        let contexts = kept.matches("local source for context").count();
        assert!(contexts >= 2, "the other build's snapshot beside ours was expected:\n{kept}");
    }
}

#[test]
fn a_daemon_that_does_not_check_bases_is_refused_or_named_in_each_verdict() {
    let (Some(previous), Some(_)) = (variable("RIG_BUILDKIT_PREVIOUS"), variable("BUILDKIT_HOST")) else { return };
    let dockerfile = "FROM registry.example/busybox:1\nRUN true\n";
    let mut project = locked("[image.app]\n", dockerfile, &[]).unwrap();
    project.repro(&["build", "--record"]).expect(0);
    let verify = ["verify", "--engine", "buildctl", "--addr", &previous];
    let refused = project.repro(&verify).expect(7);
    refused
        .says("BuildKit is `v0.32.2`, expected v0.33.1 or newer of a daemon that others may use")
        .says("allow-shared-before = \"0.33.1\"");
    // What the checkout says about it does not count.
    let manifest = project.read("repro.toml");
    project.write("repro.toml", format!("{manifest}[buildkit]\nallow-shared-before = \"0.33.1\"\n"));
    project.repro(&verify).expect(2);
    project.write("repro.toml", manifest);
    allow_older_daemons(&mut project);
    let allowed = project.repro(&verify).expect(0);
    assert!(allowed.stdout.contains("\n  warning: BuildKit is `v0.32.2`, and others may use it"), "{allowed:?}");
    let document = project.repro(&[&verify[..], &["--format", "json"]].concat()).expect(0).json();
    let warnings = document["images"][0]["warnings"].as_array().unwrap();
    assert!(warnings[0].as_str().unwrap().starts_with("BuildKit is `v0.32.2`"), "{document}");
    // A daemon that checks gives no warning, whatever is allowed.
    let usual = project.repro(&["verify", "--engine", "buildctl"]).expect(0);
    assert!(!usual.stdout.contains("warning"), "{usual:?}");
}
