//! The tape file: its bytes are frozen in `docs/formats.md`, "Tape file".

use std::collections::BTreeMap;
use std::fmt::Write;

use super::entry::{Recorded, Request, Requests};
use super::error::TapeError;
use super::field::{decoded, encoded};
use super::method::Method;
use crate::digest::Digest;
use crate::epoch::{Epoch, rfc3339};
use crate::escape;
use crate::http::Url;
use crate::limits::{LimitExceeded, Limits};
use crate::platform::Platform;

const HEADER: &str = crate::lockfile::HEADER;
/// The versions that are read: the second has the keys `disposition`, `link` and `user-agent`, the third `challenge` and
/// `set-cookie`, the fourth `body`, `header` and `length` and other methods than GET; each is written where one of its keys is needed.
const VERSIONS: [&str; 4] = ["1", "2", "3", "4"];
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
            let is_plain = request.method.is_get() && request.body.is_none() && request.headers.is_empty();
            if !is_plain || recorded.length.is_some() {
                return 3;
            }
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
    let Recorded { status, digest, size, .. } = recorded;
    let mut line = format!("{} {} {status} {digest} {size}", request.method, encoded(&request.url));
    let modified = recorded.modified.map(rfc3339);
    let body = request.body.map(|body| body.to_string());
    let length = recorded.length.map(|length| length.to_string());
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    // In the order of the keys.
    let cookies = recorded.cookies.iter().map(|cookie| ("set-cookie", Some(cookie)));
    let first = [
        ("accept", request.accept.as_ref()),
        ("body", body.as_ref()),
        ("challenge", recorded.challenge.as_ref()),
        ("disposition", recorded.disposition.as_ref()),
        ("encoding", recorded.encoding.as_ref()),
        ("etag", recorded.etag.as_ref()),
    ];
    let headers = headers.iter().map(|header| ("header", Some(header)));
    let before = [
        ("length", length.as_ref()),
        ("link", recorded.link.as_ref()),
        ("location", recorded.location.as_ref()),
        ("modified", modified.as_ref()),
    ];
    let after = [("type", recorded.content_type.as_ref()), ("user-agent", request.user_agent.as_ref())];
    for (key, value) in first.into_iter().chain(headers).chain(before).chain(cookies).chain(after) {
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
        let method = next("method")?;
        let method =
            Method::parse(method).ok_or_else(|| self.wrong(format!("expected `GET`, found {}", shown(method))))?;
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
        let mut request = Request { method, ..Request::plain(url) };
        let mut last = "";
        for field in fields {
            let (key, value) = field
                .split_once('=')
                .ok_or_else(|| self.wrong(format!("expected `KEY=VALUE`, found {}", shown(field))))?;
            if last > key || last == key && !matches!(key, "header" | "set-cookie") {
                return Err(self.wrong("the keys are not in order"));
            }
            last = key;
            let text = decoded(value).filter(|text| !text.chars().any(char::is_control));
            let text = text.ok_or_else(|| self.wrong(format!("`{}` can't be read", escape::text(key))))?;
            match key {
                "accept" => request.accept = Some(text),
                "body" => request.body = Some(self.body_digest(&text)?),
                "challenge" => recorded.challenge = Some(text),
                "disposition" => recorded.disposition = Some(text),
                "encoding" => recorded.encoding = Some(text),
                "etag" => recorded.etag = Some(text),
                "header" => request.headers.push(self.header(&text, request.headers.last())?),
                "length" => recorded.length = Some(self.number(&text)?),
                "link" => recorded.link = Some(text),
                "location" => recorded.location = Some(text),
                "modified" => recorded.modified = Some(self.date(&text)?),
                "set-cookie" => recorded.cookies.push(text),
                "type" => recorded.content_type = Some(text),
                "user-agent" => request.user_agent = Some(text),
                _ => return Err(self.wrong(format!("unknown key {}", shown(key)))),
            }
        }
        if recorded.length.is_some() && !request.method.is_head() {
            return Err(self.wrong("only a response to HEAD has a `length`"));
        }
        if request.body.is_some() && !request.method.takes_body() {
            return Err(self.wrong(format!("a request by {} has no `body`", request.method)));
        }
        Ok((request, recorded))
    }

    fn body_digest(&self, text: &str) -> Result<Digest, TapeError> {
        let digest: Option<Digest> = text.parse().ok().filter(|digest| *digest != Digest::of(b""));
        digest.ok_or_else(|| self.wrong(format!("expected the digest of a body, found {}", shown(text))))
    }

    /// `NAME: VALUE`, its name in lower case and after that of the one `before`.
    fn header(&self, text: &str, before: Option<&(String, String)>) -> Result<(String, String), TapeError> {
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
        let header = text.split_once(": ").filter(|(name, _)| !name.is_empty() && is_name(name));
        let (name, value) =
            header.ok_or_else(|| self.wrong(format!("expected `NAME: VALUE`, found {}", shown(text))))?;
        match before {
            Some((before, _)) if before.as_str() >= name => Err(self.wrong("the headers are not in order")),
            _ => Ok((name.to_owned(), value.to_owned())),
        }
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
