//! Named contexts that stand for one platform only.

use std::process::Command;

use crate::project::Project;
use crate::rig::{crane, locked, push_base, registry_name, run};

const DOCKERFILE: &str = "FROM base\nCOPY --from=docs /text /text\n";

/// The labels and the text of each platform, as an engine builds them.
fn built(project: &Project, engine: &str) -> Vec<String> {
    let built = project.repro(&["build", "--no-cache", "--engine", engine, "--format", "json"]).expect(0).json();
    let platforms = built["images"][0]["platforms"].as_array().unwrap().clone();
    platforms.iter().map(|platform| platform["manifest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_platform_gets_its_own_context_and_others_the_common_one() {
    let Some(manifest) = crate::rig::variable("RIG_REGISTRY").map(|_| {
        let (one, common) = (push_base("platform-one", "one"), push_base("platform-common", "common"));
        assert_ne!(one, common);
        // The common one has another platform too.
        let arm = format!("{}-arm", registry_name("platform-common"));
        crane(&["mutate", &registry_name("platform-common"), "--set-platform", "linux/arm64", "--tag", &arm]);
        "[image.app]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\nsource-date-epoch = \"1700000000\"\n[image.app.contexts]\n\
         \"base::linux/amd64\" = \"docker-image://registry.example/spine/platform-one\"\n\
         base = \"docker-image://registry.example/spine/platform-common-arm\"\n\
         docs = \"common\"\n\"docs::linux/arm64\" = \"arm\"\n"
            .to_owned()
    }) else {
        return;
    };
    let files = [("common/text", "common\n"), ("arm/text", "arm\n")];
    let Some(project) = locked(&manifest, DOCKERFILE, &files) else { return };
    let lock = project.read("repro.lock");
    for want in
        ["spine/platform-one:latest", "spine/platform-common-arm:latest", "contexts.\"docs::linux/arm64\" = \"arm\""]
    {
        assert!(lock.contains(want), "{want}: {lock}");
    }
    let native = built(&project, "native");
    assert_eq!(native, built(&project, "buildctl"));
    project.repro(&["build", "--engine", "buildx"]).expect(7).says("buildx takes no context for one platform");
    let archive = project.path().join(".git/app.tar");
    project.repro(&["build", "-o", archive.to_str().unwrap()]).expect(0);
    let inspected = run(Command::new("tar")
        .arg("-xOf")
        .arg(&archive)
        .args(["--wildcards", "blobs/sha256/*"])
        .env("LC_ALL", "C")
        .stdout(std::process::Stdio::piped()));
    assert!(
        inspected.contains("\"spine\":\"one\"") && inspected.contains("\"spine\":\"common\""),
        "labels of both bases"
    );

    project.repro(&["build", "--record"]).expect(0);
    project.repro(&["verify"]).expect(0);
    // What a platform does not use changes nothing for it.
    project.write("arm/text", "changed\n");
    let changed = built(&project, "native");
    assert_eq!((changed[0] == native[0], changed[1] == native[1]), (true, false));
}
