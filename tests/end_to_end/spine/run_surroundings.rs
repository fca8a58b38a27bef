//! `run-env` and `scrub`: what RUN is given leaves no trace, what it leaves behind by name is gone from the image.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::rig::{allow_older_daemons, crane, locked, manifest_digest, registry_name, run, variable};

/// RUN in every form: a shell's, JSON, a heredoc, over several lines, in a stage that another one copies from.
const FORMS: &str = "FROM registry.example/busybox:1 AS tool\n\
                     RUN echo tool > /tool\n\
                     FROM registry.example/busybox:1\n\
                     RUN [\"/bin/sh\", \"-c\", \"echo json > /json\"]\n\
                     RUN <<EOF\necho heredoc > /heredoc\nEOF\n\
                     RUN echo a && \\\n  # comment\n  echo lines > /lines\n\
                     COPY --from=tool /tool /tool\n";

const EPOCH: &str = "source-date-epoch = \"1700000000\"\n";

fn digest(image: &str, dockerfile: &str, engine: &str) -> Option<String> {
    let buildkit = variable("RIG_BUILDKIT_IMAGE")?;
    let tag = buildkit.split('@').next()?;
    let manifest = format!("[buildkit]\nimage = \"{tag}\"\n[image.app]\n{EPOCH}{image}");
    let project = locked(&manifest, dockerfile, &[])?;
    Some(manifest_digest(project.repro(&["build", "--no-cache", "--engine", engine, "--format", "json"])))
}

#[test]
fn variables_for_run_leave_no_trace_in_the_image() {
    let Some(plain) = digest("", FORMS, "buildctl") else { return };
    let given = "run-env = { SOURCE_DATE_EPOCH = \"epoch\", PYTHONHASHSEED = \"0\", EMPTY = \"\" }\n";
    for engine in ["buildctl", "buildx"] {
        assert_eq!(digest(given, FORMS, engine).as_ref(), Some(&plain), "{engine}");
    }
}

#[test]
fn another_value_is_another_build_even_with_the_cache_on() {
    let dockerfile = "FROM registry.example/busybox:1\nRUN echo \"$SEED $SOURCE_DATE_EPOCH [$EMPTY]\" > /seen\n";
    let manifest = |seed: &str| {
        format!("[image.app]\n{EPOCH}run-env = {{ SEED = \"{seed}\", SOURCE_DATE_EPOCH = \"epoch\", EMPTY = \"\" }}\n")
    };
    let mut digests = Vec::new();
    for seed in ["1", "2", "1"] {
        let Some(project) = locked(&manifest(seed), dockerfile, &[]) else { return };
        let build = ["build", "--engine", "buildctl", "--format", "json"];
        digests.push(manifest_digest(project.repro(&build)));
    }
    assert_eq!(digests[0], digests[2]);
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn noise_that_is_named_is_gone_and_every_engine_agrees() {
    let dockerfile = "FROM registry.example/busybox:1\n\
                      RUN mkdir -p /var/log /root/.cache/a; cat /proc/sys/kernel/random/uuid > /var/log/dpkg.log; echo x > /x\n\
                      RUN cat /proc/sys/kernel/random/uuid > /root/.cache/a/b; echo 'a:!:20777::::::' > /etc/shadow\n\
                      RUN cat /proc/sys/kernel/random/uuid >> /var/log/dpkg.log\n";
    let (Some(one), Some(other)) = (digest("", dockerfile, "buildctl"), digest("", dockerfile, "buildctl")) else {
        return;
    };
    assert_ne!(one, other, "without scrub nothing is left out");
    let scrub = "scrub = [\"dpkg-log\", \"root-cache\", \"shadow-day\"]\n";
    let clean = digest(scrub, dockerfile, "buildctl");
    for engine in ["buildctl", "buildx"] {
        assert_eq!(digest(scrub, dockerfile, engine), clean, "{engine}");
    }
}

#[test]
fn builds_tell_what_was_left_out_and_which_rule_named_nothing() {
    let dockerfile = "FROM registry.example/busybox:1\nRUN mkdir -p /var/log; echo 12345 > /var/log/dpkg.log\n";
    let manifest = format!("[image.app]\n{EPOCH}scrub = [\"dpkg-log\", \"apk-log\"]\n");
    let Some(project) = locked(&manifest, dockerfile, &[]) else { return };
    let outcome = project.repro(&["build", "--engine", "buildctl", "--format", "json"]).expect(0);
    let outcome = outcome.says("scrub `apk-log/1` matched no file");
    let scrubbed = outcome.json()["images"][0]["platforms"][0]["scrubbed"].clone();
    let want = serde_json::json!([
        { "rule": "dpkg-log/1", "files": 1, "bytes": 6, "paths": ["/var/log/dpkg.log"] },
        { "rule": "apk-log/1", "files": 0, "bytes": 0, "paths": [] },
    ]);
    assert_eq!(scrubbed, want);
}

#[test]
fn rules_of_a_newer_version_are_refused_by_name() {
    let manifest = format!("[image.app]\n{EPOCH}scrub = [\"dpkg-log\"]\n");
    let Some(project) = locked(&manifest, "FROM registry.example/busybox:1\nRUN true\n", &[]) else { return };
    project.write("repro.lock", project.read("repro.lock").replace("dpkg-log/1", "dpkg-log/7"));
    project.repro(&["build"]).expect(3).says("`dpkg-log/7` is not known to this version, which has `dpkg-log/1`");
    project.write("repro.toml", "version = 1\n[image.app]\nscrub = [\"dpkg-lgo\"]\n");
    project.repro(&["build"]).expect(2).says("did you mean `dpkg-log`?");
}

/// Builds `dockerfile` with the rig's BuildKit alone and pushes what comes out as `name`.
fn push_built(name: &str, dockerfile: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Dockerfile"), dockerfile).unwrap();
    let output = format!("type=image,name={},push=true", registry_name(name));
    let directory = directory.path().display();
    run(Command::new("buildctl").args(["build", "--frontend", "dockerfile.v0", "--output", &output]).args([
        "--local",
        &format!("context={directory}"),
        "--local",
        &format!("dockerfile={directory}"),
    ]));
}

#[test]
fn what_the_manifest_gives_wins_over_base_and_dockerfile_and_stays_out_of_the_image() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    push_built("environment:1", "FROM registry.example/busybox:1\nENV A=base B=base C=base\n");
    let dockerfile = "FROM registry.example/spine/environment:1\nENV B=dockerfile\nRUN echo $A $B $C > /seen\n";
    // The same layers as of a RUN that says so itself; the history tells the RUN's own words.
    let manifest = format!("[image.app]\n{EPOCH}run-env = {{ A = \"given\", B = \"given\" }}\n");
    let project = locked(&manifest, dockerfile, &[]).unwrap();
    let built = project.repro(&["build", "--engine", "buildctl", "-o", ".git/image/", "--format", "json"]).expect(0);
    let layers = |document: serde_json::Value| document["images"][0]["platforms"][0]["layers"].clone();
    let written =
        locked(&format!("[image.app]\n{EPOCH}"), &dockerfile.replace("$A $B $C", "given given base"), &[]).unwrap();
    let expected = written.repro(&["build", "--engine", "buildctl", "--format", "json"]).expect(0);
    assert_eq!(layers(built.json()), layers(expected.json()));
    let config = run(Command::new("sh")
        .args(["-c", "cat .git/image/blobs/sha256/* | grep -a '\"rootfs\"'"])
        .current_dir(project.path()));
    assert!(config.contains("\"A=base\"") && config.contains("\"B=dockerfile\""), "{config}");
    assert!(!config.contains("A=given") && !config.contains("B=given"), "{config}");
}

