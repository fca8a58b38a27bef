//! Single values of a lockfile: each spelling that a writer uses, and no other.

use toml::Spanned;

use crate::digest::Digest;
use crate::epoch;
use crate::escape;
use crate::platform::Platform;
use crate::reference::Reference;

/// Seconds of the year 10000, where RFC 3339 ends.
const END_OF_DATES: u64 = 253_402_300_800;

/// A text and where it stands.
pub(super) type Text = Spanned<String>;

/// What is wrong with the bytes from an offset on.
pub(super) struct Wrong {
    /// Bytes before it.
    pub(super) offset: usize,
    /// What is wrong, safe to print.
    pub(super) problem: String,
}

pub(super) fn platform(text: &Text) -> Result<Platform, Wrong> {
    let platform: Platform = parsed(text)?;
    if platform.to_string() == *text.get_ref() {
        return Ok(platform);
    }
    wrong(text.span().start, format!("`{}` is written `{platform}` here", shown(text.get_ref())))
}

pub(super) fn digest(text: &Text) -> Result<Digest, Wrong> {
    parsed(text)
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &Text) -> Result<T, Wrong> {
    text.get_ref().parse().or_else(|error: T::Err| wrong(text.span().start, error.to_string()))
}

/// A normalised reference; one that holds a digest has exactly that result.
pub(super) fn image_request(text: &Text, result: Digest) -> Result<String, Wrong> {
    let request = plain(text)?;
    let reference: Reference = parsed(text)?;
    if reference.clone().with_default_tag().to_string() != request {
        let want = reference.with_default_tag();
        return wrong(text.span().start, format!("`{}` is written `{want}` here", shown(&request)));
    }
    match reference.digest() {
        Some(asked) if asked != result => {
            wrong(text.span().start, format!("`{}` can't stand for {result}", shown(&request)))
        }
        _ => Ok(request),
    }
}

pub(super) fn http_url(text: &Text) -> Result<String, Wrong> {
    let url = plain(text)?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return wrong(text.span().start, format!("`{}` is no address of a file", shown(&url)));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.is_empty() || authority.contains('@') {
        return wrong(text.span().start, "an address without host, or with credentials");
    }
    Ok(url)
}

/// A git request; a full commit in it is its result.
pub(super) fn git_request(text: &Text, commit: &str) -> Result<String, Wrong> {
    let request = plain(text)?;
    let asked = request.split_once('#').map_or("", |(_, fragment)| fragment.split(':').next().unwrap_or(""));
    if is_commit(asked) && asked != commit {
        return wrong(text.span().start, format!("`{}` can't stand for commit {commit}", shown(&request)));
    }
    if request.starts_with('-') {
        return wrong(text.span().start, format!("`{}` is no git address", shown(&request)));
    }
    Ok(request)
}

pub(super) fn commit(text: &Text) -> Result<String, Wrong> {
    if is_commit(text.get_ref()) {
        return Ok(text.get_ref().clone());
    }
    let problem = format!("`{}` is no commit: expected 40 or 64 lower-case hex digits", shown(text.get_ref()));
    wrong(text.span().start, problem)
}

pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn date(text: &Text) -> Result<u64, Wrong> {
    let seconds = text
        .get_ref()
        .parse::<jiff::Timestamp>()
        .ok()
        .and_then(|time| u64::try_from(time.as_second()).ok())
        .filter(|seconds| *seconds < END_OF_DATES && epoch::rfc3339(*seconds) == *text.get_ref());
    match seconds {
        Some(seconds) => Ok(seconds),
        None => wrong(
            text.span().start,
            format!("`{}` is no date of the form `2024-01-02T03:04:05Z`", shown(text.get_ref())),
        ),
    }
}

/// A name or request: one line that is not empty.
pub(super) fn plain(text: &Text) -> Result<String, Wrong> {
    let value = text.get_ref();
    if let Some(control) = value.chars().find(|c| c.is_control()) {
        return wrong(text.span().start, format!("the control character U+{:04X}", control as u32));
    }
    if value.is_empty() {
        return wrong(text.span().start, "an empty text");
    }
    Ok(value.clone())
}

/// The failure at an offset.
pub(super) fn wrong<T>(offset: usize, problem: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { offset, problem: problem.into() })
}

/// Any text as a message shows it: safe and short.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(200).collect();
    escape::text(&short).into_owned()
}
