//! Hints: what is told to do next does help.

use std::fs;
use std::os::unix::fs::symlink;

use super::{built, locked};

#[test]
fn a_file_behind_record_and_a_blank_is_told_to_need_an_equals_sign() {
    let project = locked("FROM scratch\n", &[]);
    let hint = "to record in a file, write `--record=FILE`, with `=`";
    for arguments in [&["build", "--record", "r.lock"][..], &["build", "-f", "Dockerfile", "--record", "r.lock"]] {
        project.repro(arguments).expect(2).says(hint);
    }
    for arguments in [&["build", "r.lock"][..], &["build", "-f", "Dockerfile", "app"]] {
        let outcome = project.repro(arguments).expect(2);
        assert!(!outcome.stderr.contains(hint), "{outcome:?}");
    }
    project.repro(&["build", "--record", "app"]).expect(0);
}

#[test]
fn without_a_manifest_verify_asks_for_a_record_in_a_file() {
    let project = locked("FROM scratch\n", &[]);
    let file = project.home().join("r.lock");
    let file = file.to_str().unwrap();
    let hint = "run `repro build --record=FILE` with the same flags, then `repro verify --record FILE`";
    project.repro(&["verify", "-f", "Dockerfile"]).expect(3).says("there is no record").says(hint);
    project.repro(&["build", "-f", "Dockerfile", &format!("--record={file}")]).expect(0);
    project.repro(&["verify", "-f", "Dockerfile", "--record", file]).expect(0);
    project.repro(&["verify"]).expect(3).says("run `repro build --record app`");
}

#[test]
fn an_image_without_a_locked_network_is_told_how_to_get_a_tape() {
    let project = locked("FROM scratch\n", &[]);
    for command in ["show", "check"] {
        let outcome = project.repro(&["tape", command, "app"]).expect(3);
        outcome.says("its network is not locked").says("`network = \"locked\"` in `[image.app]`");
    }
    for place in ["x.tar", "x"] {
        project.repro(&["tape", "save", place]).expect(3).says("there is no tape to save").says("`repro lock` records");
        assert!(!project.path().join(place).exists(), "{place}");
    }
}

#[test]
fn a_link_to_nothing_in_the_lockfile_s_place_is_named_with_its_target() {
    let project = locked("FROM scratch\n", &[]);
    built(&project, &[]);
    fs::remove_file(project.path().join("repro.lock")).unwrap();
    symlink("gone/elsewhere.lock", project.path().join("repro.lock")).unwrap();
    for command in ["build", "lock", "verify"] {
        let outcome = project.repro(&[command]).expect(2);
        outcome.says("repro.lock`: it is a link to `gone/elsewhere.lock`, which is not there");
    }
}

#[test]
fn the_digest_in_the_help_of_inspect_can_be_typed_as_it_stands() {
    let project = locked("FROM scratch\n", &[]);
    project.repro(&["build", "-o", ".git/app.tar"]).expect(0);
    let help = project.repro(&["inspect", "--help"]).expect(0).stdout;
    let example = help.split("--expected-image-digest \\\n").nth(1).unwrap();
    let digest = example.split_whitespace().next().unwrap();
    project.repro(&["inspect", ".git/app.tar", "--expected-image-digest", digest]).expect(1).says(digest);
}

#[test]
fn an_image_does_not_go_to_stdout_nor_into_a_file_that_nobody_meant() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    project.repro(&["build", "-o", "-"]).expect(2).says("stdout is for digests").says("`./-`");
    assert!(!project.path().join("-").exists());
    project.repro(&["build", "-o", "./-"]).expect(0);
    assert!(project.path().join("-").is_file());
}

#[test]
fn a_cache_that_is_no_absolute_path_is_refused_by_the_variables_name() {
    let mut project = locked("FROM scratch\nCOPY a /\n", &[("a", "a")]);
    project.set("REPRO_CACHE", "rel/x").repro(&["build"]).expect(2).says("`REPRO_CACHE`: `rel/x` is no absolute path");
    let mut homeless = project.command(&["build"]);
    homeless.env_remove("HOME").env_remove("REPRO_CACHE");
    crate::project::outcome(&mut homeless).expect(2).says("`REPRO_CACHE`");
}

#[test]
fn a_name_that_would_be_a_whiteout_is_told_and_not_built() {
    let project = locked("FROM scratch\nCOPY d /d/\n", &[("d/.wh.hidden", "w"), ("d/hidden", "v"), ("e/.wh.x", "")]);
    let outcome = project.repro(&["build", "--engine", "native"]).expect(7).says("the name `/d/.wh.hidden`");
    assert!(outcome.stderr.contains("hides another: d/.wh.hidden; rename or ignore it"), "{outcome:?}");
    project.write(".dockerignore", "**/.wh.*\n").commit().repro(&["build"]).expect(0);
}

#[test]
fn rules_behind_a_link_that_leads_nowhere_are_missed_aloud() {
    let project = locked("FROM scratch\nCOPY a /\n", &[("a", "a")]);
    std::os::unix::fs::symlink("/nowhere/rules", project.path().join(".dockerignore")).unwrap();
    project.commit().repro(&["build"]).expect(0).says("`.dockerignore` is a link to no file of the context");
    project.write("rules", "a\n");
    std::fs::remove_file(project.path().join(".dockerignore")).unwrap();
    std::os::unix::fs::symlink("rules", project.path().join(".dockerignore")).unwrap();
    let outcome = project.commit().repro(&["build"]).expect(5);
    assert!(!outcome.stderr.contains("is a link"), "{outcome:?}");
}

#[test]
fn who_copies_the_repository_itself_is_told_that_it_is_never_there() {
    for dockerfile in ["FROM scratch\nCOPY .git /src/.git\n", "FROM scratch\nCOPY .git/HEAD /\n"] {
        locked(dockerfile, &[]).repro(&["build"]).expect(5).says("`.git` is never part of the context");
    }
}