#[test]
fn a_base_whose_triggers_run_is_refused_only_with_variables() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    push_built("triggers:1", "FROM registry.example/busybox:1\nONBUILD RUN echo \"[$A]\" > /seen\n");
    let dockerfile = "ARG V\nFROM registry.example/spine/triggers:1\n";
    let Some(project) = locked(&format!("[image.app]\n{EPOCH}"), dockerfile, &[]) else { return };
    project.repro(&["build"]).expect(0);
    project.write("repro.toml", format!("version = 1\n[image.app]\n{EPOCH}run-env = {{ A = \"1\" }}\n"));
    project.repro(&["lock"]).expect(0);
    project.repro(&["build"]).expect(2).says("Dockerfile line 2").says("ONBUILD RUN").says("leave `run-env` out");
}

#[test]
fn frontends_and_daemons_that_do_not_know_variables_are_refused_with_the_version_needed() {
    if variable("RIG_REGISTRY").is_none() {
        return;
    }
    // Only its name counts: nothing of it runs.
    let busybox = format!("{}/busybox:1", variable("RIG_REGISTRY").unwrap());
    crane(&["copy", "--platform", "linux/amd64", &busybox, &registry_name("dockerfile:1.9")]);
    let dockerfile = "# syntax=registry.example/spine/dockerfile:1.9\nFROM registry.example/busybox:1\nRUN true\n";
    let given = "run-env = { A = \"1\" }\n";
    let project = locked(&format!("[image.app]\n{EPOCH}{given}"), dockerfile, &[]).unwrap();
    let refused = project.repro(&["build", "--engine", "buildctl"]).expect(7);
    refused.says("`registry.example/spine/dockerfile:1.9`").says("expected Dockerfile 1.10 or newer");
    let refused = project.repro(&["build"]).expect(7);
    assert!(!refused.stderr.contains("docker with"), "{refused:?}");
    refused.says("`frontend = \"builtin\"` in the table of `app`");

    let manifest = format!("[buildkit]\nversion = \">=0.10\"\n[image.app]\n{EPOCH}{given}");
    let mut project = locked(&manifest, "FROM registry.example/busybox:1\nRUN true\n", &[]).unwrap();
    let real = run(Command::new("sh").args(["-c", "command -v buildctl"]));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*'debug workers'*) {real} \"$@\" | sed 's/\"version\":\"v[0-9.]*/\"version\":\"v0.15.1/' ;;\n*) exec {real} \"$@\" ;;\nesac\n"
    );
    project.write(".git/bin/buildctl", script);
    let program = project.path().join(".git/bin/buildctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    project.set("PATH", &path);
    allow_older_daemons(&mut project);
    let refused = project.repro(&["build", "--engine", "buildctl", "--no-cache"]).expect(7);
    refused.says("BuildKit is `v0.15.1`").says("expected v0.16.0 or newer");
    project.write("repro.toml", format!("version = 1\n{}", manifest.replace(given, "")));
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "buildctl"]).expect(0);
}
