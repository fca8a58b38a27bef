//! The tape file: its bytes are frozen in `docs/formats.md`, "Tape file".

use std::collections::BTreeMap;
use std::fmt::Write;

use super::entry::{Recorded, Request, Requests};
use super::error::TapeError;
use super::field::{decoded, encoded};
use crate::digest::Digest;
use crate::epoch::{Epoch, rfc3339};
use crate::escape;
use crate::http::Url;
use crate::limits::{LimitExceeded, Limits};
use crate::platform::Platform;

const HEADER: &str = crate::lockfile::HEADER;
/// The versions that are read: the second has the keys `disposition`, `link` and `user-agent`, and is written where one
/// of them is needed.
const VERSIONS: [&str; 2] = ["1", "2"];
const LIMIT: &str = "tape-file";

/// A tape: the requests of each platform's build and their responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    /// The requests by platform.
    pub platforms: BTreeMap<Platform, Requests>,
}

impl Tape {
    /// The name of an image's tape file, beside the lockfile.
    pub fn file_name(image: &str) -> String {
        format!("repro.{image}.tape")
    }

    /// The tape's text: equal facts give equal bytes.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nversion {}\n", self.version());
        let platforms: BTreeMap<String, &Requests> =
            self.platforms.iter().map(|(platform, requests)| (platform.to_string(), requests)).collect();
        for (platform, requests) in platforms {
            let _ = writeln!(text, "platform {platform}");
            let mut lines: Vec<String> = requests.iter().map(|(request, recorded)| line(request, recorded)).collect();
            lines.sort_unstable();
            for line in lines {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    /// The lowest version that can hold the tape.
    fn version(&self) -> &'static str {
        let needs_more = |(request, recorded): (&Request, &Recorded)| {
            request.user_agent.is_some() || recorded.disposition.is_some() || recorded.link.is_some()
        };
        VERSIONS[usize::from(self.platforms.values().flatten().any(needs_more))]
    }

    /// The digest that the lockfile holds.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }

    /// Reads a tape's text; only what [`Tape::to_text`] writes is read.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, TapeError> {
        let exceeded = |limit| LimitExceeded { name: LIMIT, limit, object: "tape".to_owned() };
        if text.len() as u64 > limits.tape_file {
            return Err(exceeded(limits.tape_file).into());
        }
        let mut reader = Reader { line: 0, version: VERSIONS[0], tape: Self::default(), current: None, last: "" };
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            reader.line += 1;
            if reader.line as u64 > limits.tape_lines {
                return Err(
                    LimitExceeded { name: "tape-lines", limit: limits.tape_lines, object: "tape".into() }.into()
                );
            }
            reader.read(line)?;
        }
        if reader.line < 2 || !text.ends_with('\n') {
            return Err(reader.wrong("the file ends in the middle"));
        }
        if reader.version != reader.tape.version() {
            reader.line = 2;
            return Err(reader.wrong(format!("expected `version {}`", reader.tape.version())));
        }
        Ok(reader.tape)
    }

    /// Every body that the tape names, with its size.
    pub fn bodies(&self) -> BTreeMap<Digest, u64> {
        self.platforms.values().flatten().map(|(_, recorded)| (recorded.digest, recorded.size)).collect()
    }

    /// The bodies that are kept somewhere: those that are not empty.
    pub fn stored_bodies(&self) -> impl Iterator<Item = (Digest, u64)> {
        self.bodies().into_iter().filter(|(_, size)| *size > 0)
    }
}

fn line(request: &Request, recorded: &Recorded) -> String {
    let mut line = format!("GET {} {} {} {}", encoded(&request.url), recorded.status, recorded.digest, recorded.size);
    let modified = recorded.modified.map(rfc3339);
    // In the order of the keys.
    for (key, value) in [
        ("accept", &request.accept),
        ("disposition", &recorded.disposition),
        ("encoding", &recorded.encoding),
        ("etag", &recorded.etag),
        ("link", &recorded.link),
        ("location", &recorded.location),
        ("modified", &modified),
        ("type", &recorded.content_type),
        ("user-agent", &request.user_agent),
    ] {
        if let Some(value) = value {
            let _ = write!(line, " {key}={}", encoded(value));
        }
    }
    line
}

