//! What the native engine leaves to BuildKit, or refuses as BuildKit does, with instruction and line.

use std::os::unix::fs::symlink;

use crate::project::{Outcome, Project};

const HEAD: &str = "version = 1\n[image.app]\nsource-date-epoch = 1700000000\nplatforms = [\"linux/amd64\"]\n";

/// Locks and builds `dockerfile` over a directory with `d/a`, `d/b`, the link `ld` to `d`, and `!x`.
fn build(dockerfile: &str, more: &str) -> Outcome {
    let project = Project::bare();
    for file in ["d/a", "d/b", "!x", "other/o"] {
        project.write(file, file);
    }
    symlink("d", project.path().join("ld")).unwrap();
    project.write("Dockerfile", dockerfile).write("repro.toml", format!("{HEAD}{more}"));
    match project.repro(&["lock"]) {
        locked if locked.status != 0 => locked,
        _ => project.repro(&["build", "--engine", "native"]),
    }
}

#[test]
fn paths_for_which_buildkits_client_sends_something_else_are_refused() {
    for (copies, why) in [
        ("COPY ld/a ld/b /o/", "`/d/b` is behind a link that is passed more than once"),
        ("ADD ld/b /p/\nCOPY ld/a /o/", "`/d/b` is behind a link"),
        ("COPY ./!x /o/\nCOPY d/a /o/", "`/!x` reads as an exception"),
        ("COPY [\"d/a\\tb\", \"/o/\"]", "holds a control character"),
    ] {
        let outcome = build(&format!("FROM scratch\nCOPY d/a /first\n{copies}\n"), "").expect(7).says(why);
        outcome.says("Dockerfile:3: ");
    }
    for copies in ["COPY ld/a /o/", "COPY ld ld/a /o/", "COPY ld/a ld/a /o/", "COPY ld/* d/a /o/", "COPY . /o/"] {
        build(&format!("FROM scratch\n{copies}\n"), "").expect(0);
    }
}

#[test]
fn a_directory_in_place_of_a_stage_is_taken_by_copies_only() {
    let contexts = "[image.app.contexts]\nst = \"other\"\n";
    let replaced = "FROM scratch AS st\nCOPY d /\n";
    for rest in ["", "FROM st\nENV a=b\n", "FROM st AS between\nENV a=b\nFROM scratch\nCOPY --from=between / /x/\n"] {
        build(&format!("{replaced}{rest}"), contexts).expect(7).says("Dockerfile:1: FROM").says("in place of a stage");
    }
    build("FROM st\n", contexts).expect(7).says("Dockerfile:1: FROM").says("in place of a stage");
    build(&format!("{replaced}FROM scratch\nCOPY --from=st /o /x\n"), contexts).expect(0);
    build("FROM st AS files\nFROM scratch\nCOPY --from=files /o /x\n", contexts).expect(0);
}

#[test]
fn names_that_linux_or_buildkit_does_not_take_are_refused() {
    let name = "x".repeat(256);
    for instruction in
        [format!("COPY d/a /{name}"), format!("WORKDIR /{name}/y"), format!("COPY <<{name} /y/\n1\n{name}")]
    {
        build(&format!("FROM scratch\n{instruction}\n"), "")
            .expect(5)
            .says("file name too long")
            .says("Dockerfile:2: ");
    }
    build(&format!("FROM scratch\nCOPY d/a /{}\n", &name[1..]), "").expect(0);
    let path = "/a".repeat(2000);
    build(&format!("FROM scratch\nCOPY d/a {path}\n"), "").expect(7).says("too long for BuildKit");
    for name in ["a-", "a___b", "a..b", "a.-"] {
        build(&format!("FROM scratch AS {name}\nENV a=b\n"), "")
            .expect(2)
            .says(&format!("invalid context name {name}"));
    }
    build("FROM scratch AS a__b\nENV a=b\n", "").expect(0);
}
