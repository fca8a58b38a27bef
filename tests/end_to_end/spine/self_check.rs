//! `build --self-check`: a second build tells what differs, and proposes only what was tried on both builds.

use crate::rig::{locked, project};

const EPOCH: &str = "source-date-epoch = \"1700000000\"\n";
const RANDOM: &str = "cat /proc/sys/kernel/random/uuid";

#[test]
fn a_reproducible_image_passes_with_one_line() {
    let dockerfile = "FROM registry.example/busybox:1\nRUN echo a > /a\n";
    let Some(project) = locked(&format!("[image.app]\n{EPOCH}"), dockerfile, &[]) else { return };
    let outcome = project.repro(&["build", "--self-check"]).expect(0);
    assert!(outcome.stdout.contains("app linux/amd64 is reproducible"), "{outcome:?}");
    let document = project.repro(&["build", "--self-check", "--format", "json"]).expect(0).json();
    let check = &document["images"][0]["platforms"][0]["self_check"];
    assert_eq!((&check["reproducible"], &check["layers"]), (&true.into(), &serde_json::json!([])), "{check}");
    let plain = project.repro(&["build", "--format", "json"]).expect(0).json();
    assert!(plain["images"][0]["platforms"][0].get("self_check").is_none(), "{plain}");
}

#[test]
fn what_differs_is_named_with_its_fix_and_fixed_on_request() {
    let dockerfile = format!(
        "FROM registry.example/busybox:1\nRUN echo same > /same\n\
         RUN mkdir -p /var/log /opt; date +%s > /opt/stamp; {RANDOM} > /var/log/dpkg.log\n\
         RUN mkdir -p /root/.npm/_logs; touch /root/.npm/_logs/$({RANDOM})-debug-0.log\n"
    );
    let Some(project) = locked(&format!("[image.app]\n{EPOCH}"), &dockerfile, &[]) else { return };
    let outcome = project.repro(&["build", "--self-check"]).expect(1).says("is not reproducible");
    for line in [
        "    /opt/stamp: content\n",
        "      C061 pkg-log: a package manager's log\n",
        "    /var/log/dpkg.log: content\n",
        "/opt/stamp",
        "`RUN mkdir -p /var/log /opt; date +%s",
        "-debug-0.log: only in the first build\n",
        "scrub = [\"dpkg-log\", \"npm-log\"]",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("/same"), "{}", outcome.stdout);

    let document = project.repro(&["build", "--self-check", "--format", "json"]).expect(1).json();
    assert_eq!(document["error"]["status"], 1);
    let check = &document["images"][0]["platforms"][0]["self_check"];
    assert_eq!((&check["mended"], &check["level"]), (&false.into(), &"layer 3".into()), "{check}");
    assert_eq!(check["scrub"], serde_json::json!(["dpkg-log", "npm-log"]), "{check}");
    let numbers: Vec<_> = check["layers"].as_array().unwrap().iter().map(|layer| layer["number"].clone()).collect();
    assert_eq!(numbers, [3, 4], "{check}");

    project.repro(&["build", "--self-check", "--report", "twice.md", "--report", "twice.json"]).expect(1);
    assert!(project.read("twice.md").contains("`opt/stamp`"), "{}", project.read("twice.md"));
    let twice: serde_json::Value = serde_json::from_str(&project.read("twice.json")).unwrap();
    let found = twice["platforms"][0]["differences"].as_array().unwrap();
    let log = found.iter().find(|found| found["path"] == "var/log/dpkg.log").unwrap();
    assert_eq!((&log["fix"], &log["line"]), (&"scrub = [\"dpkg-log\"]".into(), &3.into()), "{log}");

    // A record of it would only mislead.
    let recorded = project.repro(&["build", "--self-check", "--record"]).expect(1).says("not recorded");
    assert!(!project.read("repro.lock").contains("record"), "{recorded:?}");

    // Without the stamp, the profiles do the rest.
    project.write("Dockerfile", dockerfile.replace("date +%s > /opt/stamp; ", ""));
    project.repro(&["build", "--self-check", "--fix"]).expect(1).says("`repro lock`").says("dpkg-log, npm-log");
    assert!(
        project.read("repro.toml").ends_with("scrub = [\"dpkg-log\", \"npm-log\"]\n"),
        "{}",
        project.read("repro.toml")
    );
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--self-check", "--record"]).expect(0);
    project.repro(&["verify"]).expect(0);
}

#[test]
fn a_verdict_on_an_image_that_varies_says_where_it_does() {
    let dockerfile = format!("FROM registry.example/busybox:1\nRUN echo same > /same\nRUN {RANDOM} > /opt-id\n");
    let Some(project) = locked(&format!("[image.app]\n{EPOCH}"), &dockerfile, &[]) else { return };
    project.repro(&["build", "--record", "-o", ".git/recorded.tar"]).expect(0);
    project.commit();
    let told = project.repro(&["verify"]).expect(1);
    for line in
        ["app: built again without cache it differs from itself", "layer 3 opt-id content (Dockerfile line 3)\n"]
    {
        assert!(told.stdout.contains(line), "{line}: {told:?}");
    }
    let told = project.repro(&["verify", "--expected", ".git/recorded.tar"]).expect(1);
    for line in ["is not the recorded one (.git/recorded.tar):\n", "layer 3 opt-id content (Dockerfile line 3)\n"] {
        assert!(told.stdout.contains(line), "{line}: {told:?}");
    }
    let told = project.repro(&["verify", "--no-explain"]).expect(1);
    assert!(!told.stdout.contains("opt-id"), "{told:?}");
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let Some(project) = project() else { return };
    project.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", "FROM scratch\n").commit();
    for arguments in [
        &["build", "--fix"][..],
        &["build", "--self-check", "--dry-run"],
        &["build", "--self-check", "--fix", "--locked"],
        &["build", "--self-check", "--fix", "-f", "Dockerfile"],
    ] {
        project.repro(arguments).expect(2);
    }
}