struct Reader<'t> {
    line: usize,
    version: &'static str,
    tape: Tape,
    current: Option<Platform>,
    last: &'t str,
}

impl<'t> Reader<'t> {
    fn wrong(&self, problem: impl Into<String>) -> TapeError {
        TapeError::Impossible { line: self.line, problem: problem.into() }
    }

    fn read(&mut self, line: &'t str) -> Result<(), TapeError> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker)) {
            return Err(TapeError::Conflict { line: self.line });
        }
        match self.line {
            1 if line == HEADER => return Ok(()),
            1 => return Err(self.wrong(format!("expected `{HEADER}`, found {}", shown(line)))),
            2 => {
                let found = line.strip_prefix("version ");
                if let Some(known) = VERSIONS.into_iter().find(|known| found == Some(known)) {
                    self.version = known;
                    return Ok(());
                }
                return match found {
                    Some(found) if !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit()) => {
                        Err(TapeError::Newer { found: escape::text(found).into_owned() })
                    }
                    _ => Err(self.wrong(format!("expected `version {}`, found {}", VERSIONS[0], shown(line)))),
                };
            }
            _ => {}
        }
        if let Some(name) = line.strip_prefix("platform ") {
            return self.platform(name);
        }
        if self.last >= line {
            return Err(self.wrong("the lines are not in order"));
        }
        self.last = line;
        let (request, recorded) = self.request(line)?;
        let Some(platform) = &self.current else {
            return Err(self.wrong("expected a line `platform OS/ARCH[/VARIANT]` first"));
        };
        let requests = self.tape.platforms.entry(platform.clone()).or_default();
        match requests.insert(request, recorded) {
            None => Ok(()),
            Some(_) => Err(self.wrong("a second response to one request")),
        }
    }

    fn platform(&mut self, name: &str) -> Result<(), TapeError> {
        let platform: Platform =
            name.parse().map_err(|error: crate::platform::InvalidPlatform| self.wrong(error.to_string()))?;
        if platform.to_string() != name {
            return Err(self.wrong(format!("expected `{platform}`, found {}", shown(name))));
        }
        if self.current.as_ref().is_some_and(|before| before.to_string() >= platform.to_string()) {
            return Err(self.wrong("the platforms are not in order"));
        }
        self.tape.platforms.insert(platform.clone(), Requests::new());
        self.current = Some(platform);
        self.last = "";
        Ok(())
    }

    fn request(&self, line: &str) -> Result<(Request, Recorded), TapeError> {
        let mut fields = line.split(' ');
        let mut next = |what: &str| fields.next().ok_or_else(|| self.wrong(format!("no {what}")));
        match next("method")? {
            "GET" => {}
            other => return Err(self.wrong(format!("expected `GET`, found {}", shown(other)))),
        }
        let url = self.url(next("URL")?)?;
        let status = self.number(next("status")?)?;
        let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
        let status = status.ok_or_else(|| self.wrong("the status is none of 200 to 599"))?;
        let digest = next("digest")?;
        let digest: Digest = digest
            .parse()
            .map_err(|_| self.wrong(format!("expected `sha256:` and 64 hex digits, found {}", shown(digest))))?;
        let size = self.number(next("size")?)?;
        let mut recorded = Recorded { digest, size, ..Recorded::bare(status) };
        let (mut accept, mut user_agent) = (None, None);
        let mut last = "";
        for field in fields {
            let (key, value) = field
                .split_once('=')
                .ok_or_else(|| self.wrong(format!("expected `KEY=VALUE`, found {}", shown(field))))?;
            if last >= key {
                return Err(self.wrong("the keys are not in order"));
            }
            last = key;
            let text = decoded(value).filter(|text| !text.chars().any(char::is_control));
            let text = text.ok_or_else(|| self.wrong(format!("`{}` can't be read", escape::text(key))))?;
            match key {
                "accept" => accept = Some(text),
                "disposition" => recorded.disposition = Some(text),
                "encoding" => recorded.encoding = Some(text),
                "etag" => recorded.etag = Some(text),
                "link" => recorded.link = Some(text),
                "location" => recorded.location = Some(text),
                "modified" => recorded.modified = Some(self.date(&text)?),
                "type" => recorded.content_type = Some(text),
                "user-agent" => user_agent = Some(text),
                _ => return Err(self.wrong(format!("unknown key {}", shown(key)))),
            }
        }
        Ok((Request { url, accept, user_agent }, recorded))
    }

    fn url(&self, field: &str) -> Result<String, TapeError> {
        let text = decoded(field).ok_or_else(|| self.wrong("the URL can't be read"))?;
        let url = Url::parse(&text).map_err(|error| self.wrong(error.to_string()))?;
        if url.to_string() != text || super::signature::strip(&url).to_string() != text {
            return Err(self.wrong(format!("the URL {} is not written as `repro` writes it", shown(&text))));
        }
        Ok(text)
    }

    fn number(&self, field: &str) -> Result<u64, TapeError> {
        let canonical =
            !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit()) && (field == "0" || !field.starts_with('0'));
        let number = canonical.then(|| field.parse().ok()).flatten().filter(|number| i64::try_from(*number).is_ok());
        number.ok_or_else(|| self.wrong(format!("expected a whole number, found {}", shown(field))))
    }

    fn date(&self, text: &str) -> Result<u64, TapeError> {
        let date: Option<Epoch> = text.parse().ok();
        let date = date.filter(|date| date.rfc3339() == text);
        Ok(date.ok_or_else(|| self.wrong(format!("expected a date-time in UTC, found {}", shown(text))))?.seconds())
    }
}

