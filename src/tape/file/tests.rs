//! The documented file, what stands in which version only, and what no writer writes.

use super::*;
use crate::status::{ExitStatus, Status};

fn documented() -> String {
    let page = std::fs::read_to_string("docs/formats.md").unwrap();
    let chapter = page.split("## Tape file, version 1").nth(1).unwrap();
    chapter.split("```text\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_documented_file_is_read_and_written_back_with_its_digest() {
    let text = documented();
    let tape = Tape::parse(&text, &Limits::default()).unwrap();
    assert_eq!(tape.to_text(), text);
    let page = std::fs::read_to_string("docs/formats.md").unwrap();
    assert!(page.contains(&format!("This file's digest is `{}`", tape.digest())), "{}", tape.digest());
    let requests = &tape.platforms[&Platform::new("linux", "amd64", None)];
    assert_eq!(requests.len(), 3);
    assert_eq!(tape.bodies().len(), 3);
}

#[test]
fn who_asked_stands_in_the_second_version_only() {
    let text = documented();
    let first = Tape::parse(&text, &Limits::default()).unwrap();
    let mut tape = first.clone();
    let requests = tape.platforms.values_mut().next().unwrap();
    let (mut request, recorded) = requests.pop_last().unwrap();
    request.user_agent = Some("curl/8 x".to_owned());
    requests.insert(request, recorded);
    let with_agent = tape.to_text();
    assert_eq!(
        with_agent,
        text.replace("version 1", "version 2").replace(" etag=\"1\"", r#" etag="1" user-agent=curl/8\x20x"#)
    );
    assert_eq!(Tape::parse(&with_agent, &Limits::default()).unwrap(), tape);
    for (wrong, line) in
        [(text.replace("version 1", "version 2"), 2), (with_agent.replace("version 2", "version 1"), 2)]
    {
        let said = Tape::parse(&wrong, &Limits::default()).unwrap_err().to_string();
        assert!(said.starts_with(&format!("tape line {line}: expected `version ")), "{said}");
    }
}

#[test]
fn names_and_next_pages_stand_in_the_second_version_only() {
    let text = documented();
    let mut tape = Tape::parse(&text, &Limits::default()).unwrap();
    let requests = tape.platforms.values_mut().next().unwrap();
    let (request, mut recorded) = requests.pop_last().unwrap();
    recorded.disposition = Some("attachment; filename=a".to_owned());
    recorded.link = Some("<https://files.example/2>; rel=next".to_owned());
    requests.insert(request, recorded);
    let written = tape.to_text();
    assert!(written.contains("version 2\n"), "{written}");
    let keys =
        r#" disposition=attachment;\x20filename=a encoding=gzip etag="1" link=<https://files.example/2>;\x20rel=next"#;
    assert!(written.contains(keys), "{written}");
    assert_eq!(Tape::parse(&written, &Limits::default()).unwrap(), tape);
}

#[test]
fn cookies_and_challenges_stand_in_the_third_version_only() {
    let text = documented();
    let mut tape = Tape::parse(&text, &Limits::default()).unwrap();
    let requests = tape.platforms.values_mut().next().unwrap();
    let (request, mut recorded) = requests.pop_last().unwrap();
    recorded.challenge = Some("Basic realm=a".to_owned());
    recorded.cookies = vec!["b=1; Path=/".to_owned(), "a=2".to_owned(), "a=2".to_owned()];
    requests.insert(request, recorded);
    let written = tape.to_text();
    assert!(written.contains("version 3\n"), "{written}");
    let keys =
        r#" challenge=Basic\x20realm=a encoding=gzip etag="1" set-cookie=b=1;\x20Path=/ set-cookie=a=2 set-cookie=a=2"#;
    assert!(written.contains(keys), "{written}");
    assert_eq!(Tape::parse(&written, &Limits::default()).unwrap(), tape);
    let twice = written.replace(" encoding=gzip", " encoding=gzip encoding=gzip");
    assert!(Tape::parse(&twice, &Limits::default()).is_err());
}

#[test]
fn other_methods_stand_in_the_documented_fourth_version() {
    let page = std::fs::read_to_string("docs/formats.md").unwrap();
    let chapter = page.split("**Version 4**").nth(1).unwrap();
    let text = chapter.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let tape = Tape::parse(text, &Limits::default()).unwrap();
    assert_eq!(tape.to_text(), text);
    assert!(chapter.contains(&format!("This file's digest is `{}`", tape.digest())), "{}", tape.digest());
    for (from, to, line, word) in [
        ("version 4", "version 3", 2, "expected `version 4`"),
        ("GET https://git", "CONNECT https://git", 4, "expected `GET`"),
        (" body=sha256:ca", " body=sha256:CA", 6, "digest of a body"),
        ("POST https", "TELL https", 6, "has no `body`"),
        (" type=application/x-git-upload-pack-result", " length=1", 6, "only a response to HEAD"),
        ("git-protocol:", "Git-Protocol:", 4, "NAME: VALUE"),
        ("header=git-protocol:\\x20version=2", "header=b:\\x20c header=a:\\x20c", 4, "headers are not in order"),
        (" length=21", " length=021", 5, "whole number"),
    ] {
        assert!(text.contains(from), "{from}");
        let said = Tape::parse(&text.replacen(from, to, 1), &Limits::default()).unwrap_err().to_string();
        assert!(said.starts_with(&format!("tape line {line}: ")) && said.contains(word), "{to}: {said}");
    }
}

#[test]
fn what_no_writer_writes_is_refused_with_its_line() {
    let text = documented();
    for (from, to, line, word) in [
        ("# @gen", "# gen", 1, "expected"),
        ("version 1", "version x", 2, "expected `version 1`"),
        ("platform linux/amd64", "platform linux/x86_64", 3, "expected `linux/amd64`"),
        ("platform linux/amd64\n", "", 3, "platform"),
        ("GET https://files.example/a", "put https://files.example/a", 4, "expected `GET`"),
        ("https://files.example/a ", "https://FILES.example/a ", 4, "not written as"),
        ("https://files.example/a ", "https://files.example:443/a ", 4, "not written as"),
        ("https://files.example/a ", "https://u:p@files.example/a ", 4, "user"),
        ("https://files.example/a ", "https://files.example/a?sig=x&se=1 ", 4, "not written as"),
        ("files.example/a 302", "files.example/a 099", 4, "whole number"),
        ("files.example/a 302", "files.example/a 199", 4, "200 to 599"),
        ("sha256:e3b0", "sha256:E3b0", 4, "64 hex"),
        (" 0 location", " 00 location", 4, "whole number"),
        (" 0 location", " 1 location", 4, "not that of 1 bytes"),
        (" 1 modified", " 0 modified", 5, "not that of 0 bytes"),
        (" 0 location", " -1 location", 4, "whole number"),
        ("location=", "place=", 4, "unknown key"),
        ("modified=2024-01-02T03:04:05Z", "modified=2024-01-02T04:04:05+01:00", 5, "date-time"),
        ("modified=2024-01-02T03:04:05Z type=text/plain", "type=text/plain modified=2024-01-02T03:04:05Z", 5, "order"),
        ("type=text/plain", r"type=text\x0aplain", 5, "can't be read"),
        ("type=text/plain", "type", 5, "KEY=VALUE"),
    ] {
        assert!(text.contains(from), "{from}");
        let broken = text.replacen(from, to, 1);
        let error = Tape::parse(&broken, &Limits::default()).unwrap_err();
        assert_eq!(error.status(), Status::Malformed);
        let said = error.to_string();
        assert!(said.starts_with(&format!("tape line {line}: ")) && said.contains(word), "{to}: {said}");
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(3, 4);
    assert!(Tape::parse(&(lines.join("\n") + "\n"), &Limits::default()).is_err(), "order");
    assert!(Tape::parse(text.trim_end(), &Limits::default()).is_err(), "no newline at the end");
    assert!(Tape::parse("", &Limits::default()).is_err());
    let newer = Tape::parse(&text.replace("version 1", "version 5"), &Limits::default()).unwrap_err();
    assert_eq!(newer.status(), Status::Lock);
    let conflict = Tape::parse(&text.replacen("GET", "<<<<<<< HEAD\nGET", 1), &Limits::default()).unwrap_err();
    assert_eq!(conflict, TapeError::Conflict { line: 4 });
    let small = Limits { tape_lines: 4, ..Limits::default() };
    assert_eq!(Tape::parse(&text, &small).unwrap_err().status(), Status::Malformed);
}
