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
/// The versions that are read: the second has the keys `disposition`, `link` and `user-agent`, the third `challenge` and
/// `set-cookie`; each is written where one of its keys is needed.
const VERSIONS: [&str; 3] = ["1", "2", "3"];
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
        let needed = |(request, recorded): (&Request, &Recorded)| {
            if recorded.challenge.is_some() || !recorded.cookies.is_empty() {
                return 2;
            }
            usize::from(request.user_agent.is_some() || recorded.disposition.is_some() || recorded.link.is_some())
        };
        VERSIONS[self.platforms.values().flatten().map(needed).max().unwrap_or(0)]
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
    let cookies = recorded.cookies.iter().map(|cookie| ("set-cookie", Some(cookie)));
    let before = [
        ("accept", request.accept.as_ref()),
        ("challenge", recorded.challenge.as_ref()),
        ("disposition", recorded.disposition.as_ref()),
        ("encoding", recorded.encoding.as_ref()),
        ("etag", recorded.etag.as_ref()),
        ("link", recorded.link.as_ref()),
        ("location", recorded.location.as_ref()),
        ("modified", modified.as_ref()),
    ];
    let after = [("type", recorded.content_type.as_ref()), ("user-agent", request.user_agent.as_ref())];
    for (key, value) in before.into_iter().chain(cookies).chain(after) {
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
        if (size == 0) != (digest == Digest::of(b"")) {
            return Err(self.wrong(format!("the digest is not that of {size} bytes")));
        }
        let mut recorded = Recorded { digest, size, ..Recorded::bare(status) };
        let (mut accept, mut user_agent) = (None, None);
        let mut last = "";
        for field in fields {
            let (key, value) = field
                .split_once('=')
                .ok_or_else(|| self.wrong(format!("expected `KEY=VALUE`, found {}", shown(field))))?;
            if last > key || last == key && key != "set-cookie" {
                return Err(self.wrong("the keys are not in order"));
            }
            last = key;
            let text = decoded(value).filter(|text| !text.chars().any(char::is_control));
            let text = text.ok_or_else(|| self.wrong(format!("`{}` can't be read", escape::text(key))))?;
            match key {
                "accept" => accept = Some(text),
                "challenge" => recorded.challenge = Some(text),
                "disposition" => recorded.disposition = Some(text),
                "encoding" => recorded.encoding = Some(text),
                "etag" => recorded.etag = Some(text),
                "link" => recorded.link = Some(text),
                "location" => recorded.location = Some(text),
                "modified" => recorded.modified = Some(self.date(&text)?),
                "set-cookie" => recorded.cookies.push(text),
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
        if url.to_string() != text || super::signature::key(&url).to_string() != text {
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
mod tests;