/// A field for a message: short and safe.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("`{}`", escape::text(&short))
}

#[cfg(test)]
mod tests {
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
        let keys = r#" disposition=attachment;\x20filename=a encoding=gzip etag="1" link=<https://files.example/2>;\x20rel=next"#;
        assert!(written.contains(keys), "{written}");
        assert_eq!(Tape::parse(&written, &Limits::default()).unwrap(), tape);
    }

    #[test]
    fn what_no_writer_writes_is_refused_with_its_line() {
        let text = documented();
        for (from, to, line, word) in [
            ("# @gen", "# gen", 1, "expected"),
            ("version 1", "version x", 2, "expected `version 1`"),
            ("platform linux/amd64", "platform linux/x86_64", 3, "expected `linux/amd64`"),
            ("platform linux/amd64\n", "", 3, "platform"),
            ("GET https://files.example/a", "PUT https://files.example/a", 4, "expected `GET`"),
            ("https://files.example/a ", "https://FILES.example/a ", 4, "not written as"),
            ("https://files.example/a ", "https://files.example:443/a ", 4, "not written as"),
            ("https://files.example/a ", "https://u:p@files.example/a ", 4, "user"),
            ("https://files.example/a ", "https://files.example/a?sig=x&se=1 ", 4, "not written as"),
            ("files.example/a 302", "files.example/a 099", 4, "whole number"),
            ("files.example/a 302", "files.example/a 199", 4, "200 to 599"),
            ("sha256:e3b0", "sha256:E3b0", 4, "64 hex"),
            (" 0 location", " 00 location", 4, "whole number"),
            (" 0 location", " -1 location", 4, "whole number"),
            ("location=", "place=", 4, "unknown key"),
            ("modified=2024-01-02T03:04:05Z", "modified=2024-01-02T04:04:05+01:00", 5, "date-time"),
            (
                "modified=2024-01-02T03:04:05Z type=text/plain",
                "type=text/plain modified=2024-01-02T03:04:05Z",
                5,
                "order",
            ),
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
        let newer = Tape::parse(&text.replace("version 1", "version 3"), &Limits::default()).unwrap_err();
        assert_eq!(newer.status(), Status::Lock);
        let conflict = Tape::parse(&text.replacen("GET", "<<<<<<< HEAD\nGET", 1), &Limits::default()).unwrap_err();
        assert_eq!(conflict, TapeError::Conflict { line: 4 });
        let small = Limits { tape_lines: 4, ..Limits::default() };
        assert_eq!(Tape::parse(&text, &small).unwrap_err().status(), Status::Malformed);
    }
}
