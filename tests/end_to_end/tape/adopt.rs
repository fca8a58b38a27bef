//! `repro adopt` with BuildKit and a tape: the build that records is the first of two.

use super::origin::Origin;

const DOCKERFILE: &str = "RUN echo a-step-runs; wget -O /got http://origin.example/file; mkdir -p /var/log; \
                          cat /proc/sys/kernel/random/uuid > /var/log/dpkg.log\n";

#[test]
fn a_dockerfile_that_downloads_is_adopted_with_two_builds_and_the_origin_is_asked_once() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(DOCKERFILE) else { return };
    let outcome = project.repro(&["adopt", "-v", "--format", "json"]).expect(0);
    let is_run = |line: &&str| line.starts_with('#') && line.ends_with(" a-step-runs");
    assert_eq!(outcome.stderr.lines().filter(is_run).count(), 2, "{outcome:?}");
    let image = &outcome.json()["images"][0];
    assert_eq!((&image["builds"], &image["recorded"]), (&2.into(), &true.into()), "{image}");
    assert_eq!(image["scrub"], serde_json::json!(["dpkg-log"]), "{image}");
    assert_eq!(origin.seen().len(), 1, "only the recording asks");
    drop(origin);
    project.repro(&["lock", "--check"]).expect(0);
    project.repro(&["verify"]).expect(0);
}
