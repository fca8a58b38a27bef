//! `run-env` and `scrub`: what RUN is given leaves no trace, what it leaves behind by name is gone from the image.

use crate::rig::{locked, manifest_digest, variable};

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
