//! Requests by another method than GET: no tape holds them, and BuildKit refuses them on their way.

use super::git;
use super::origin::{Origin, Response};
use crate::rig::variable;

/// A command that asks for `URL` by another method, past what a program would make of the response.
fn by(method: &str, url: &str) -> String {
    format!(
        "p=${{http_proxy#http://}}; printf '{method} {url} HTTP/1.0\\r\\nHost: origin.example\\r\\n\\r\\n' | nc ${{p%:*}} ${{p#*:}}"
    )
}

#[test]
fn methods_other_than_get_are_refused_by_name() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    for method in ["POST", "HEAD", "PUT"] {
        let dockerfile = format!(
            "RUN p=${{http_proxy#http://}}; printf '{method} http://origin.example/file HTTP/1.0\\r\\nHost: origin.example\\r\\n\\r\\n' \
             | nc ${{p%:*}} ${{p#*:}} | tee /dev/stderr | head -n 1 | grep -q ' 200'\n"
        );
        let Some(project) = origin.project(&dockerfile) else { return };
        project.repro(&["lock"]).expect(5).says("Dockerfile:2: ").says("a tape answers GET only");
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
}

/// A daemon of ours tells of every request, one without a door too: that of a build that takes a repository over HTTPS.
#[test]
fn a_step_that_goes_on_without_what_it_asked_for_by_another_method_ends_the_build() {
    let origin = Origin::start();
    origin.file("/file", "first\n").file("/odd?q=%22a'b%5C&c=d,e", "odd\n").file("/added", "added\n");
    origin.response("/moved", Response::of("302 Found\r\nLocation: /file?X-Amz-Signature=s3cret", ""));
    origin.file("/file?X-Amz-Signature=s3cret", "signed\n");
    let dockerfile = |more: &str| {
        format!(
            "ADD https://git.example/added.git#v1 /repository\nADD http://origin.example/added /added\nRUN wget -O /a http://origin.example/file && wget -O /m http://origin.example/moved; \
             for n in 1 2; do wget -O /o \"http://origin.example/odd?q=%22a'b%5C&c=d,e\"; done; \
             wget -O /none http://origin.example/none; {more}true\n"
        )
    };
    let Some(mut project) = origin.project(&dockerfile("")) else { return };
    project.set("BUILDKIT_HOST", "");
    let Some(server) = variable("RIG_GIT") else { return };
    git::repository("added");
    let config = project.read(".git/config.toml");
    project.write(".git/config.toml", format!("{config}\"https://git.example/\" = \"{server}/\"\n"));
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "buildctl"]).expect(0);
    let tolerant = |method: &str| {
        let more = format!("{} || true; ", by(method, "http://origin.example/file"));
        project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", dockerfile(&more))).commit();
    };
    for method in ["HEAD", "POST"] {
        tolerant(method);
        let ended = project.repro(&["build", "--engine", "buildctl"]).expect(4);
        ended
            .says("http://origin.example/file: it was asked for by another method than GET")
            .says("hint: make the program");
    }
    let tape = project.read("repro.app.tape");
    project
        .repro(&["lock", "--update"])
        .expect(4)
        .says("http://origin.example/file: it was asked for by another method");
    assert_eq!(project.read("repro.app.tape"), tape);
}
