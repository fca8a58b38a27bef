//! What is wrong with what an instruction takes, told with the place where it stands.

use crate::project::{Outcome, Project};

/// Builds `dockerfile` over a directory with `d/a`, named contexts beside it.
fn build(dockerfile: &str, more: &[(&str, &str)]) -> Outcome {
    let project = Project::bare();
    project.write("d/a", "a").write("other/o", "o").write("Dockerfile", dockerfile);
    project.write(
        "repro.toml",
        "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n[image.app.contexts]\nother = \"other\"\n",
    );
    for (name, text) in more {
        project.write(name, text);
    }
    match project.repro(&["lock"]) {
        locked if locked.status != 0 => locked,
        _ => project.repro(&["build"]),
    }
}

#[test]
fn a_path_that_is_no_pattern_is_shown_where_it_stands() {
    for (instruction, pattern) in [
        ("COPY --chmod=0755 [\"d/*.x\" \"/usr/share/\"]", "[d/*.x"),
        ("COPY [--chown=root:root] d/a /x", "[--chown=root:root]"),
        ("COPY d/a[b /x", "d/a[b"),
        ("ADD d/[ /x", "d/["),
        ("ARG NAME=d/[z\nCOPY $NAME /x", "d/[z"),
        ("COPY --from=other o[ /x", "o["),
    ] {
        let dockerfile = format!("FROM scratch\nCOPY d/a /first\n\n{instruction}\n");
        let line = if instruction.starts_with("ARG") { 5 } else { 4 };
        let outcome =
            build(&dockerfile, &[]).expect(2).says(&format!("Dockerfile:{line}: `{pattern}` is not a pattern"));
        outcome.says("hint: a bracket in a name is written");
    }
}

#[test]
fn an_ignore_pattern_that_is_none_is_told_with_its_line() {
    for (rules, told) in [
        ("a\n\n!x[\n", ".dockerignore:3: `x[` is not a pattern"),
        ("# a\n!\n", ".dockerignore:2: `!` excepts nothing"),
        ("\\pL\n", ".dockerignore:1: `\\\\pL` uses an escape"),
    ] {
        build("FROM scratch\nCOPY . /\n", &[(".dockerignore", rules)]).expect(2).says(told);
    }
    let rules = [("Dockerfile.dockerignore", "ok\n[\n")];
    build("FROM scratch\nCOPY . /\n", &rules).expect(2).says("Dockerfile.dockerignore:2: `[` is not a pattern");
}

#[test]
fn another_frontends_language_is_not_taken_for_mistakes_in_a_dockerfile() {
    for frontend in ["registry.example/frontend:1", "docker.io/edrevo/dockerfile-plus"] {
        let outcome = build(&format!("# syntax={frontend}\nname: app\n"), &[]).expect(2);
        outcome.says(&format!(
            "the frontend `{frontend}` decides what it reads, and only files in the Dockerfile language can be locked"
        ));
    }
    for frontend in ["docker/dockerfile:1", "mirror.example/docker/dockerfile-upstream:master"] {
        let outcome = build(&format!("# syntax={frontend}\nname: app\n"), &[]).expect(2);
        assert!(!outcome.stderr.contains("language"), "{}", outcome.stderr);
    }
}

#[test]
fn what_the_context_does_not_hold_is_told_with_its_line_and_a_hint() {
    let outcome = build("FROM scratch\n\nCOPY nothing /x\n", &[]).expect(5);
    outcome.says("Dockerfile:3: COPY: \"/nothing\": not found").says("hint: a context holds what git tracks");
    let outcome = build("FROM scratch AS a\nCOPY d /\nFROM scratch\nCOPY --from=a /nothing /x\n", &[]).expect(5);
    assert!(!outcome.says("Dockerfile:4: COPY: ").stderr.contains("hint"));
    build("FROM scratch\nCOPY d/a /\nCOPY d/*.none /x/\n", &[])
        .expect(0)
        .says("Dockerfile:3: COPY: `d/*.none` matches nothing");
}
