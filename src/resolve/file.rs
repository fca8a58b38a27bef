//! Files over HTTP.

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;

use super::{Reason, Resolved, Resolver};
use crate::digest::Digest;
use crate::escape;
use crate::http::{HttpError, Request, Url, date};
use crate::limits::LimitExceeded;
use crate::lockfile::Pin;
use crate::status::{ExitStatus, Status};
use crate::store::BlobWriter;

/// Attempts when the connection breaks in the middle.
const ATTEMPTS: u32 = 3;
const PIECE: usize = 128 << 10;

/// A body that was fetched into the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub digest: Digest,
    pub size: u64,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: Option<u64>,
}

impl Resolver {
    pub(super) fn resolve_file(&self, url: &str) -> Result<Resolved, Reason> {
        let (File { digest, size, modified }, mirror) = self.ask_for_file(url)?;
        let made = modified.and_then(|seconds| i64::try_from(seconds).ok()).filter(|_| self.ages);
        Ok(Resolved { pin: Pin::Http { url: url.to_owned(), digest, size, modified }, made, mirror })
    }

    /// Streams what the URL means today into the cache; tells which mirror gave it where the server was not reached.
    pub(super) fn ask_for_file(&self, url: &str) -> Result<(File, Option<String>), Reason> {
        let upstream = Url::parse(url).map_err(HttpError::from)?;
        let Some(mirror) = self.client().settings().config.mirror_of(url) else {
            return Ok((self.fetch_from(&upstream, None)?, None));
        };
        let mirror = Url::parse(&mirror).map_err(HttpError::from)?;
        let own = || self.fetch_once(&upstream, Request::get(upstream.clone()).once(), None);
        let from_mirror = || self.fetch_from(&mirror, None);
        self.ask_upstream_first(url, &upstream.origin(), &mirror.authority(), own, from_mirror)
    }

    /// Streams the locked file into the cache, from its mirror if there is one, else or failing that from its URL.
    ///
    /// Only the expected bytes are accepted; others are status 4, naming both digests.
    pub(super) fn fetch_file(&self, url: &str, expected: Digest) -> Result<File, Reason> {
        let expected = Some(expected);
        let upstream = Url::parse(url).map_err(HttpError::from)?;
        let Some(mirror) = self.client().settings().config.mirror_of(url) else {
            return self.fetch_from(&upstream, expected);
        };
        let from_mirror = self.fetch_from(&Url::parse(&mirror).map_err(HttpError::from)?, expected);
        match from_mirror {
            Err(error) if !matches!(error.status(), Status::Interrupted | Status::Usage) => {
                match self.fetch_from(&upstream, expected) {
                    Ok(file) => {
                        self.progress().note(&format!("mirror of `{}` not used: {error}", escape::text(url)));
                        Ok(file)
                    }
                    // What the nearer place says is the better story, unless upstream itself had a response.
                    Err(Reason::Http(HttpError::Unreachable { .. })) => Err(error),
                    Err(other) => Err(other),
                }
            }
            other => other,
        }
    }

    fn fetch_from(&self, url: &Url, expected: Option<Digest>) -> Result<File, Reason> {
        let mut attempt = 1;
        loop {
            match self.fetch_once(url, Request::get(url.clone()), expected) {
                Err(Reason::Http(HttpError::Unreachable { .. })) if attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
        }
    }

    fn fetch_once(&self, url: &Url, request: Request, expected: Option<Digest>) -> Result<File, Reason> {
        let response = self.client().send(&request.any_coding())?.expect_ok()?;
        let modified = response.header("last-modified").and_then(date::parse);
        let total = response.content_length();
        // As BuildKit takes it: Go's client decodes `gzip`, and nothing else that a server may say.
        let is_packed = response.header("content-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let limit = self.limits().blob;
        let step = format!("fetch {}", url.shown());
        let mut writer = self.cache.writer()?;
        let copied = if is_packed {
            let mut body = MultiGzDecoder::new(response.into_body()).take(limit.saturating_add(1));
            self.copy(&mut body, &mut writer, &step, None).map_err(|error| broken_coding(error, url))
        } else {
            self.copy(&mut response.into_body().take(limit.saturating_add(1)), &mut writer, &step, total)
        };
        self.progress().end(&step);
        if copied? > limit {
            let object = format!("`{}`", url.shown());
            return Err(HttpError::from(LimitExceeded { name: "blob", limit, object }).into());
        }
        let (digest, size) = writer.commit(None)?;
        match expected {
            Some(expected) if expected != digest => {
                Err(Reason::Changed { expected: expected.to_string(), found: digest.to_string() })
            }
            _ => Ok(File { digest, size, modified }),
        }
    }

    fn copy(
        &self,
        body: &mut impl Read,
        writer: &mut BlobWriter,
        step: &str,
        total: Option<u64>,
    ) -> Result<u64, HttpError> {
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        loop {
            let count = body.read(&mut piece).map_err(HttpError::unwrap)?;
            if count == 0 {
                return Ok(done);
            }
            done += count as u64;
            writer.write_all(&piece[..count]).map_err(|error| HttpError::Local(error.into()))?;
            self.progress().step(step, done, total);
        }
    }
}

/// What is wrong with a packed body that can't be unpacked.
fn broken_coding(error: HttpError, url: &Url) -> HttpError {
    match error {
        HttpError::Local(inner) if is_about_gzip(&inner) => {
            let reason = format!("the content coding `gzip` is broken: {}", escape::text(&inner.to_string()));
            HttpError::Nonsense { url: url.shown(), reason }
        }
        other => other,
    }
}

fn is_about_gzip(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
