//! Many images: parts for several machines, verdicts for a CI, and what is here to build them with.

use crate::project::Project;
use crate::schema;

fn project() -> Project {
    let project = Project::new();
    let image = |name: &str| format!("[image.{name}]\ncontext = \"{name}\"\nsource-date-epoch = 1700000000\n");
    let manifest = ["a", "b", "c"].map(image).concat();
    project.write("repro.toml", format!("version = 1\n{manifest}"));
    for name in ["a", "b", "c"] {
        project.write(&format!("{name}/Dockerfile"), "FROM scratch\nCOPY f /f\n").write(&format!("{name}/f"), name);
    }
    project.commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    project
}

#[test]
fn parts_have_every_image_once_and_verdicts_are_tests() {
    let project = project();
    let mut seen = Vec::new();
    for part in ["1/4", "2/4", "3/4", "4/4"] {
        let outcome = project.repro(&["verify", "--shard", part, "--report", "v.xml", "--format", "json"]).expect(0);
        let document = schema::check("verify", &outcome.stdout);
        let images = document["images"].as_array().unwrap();
        seen.extend(images.iter().map(|image| image["image"].as_str().unwrap().to_owned()));
        assert!(project.read("v.xml").contains(&format!("tests=\"{}\" failures=\"0\"", images.len())), "{part}");
    }
    assert_eq!(seen, ["a", "b", "c"]);
    for bad in ["0/4", "5/4", "1", "a/b", "1/0"] {
        project.repro(&["verify", "--shard", bad]).expect(2).says("expected I/N");
    }
}

#[test]
fn an_image_that_differs_is_a_test_that_failed() {
    let project = project();
    let lock = project.read("repro.lock");
    let record = lock.lines().position(|line| line.starts_with("manifest = ")).unwrap();
    let mut lines: Vec<String> = lock.lines().map(str::to_owned).collect();
    let digest = lines[record].split('"').nth(1).unwrap().to_owned();
    lines[record] = lines[record].replace(&digest, &format!("sha256:{}", "0".repeat(64)));
    project.write("repro.lock", lines.join("\n") + "\n");
    project.repro(&["verify", "--report", "v.xml"]).expect(1);
    let text = project.read("v.xml");
    assert!(text.contains("<testsuites name=\"repro verify\" tests=\"3\" failures=\"1\">"), "{text}");
    assert!(text.contains(&format!("rebuilt {digest}")), "{text}");
    project.repro(&["verify", "--report", "v.html"]).expect(2).says("takes one image, and there are 3");
}

#[test]
fn a_self_report_has_the_running_programs_digest_and_nothing_of_the_user() {
    let mut project = Project::bare();
    let empty = project.home().join("bin");
    std::fs::create_dir(&empty).unwrap();
    project.set("PATH", empty.to_str().unwrap());
    let configuration = project.home().join("configuration.toml");
    std::fs::write(&configuration, "[registry.\"private.example\"]\nmirrors = [\"user.example\"]\n").unwrap();
    project.set("REPRO_CONFIG", configuration.to_str().unwrap());
    project.set("BUILDKIT_HOST", "tcp://builder.example:1234");
    let document = schema::check("self-report", &project.repro(&["self-report", "--format", "json"]).expect(0).stdout);
    let program = std::fs::read(env!("CARGO_BIN_EXE_repro")).unwrap();
    assert_eq!(document["program"]["digest"], repro::parts::digest::Digest::of(&program).to_string());
    assert_eq!((&document["program"]["form"], &document["program"]["lockfile"]), (&1.into(), &1.into()));
    assert_eq!(document["configuration"]["registries"], 1);
    let text = project.repro(&["self-report"]).expect(0).stdout;
    assert_eq!(text.lines().count(), 1, "{text}");
    for own in [".example", project.home().to_str().unwrap()] {
        assert!(!format!("{text}{document}").contains(own), "{own}: {text}{document}");
    }
}

#[test]
fn the_doctor_names_what_is_missing_and_what_mends_it() {
    let mut project = Project::bare();
    let empty = project.home().join("bin");
    std::fs::create_dir(&empty).unwrap();
    project.set("PATH", empty.to_str().unwrap());
    let document = schema::check("doctor", &project.repro(&["doctor", "--format", "json"]).expect(0).stdout);
    let engines = document["engines"].as_array().unwrap();
    let usable: Vec<(&str, bool)> =
        engines.iter().map(|one| (one["engine"].as_str().unwrap(), one["usable"].as_bool().unwrap())).collect();
    assert_eq!(usable, [("native", true), ("buildctl", false), ("buildx", false), ("podman", false)]);
    for missing in engines.iter().flat_map(|one| one["missing"].as_array().unwrap()) {
        assert!(!missing["fix"].as_str().unwrap().is_empty(), "{missing}");
    }
    assert_eq!(document["configuration"]["exists"], false);
    project.repro(&["doctor"]).expect(0).prints("native: usable").prints("podman: not usable");
    project.repro(&["doctor", "--addr", "unix:///nowhere"]).expect(0).prints("daemon: unix:///nowhere");
}
