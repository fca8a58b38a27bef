//! `repro lint --fix`: what is changed, what stays as it was written, and what is only shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::project::Project;

const BASE: &str = "FROM debian:12.5-slim@sha256:5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c\n";

/// The Dockerfile without its base after `--fix`.
fn fixed(rest: &str) -> String {
    let project = Project::bare();
    let base = if rest.contains("\r\n") { BASE.replace('\n', "\r\n") } else { BASE.to_owned() };
    project.write("Dockerfile", format!("{base}{rest}"));
    project.repro(&["lint", "-f", "Dockerfile", "--fix"]);
    let text = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    text.strip_prefix(&base).unwrap().to_owned()
}

#[test]
fn a_fix_changes_nothing_but_its_words() {
    for (before, after) in [
        ("RUN gzip /a # why\n", "RUN gzip -n /a # why\n"),
        ("RUN true && \\\r\n    # pack\r\n    gzip  /a\r\n", "RUN true && \\\r\n    # pack\r\n    gzip -n  /a\r\n"),
        ("RUN <<EOF\n\tgzip /a\nEOF\n", "RUN <<EOF\n\tgzip -n /a\nEOF\n"),
        ("RUN sh -c 'cd /x; gzip a'\n", "RUN sh -c 'cd /x; gzip -n a'\n"),
        ("RUN [\"gzip\", \"/a\"]\n", "RUN [\"gzip\", \"/a\"]\n"),
        ("ARG PACK=gzip\nRUN $PACK /a\n", "ARG PACK=gzip\nRUN $PACK /a\n"),
        ("RUN npm  install  --omit=dev # all\n", "RUN npm  ci  --omit=dev # all\n"),
        ("RUN xz /a && gzip /b\n", "RUN xz -T1 /a && gzip -n /b\n"),
        (
            "# what it says\n# repro: allow=R018 reason=\"a test\"\nRUN date > /a\n",
            "ARG SOURCE_DATE_EPOCH\n# what it says\n# repro: allow=R018 reason=\"a test\"\nRUN date -u -d @$SOURCE_DATE_EPOCH > /a\n",
        ),
        (
            "RUN tar czf /a.tgz d && tar -cf /b.tar d\n",
            "ARG SOURCE_DATE_EPOCH\nRUN tar czf /a.tgz d --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner \
             && tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner -cf /b.tar d\n",
        ),
        (
            "RUN apt-get update \\\n    && apt-get install -y git \\\n    && rm -rf /var/lib/apt/lists/*\n",
            "RUN apt-get update \\\n    && apt-get install -y git \\\n    && rm -rf /var/lib/apt/lists/* /var/log/apt/* \
             /var/log/dpkg.log /var/log/alternatives.log /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache \
             /var/lib/dpkg/*-old /var/cache/debconf/*-old\n",
        ),
        ("RUN apk --version\n# repro: allow=R040 reason=\"gone\"\nCMD x\n", "RUN apk --version\nCMD x\n"),
        ("# repro: allow=R040,R018 reason=\"half\"\nRUN true\n", "# repro: allow=R018 reason=\"half\"\nRUN true\n"),
    ] {
        assert_eq!(fixed(before), after, "{before}");
    }
}

#[test]
fn lines_that_clean_up_are_written_as_the_others_are() {
    let cache = "rm -rf /var/cache/ldconfig/aux-cache";
    for (before, after) in [
        ("RUN ldconfig\n", format!("RUN ldconfig && {cache}\n")),
        ("RUN sudo ldconfig", format!("RUN sudo ldconfig && sudo {cache}")),
        ("RUN true \\\n  && ldconfig\n", format!("RUN true \\\n  && ldconfig \\\n  && {cache}\n")),
        ("RUN true && \\\n  ldconfig\n", format!("RUN true && \\\n  ldconfig && \\\n  {cache}\n")),
        ("RUN set -e; \\\n\tldconfig;\n", format!("RUN set -e; \\\n\tldconfig; \\\n\t{cache}\n")),
        ("RUN <<EOF\nset -e\nldconfig\nEOF\n", format!("RUN <<EOF\nset -e\nldconfig\n{cache}\nEOF\n")),
        ("RUN if true; then ldconfig; fi\n", format!("RUN if true; then ldconfig; fi && {cache}\n")),
        // What would end in a comment, or take the place of a branch, is left to people.
        ("RUN ldconfig # all\n", "RUN ldconfig # all\n".to_owned()),
        ("RUN ldconfig &\n", "RUN ldconfig &\n".to_owned()),
        ("RUN [\"ldconfig\"]\n", "RUN [\"ldconfig\"]\n".to_owned()),
    ] {
        assert_eq!(fixed(before), after, "{before}");
    }
    // A later RUN installs with the lists of this one.
    let kept = fixed("RUN apt-get update && apt-get install -y a\nRUN apt-get install -y b\n");
    assert!(kept.lines().next().is_some_and(|line| !line.contains("lists")), "{kept}");
}

#[test]
fn a_patch_is_shown_and_applies_and_nothing_is_changed() {
    let project = Project::bare();
    let before = format!("{BASE}RUN --network=none gzip /a\nRUN --network=none true\t\nCOPY a /").replace('\n', "\r\n");
    project.write("Dockerfile", &before);
    let outcome = project.repro(&["lint", "-f", "Dockerfile", "--fix", "--dry-run"]).expect(0);
    assert_eq!(fs::read_to_string(project.path().join("Dockerfile")).unwrap(), before);
    project.write("lint.patch", &outcome.stdout);
    let applied =
        Command::new("git").args(["apply", "-p0", "lint.patch"]).current_dir(project.path()).output().unwrap();
    assert!(applied.status.success(), "{}\n{}", outcome.stdout, String::from_utf8_lossy(&applied.stderr));
    let after = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    assert_eq!(after, before.replace("gzip /a", "gzip -n /a"));
    let none = project.repro(&["lint", "-f", "Dockerfile", "--fix", "--dry-run"]).expect(0);
    assert_eq!(none.stdout, "");
}

#[test]
fn what_is_left_is_told_and_the_document_says_how_much_is_done() {
    let project = Project::bare();
    project.write("Dockerfile", format!("{BASE}RUN --network=none gzip /a && uuidgen > /b\n"));
    let path = project.path().join("Dockerfile");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let told = project.repro(&["lint", "-f", "Dockerfile", "--format", "json"]).expect(1).json();
    let fix = &told["findings"][0]["fix"];
    assert_eq!(fix["title"], "add `-n`");
    let at = BASE.len() + "RUN --network=none gzip".len();
    assert_eq!(
        (fix["edits"][0]["start"].as_u64(), fix["edits"][0]["end"].as_u64()),
        (Some(at as u64), Some(at as u64))
    );
    assert_eq!((&fix["edits"][0]["line"], &fix["edits"][0]["column"]), (&2.into(), &24.into()));
    assert_eq!(told["fixed"], 0);
    let done = project.repro(&["lint", "-f", "Dockerfile", "--fix", "--format", "json"]).expect(1).json();
    assert_eq!(done["fixed"], 1);
    let codes: Vec<_> = done["findings"].as_array().unwrap().iter().map(|finding| finding["code"].clone()).collect();
    assert_eq!(codes, ["R065"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    project.repro(&["lint", "--fix", "-"]).expect(2).says("can't change what it reads from stdin");
    project.repro(&["lint", "--dry-run"]).expect(2);
}

#[test]
fn allowed_findings_are_not_fixed() {
    let text = "# repro: allow=R072 reason=\"kept\"\nRUN --network=none gzip /a\n";
    assert_eq!(fixed(text), text);
}
